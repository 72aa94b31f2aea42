// Keys, picking quotes and keeping the lease. Everything also works by mouse, and deciding works without this file.
"use strict";

(() => {
  const form = document.getElementById("decide");
  const say = (text) => {
    const place = document.getElementById("say");
    if (place) place.textContent = text;
  };
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const byKey = (key) =>
    [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key && !one.disabled && one.getClientRects().length > 0);

  // --- keys -----------------------------------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "j" || event.key === "k") return step(event, event.key === "j" ? 1 : -1);
    if (event.key === "p" || event.key === "P") return openPlace(event, event.key === "p" ? 1 : -1);
    const found = byKey(event.key);
    if (!found) return;
    event.preventDefault();
    if (typing(found)) found.focus();
    else found.click();
  });

  const step = (event, by) => {
    const lines = [...document.querySelectorAll("#page .line")];
    if (!lines.length) return;
    event.preventDefault();
    const marked = lines.findIndex((line) => line.querySelector("mark"));
    const at = lines.indexOf(document.activeElement);
    const next = at < 0 ? Math.max(0, marked) : Math.min(lines.length - 1, Math.max(0, at + by));
    lines[next].focus({ preventScroll: true });
    lines[next].scrollIntoView({ block: "nearest" });
  };

  const openPlace = (event, by) => {
    const places = [...document.querySelectorAll(".quote .place, .offered a")];
    if (!places.length) return;
    event.preventDefault();
    const at = places.findIndex((one) => one.getAttribute("aria-current") === "true");
    places[(at + by + places.length) % places.length].click();
  };

  // --- one decision at a time, with what it needs -----------------------------------------------------------------------

  let sent = false;
  if (form) {
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      const note = document.getElementById("note");
      if (button && button.dataset.needsQuote && !form.querySelector("input[name=quote]")) {
        event.preventDefault();
        return say(button.dataset.needsQuote);
      }
      if (button && button.dataset.needsNote && note && !note.value.trim()) {
        event.preventDefault();
        say(button.dataset.needsNote);
        return note.focus();
      }
      if (sent) return event.preventDefault();
      sent = true;
    });
    window.addEventListener("pageshow", () => { sent = false; });
  }

  // --- picking a quote ----------------------------------------------------------------------------------------------------

  const basket = document.getElementById("basket");
  const page = document.getElementById("page");

  const picked = () => {
    const selection = window.getSelection();
    const inside = selection && !selection.isCollapsed && page && page.contains(selection.anchorNode) && page.contains(selection.focusNode);
    if (inside) return selected(selection.getRangeAt(0));
    const line = document.activeElement;
    return line && line.classList.contains("line") ? text(line) : "";
  };
  // The name of a table's row stands before its cell for the reader only: it is no part of the block.
  const text = (node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll(".row").forEach((row) => row.remove());
    return copy.textContent.trim();
  };
  const selected = (range) => {
    const copy = range.cloneContents();
    copy.querySelectorAll(".row, .more").forEach((one) => one.remove());
    const lines = [...copy.querySelectorAll(".line")];
    return (lines.length ? lines.map((line) => line.textContent).join("\n") : copy.textContent).trim();
  };

  const pick = async () => {
    const words = picked();
    if (!words) return say(document.getElementById("pick").dataset.hint || "");
    const body = new URLSearchParams({ token: form.elements.token.value, text: words, page: page.dataset.page });
    try {
      const answer = await fetch(`/items/${form.closest("main").querySelector(".columns").dataset.item}/quote`, { method: "POST", body });
      const found = await answer.json();
      if (!found.found) return say(found.why);
      add(found);
    } catch {
      say(basket.dataset.failed);
    }
  };

  const add = (found) => {
    const line = document.createElement("p");
    line.className = "picked";
    const quote = document.createElement("q");
    quote.textContent = found.text;
    line.append(quote);
    for (const flag of found.flags) {
      const warning = document.createElement("small");
      warning.textContent = flag;
      line.append(" ", warning);
    }
    for (const [name, value] of [["quote", found.text], ["page", found.page], ["href", found.href]]) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      line.append(input);
    }
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", textContent: basket.dataset.remove });
    remove.dataset.remove = "";
    line.append(remove);
    basket.append(line);
    say("");
    window.getSelection().removeAllRanges();
  };

  if (basket) {
    basket.addEventListener("click", (event) => {
      if (event.target.matches("[data-remove]:not(#basket)")) event.target.closest(".picked").remove();
    });
  }
  const pickButton = document.getElementById("pick");
  if (pickButton) {
    // The selection must survive the click that uses it.
    pickButton.addEventListener("mousedown", (event) => event.preventDefault());
    pickButton.addEventListener("click", pick);
  }

  // --- help -------------------------------------------------------------------------------------------------------------

  const help = document.getElementById("help");
  if (help) {
    help.addEventListener("click", () => {
      const list = document.getElementById("keys-list");
      list.replaceChildren();
      for (const one of document.querySelectorAll("[data-key]")) {
        if (!one.getClientRects().length) continue;
        const key = document.createElement("dt");
        key.append(Object.assign(document.createElement("kbd"), { textContent: one.dataset.key }));
        const label = one.labels && one.labels.length ? one.labels[0] : one;
        const words = label.cloneNode(true);
        words.querySelectorAll("kbd").forEach((kbd) => kbd.remove());
        list.append(key, Object.assign(document.createElement("dd"), { textContent: words.textContent.trim() }));
      }
      document.getElementById("keys").showModal();
    });
  }

  // --- evidence in view, focus, lease -------------------------------------------------------------------------------------

  document.querySelectorAll(".page").forEach((one) => {
    const mark = one.querySelector("mark");
    if (mark) one.scrollTop += mark.getBoundingClientRect().top - one.getBoundingClientRect().top - one.clientHeight / 3;
  });
  const title = document.getElementById("criterion");
  if (title && !document.querySelector("[autofocus]")) title.focus({ preventScroll: true });

  const columns = document.querySelector(".columns[data-lease='1']");
  if (columns) {
    setInterval(async () => {
      if (document.visibilityState !== "visible") return;
      try {
        const body = new URLSearchParams({ token: form.elements.token.value });
        const answer = await fetch(`/items/${columns.dataset.item}/lease`, { method: "POST", body });
        const now = await answer.json();
        if (!now.mine || now.version !== columns.dataset.version) say(columns.dataset.changed);
      } catch {
        // the server is away for a moment; the next decision will tell
      }
    }, 60000);
  }

  // --- figures that renew themselves --------------------------------------------------------------------------------------

  const figures = document.getElementById("figures");
  const told = document.getElementById("renewing");
  const reading = () => {
    const selection = window.getSelection();
    return selection && !selection.isCollapsed && figures.contains(selection.anchorNode);
  };
  // Whoever is on a link stays on it.
  const replace = (fresh) => {
    const held = figures.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    figures.replaceChildren(...fresh.childNodes);
    figures.dataset.done = fresh.dataset.done;
    if (held) [...figures.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === held)?.focus({ preventScroll: true });
  };
  const renew = async () => {
    if (document.visibilityState !== "visible" || reading()) return;
    try {
      const answer = await fetch(figures.dataset.renew);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("figures");
      if (!answer.ok || !fresh) throw new Error(answer.statusText);
      replace(fresh);
      told.textContent = "";
    } catch {
      told.textContent = figures.dataset.failed;
    }
    if (figures.dataset.done === "1") clearInterval(renewing);
  };
  const renewing = figures && figures.dataset.done === "0" ? setInterval(renew, 5000) : 0;
})();
