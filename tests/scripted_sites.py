"""Sites that stand there only once their scripts have run, and pages that do to a browser what pages must not do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

from hostile import Reply, filler, redirect

SHELL = """<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>架空市</title></head><body>
<noscript>このサイトを表示するには JavaScript を有効にしてください。</noscript>
<div id="root"></div><script src="/assets/app.js"></script></body></html>"""
# Fetches what stands at an address, builds it, and turns links into steps of the history.
APP = """
const root = document.getElementById("root");
async function show() {
  const answer = await fetch("/api" + location.pathname + ".json");
  const page = await answer.json();
  document.title = page.title;
  root.innerHTML = "";
  const h1 = document.createElement("h1"); h1.textContent = page.title; root.append(h1);
  for (const text of page.text) { const p = document.createElement("p"); p.textContent = text; root.append(p); }
  for (const [href, label] of page.links) {
    const a = document.createElement("a"); a.href = href; a.textContent = label;
    a.onclick = event => { event.preventDefault(); history.pushState({}, "", href); show(); };
    root.append(a);
  }
}
show();
"""
JSON, SCRIPT = "application/json", "text/javascript"


def spa(pages: Mapping[str, tuple[str, list[str], list[tuple[str, str]]]]) -> Callable[[str], Reply | None]:
    """A single-page application. pages: path to title, paragraphs and links (address, label); every other path answers
    with the empty shell, as such servers do."""

    def answer(path: str) -> Reply | None:
        if path == "/robots.txt":
            return Reply(b"<p>404</p>", status=404)
        if path == "/assets/app.js":
            return Reply(APP.encode(), media=SCRIPT)
        if path.startswith("/api"):
            found = pages.get(path.removeprefix("/api").removesuffix(".json"))
            if found is None:
                return Reply(b"{}", media=JSON, status=404)
            title, text, links = found
            body = json.dumps({"title": title, "text": text, "links": links}, ensure_ascii=False)
            return Reply(body.encode(), media=JSON)
        return Reply(SHELL.encode())

    return answer


def city() -> Callable[[str], Reply | None]:
    """An application that says one thing that settles a criterion, two steps from its home page."""
    return spa(
        {
            "/": ("架空市", [filler("home")], [("/dx", "市のデジタル化"), ("/kurashi", "くらし")]),
            "/dx": ("市のデジタル化", [filler("dx")], [("/dx/rpa", "RPAによる業務の自動化")]),
            "/dx/rpa": ("RPAによる業務の自動化", [RPA, filler("rpa")], [("/", "架空市")]),
            "/kurashi": ("くらし", [filler("kurashi")], [("/", "架空市")]),
        }
    )


RPA = "本市では、令和5年度から、税務課と福祉課の定型業務にRPAを導入し、職員の入力作業を自動化しています。"


def scripted(script: str, *, before: str = "") -> str:
    """A page whose script does something, and which says nothing without it."""
    return f'<!DOCTYPE html><title>x</title><body>{before}<div id="app"></div><script>{script}</script>'


def fill(text: str) -> str:
    """A script that writes a sentence into the page."""
    return f'document.getElementById("app").innerHTML = "<p>{text}</p>";'


LONG = filler("long") + filler("longer")


def hostile_pages(elsewhere: str) -> dict[str, Reply | str]:
    """Path to a page that a browser must survive. elsewhere: another host's address."""
    return {
        "/fine.html": scripted(fill(LONG) + 'document.body.innerHTML += "<a href=/linked.html>続き</a>"'),
        "/linked.html": "<p>" + filler("linked") + "</p>",
        "/never-loads.html": scripted('fetch("/hangs.json").then(() => { ' + fill(LONG) + " })"),
        "/hangs.json": Reply(act=lambda handler: time.sleep(25)),
        "/broken-api.html": scripted('fetch("/500.json").catch(() => 0);' + fill("お知らせはありません。" * 5)),
        "/500.json": Reply(b"", status=500),
        "/dom.html": scripted("setInterval(() => { for (let i = 0; i < 20000; i++) "
                              "document.body.append(document.createElement('p')) }, 10)"),
        "/dialogs.html": scripted('alert("x"); confirm("y"); prompt("z"); onbeforeunload = () => "stay";' + fill(LONG)),
        "/popups.html": scripted(f'for (let i = 0; i < 5; i++) window.open("{elsewhere}popup");' + fill(LONG)),
        "/loop-a.html": scripted('location.replace("/loop" + "-b.html?" + Math.random())'),
        "/loop-b.html": scripted('location.replace("/loop" + "-a.html?" + Math.random())'),
        "/reload.html": scripted("location.reload()"),
        "/away.html": scripted(f'location.href = "{elsewhere}" + "away.html"'),
        "/away-later.html": scripted(fill(LONG) + f'setTimeout(() => location = "{elsewhere}" + "later.html", 300)'),
        "/forbidden-next.html": scripted('location.href = "/closed/" + "x.html"'),
        "/forbidden-part.html": scripted('fetch("/closed/" + "part.json").catch(() => 0);' + fill(LONG)),
        "/forbidden-hop.html": scripted('location.href = "/hop.html"'),
        "/hop.html": redirect("/closed/hop.html"),
        "/closed/hop.html": "<p>" + LONG + "</p>",
        "/on.html": scripted('location.replace("/on-" + "there.html")'),
        "/on-there.html": "<p>" + LONG + "</p>",
        "/memory.html": scripted("const kept = []; for (;;) kept.push(new Array(8e6).fill(kept.length + 0.5))"),
        "/busy.html": scripted("for (;;) {}"),
        "/empty.html": scripted("1 + 1"),
        "/shadow.html": scripted(
            'const root = document.getElementById("app").attachShadow({mode: "open"});'
            f'root.innerHTML = "<p>{LONG}</p><slot></slot>"; document.getElementById("app").textContent = "表題"'
        ),
        "/clock.html": scripted(fill(LONG) + "setInterval(() => document.title = Date.now(), 50)"),
        "/ticker.html": scripted(fill(LONG) + "let n = 0; setInterval(() => document.body.append('x' + n++), 20)"),
        "/huge.html": scripted('document.getElementById("app").textContent = "あ".repeat(1e6)'),
    }  # fmt: skip
