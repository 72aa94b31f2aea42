"use strict";
// Sorting, searching and filtering. Without this file the page is complete, in the order of ranks.
(() => {
  const table = document.getElementById("places");
  const controls = document.getElementById("controls");
  if (!table || !controls) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const language = document.documentElement.lang;
  const said = document.getElementById("shown");
  const order = document.getElementById("order");
  const boxes = { find: document.getElementById("find"), class: document.getElementById("class"), prefecture: document.getElementById("prefecture") };
  const heads = [...table.tHead.rows[0].cells];

  const hiragana = (text) => text.replace(/[\u30a1-\u30f4]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));
  const folded = (text) => hiragana(text.normalize("NFKC").toLowerCase()).trim();

  const show = () => {
    const words = folded(boxes.find.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits = words.every((word) => row.dataset.find.includes(word))
        && (!boxes.class.value || row.dataset.class === boxes.class.value)
        && (!boxes.prefecture.value || row.dataset.prefecture === boxes.prefecture.value);
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    said.textContent = said.dataset.words.replace("{all}", rows.length).replace("{shown}", count);
  };

  const value = (row, at, numbers) => {
    const given = row.cells[at].dataset.v;
    return numbers ? Number(given) : given;
  };

  const sort = (at, direction) => {
    const numbers = heads[at].dataset.sort === "number";
    const sign = direction === "ascending" ? 1 : -1;
    const sorted = rows.map((row, index) => ({ row, index, v: value(row, at, numbers) }));
    sorted.sort((one, other) => sign * (numbers ? one.v - other.v : one.v.localeCompare(other.v, language)) || one.index - other.index);
    const all = document.createDocumentFragment();
    for (const { row } of sorted) all.append(row);
    body.append(all);
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[at].setAttribute("aria-sort", direction);
    const name = heads[at].querySelector("button").firstChild.textContent.trim();
    order.textContent = order.dataset[direction].replace("{column}", name);
  };

  heads.forEach((head, at) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first || "ascending";
      sort(at, now ? (now === "ascending" ? "descending" : "ascending") : first);
    });
  });

  for (const box of Object.values(boxes)) box.addEventListener("input", show);
  document.getElementById("all").addEventListener("click", () => {
    for (const box of Object.values(boxes)) box.value = "";
    show();
    boxes.find.focus();
  });
  controls.hidden = false;
  show();
})();
