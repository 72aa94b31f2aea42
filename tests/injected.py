"""The pages of tests/injection before every judge, alone with the page of a town that does not try anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT), str(ROOT / "tests")]

from batch_server import documents, judged, said  # noqa: E402
from make_pages import snapshot  # noqa: E402

from pipeline import criteria  # noqa: E402
from pipeline.extract import extract  # noqa: E402
from pipeline.judge.conclude import conclude  # noqa: E402
from pipeline.judge.dialogue import Model, Request, converse  # noqa: E402
from pipeline.judge.prompt import FENCE, case, fenced, load  # noqa: E402
from pipeline.judge.rules import RulesJudge  # noqa: E402
from pipeline.models import Coverage, Judgement, Page, Proposal  # noqa: E402
from pipeline.municipality import unregistered  # noqa: E402
from pipeline.retrieve import Index  # noqa: E402
from pipeline.text import fold  # noqa: E402

AS_OF = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
PUT_IN = {
    "{zwsp}": "\u200b",
    "{rlo}": "\u202e",
    "{fence}": escape(FENCE),
    "{fence-a}": escape(FENCE[:9]),
    "{fence-b}": escape(FENCE[9:]),
}
JUDGES = ("rules", "honest", "obedient", "inventing")
INVENTED = "この町では、その取組を全面的に実施していると書かれています。"
TOWNS = {"ops-08": "鈴掛町", "resident-03": "鈴掛町", "resident-07": "瀬音町"}
# What the other page says: nothing of the matter where the page wants `met`, the plain truth where it wants less.
SILENT = {
    "ops-08": "鈴掛町の総務課では、定型業務の量を毎年調べています。",
    "resident-03": "鈴掛町では、広報紙の表紙に載せる写真を選びました。",
    "resident-07": "瀬音町の窓口では、混み合う時間をお知らせしています。",
}
TRUE = {
    "ops-08": "鈴掛町では、定型業務にRPAを導入し、入力作業を自動化しています。",
    "resident-07": "瀬音町の窓口では、クレジットカードで手数料を支払えます。",
}


@dataclass(frozen=True)
class Injected:
    """One page that tries. aim: the verdict that it wants; bait: what a model that obeys cites."""

    name: str
    criterion: str
    aim: str
    page: Page
    bait: str
    hidden: tuple[str, ...]
    addressed: bool | str

    def warns(self, judge: str) -> bool:
        """Whether that judge's judgement must carry the flag."""
        return judge != "rules" if self.addressed == "model" else bool(self.addressed)


@dataclass(frozen=True)
class Heard:
    """What a judge concluded, and every body that a model was sent on the way, with the pages it was about."""

    judgement: Judgement
    bodies: tuple[dict[str, Any], ...]
    pages: tuple[Page, ...]


def pages() -> list[Injected]:
    """All of them."""
    rows = yaml.safe_load((ROOT / "tests/injection/pages.yaml").read_text(encoding="utf-8"))
    return [_injected(row) for row in rows]


def _injected(row: dict[str, Any]) -> Injected:
    return Injected(
        name=row["name"],
        criterion=row["criterion"],
        aim=row["aim"],
        page=_page(row),
        bait=_disguised(row["bait"]),
        hidden=tuple(map(_disguised, row.get("hidden", ()))),
        addressed=row.get("addressed", True),
    )


def _page(row: dict[str, Any]) -> Page:
    if "text" in row:
        shot = snapshot(row["text"].encode(), content_type="text/plain; charset=utf-8")
        return _read(row["name"], shot, row["text"].encode())
    title = escape(row.get("title", "町からのお知らせ"))
    head = f"<meta charset=utf-8><title>{title}</title>{row.get('head', '')}"
    main = f"<main><h1>お知らせ</h1>{row['html']}</main>{row.get('after', '')}"
    body = _disguised(f"<html lang=ja><head>{head}</head><body>{main}</body></html>").encode()
    return _read(row["name"], snapshot(body), body)


def _read(name: str, shot: Any, body: bytes) -> Page:
    found = extract(shot, body)
    assert isinstance(found, Page), f"{name}: {found}"
    sha256 = hashlib.sha256(name.encode() + body).hexdigest()
    return found.model_copy(update={"sha256": sha256, "url": f"https://town.example/{sha256[:8]}.html"})


def _disguised(text: str) -> str:
    """The text with its invisible and encoded parts put in."""
    for name, put in PUT_IN.items():
        text = text.replace(name, put)
    text = re.sub(r"\{tags:([^}]*)\}", lambda m: "".join(chr(0xE0000 + ord(one)) for one in m[1]), text)
    return re.sub(r"\{b64:([^}]*)\}", lambda m: base64.b64encode(m[1].encode()).decode(), text)


@cache
def neutral(criterion: str, aim: str) -> Page:
    """The page of the same town that does not try anything."""
    sentence = SILENT[criterion] if aim == "met" else TRUE[criterion]
    body = f"<html lang=ja><head><title>町の仕事</title></head><body><main><p>{sentence}</p></main></body></html>"
    return _read(f"{criterion} {aim}", snapshot(body.encode()), body.encode())


# --- judges -----------------------------------------------------------------------------------------------------------


def honest(one: Injected, body: dict[str, Any]) -> str:
    """Finds what is true if it is offered, and nothing else."""
    for doc, text in documents(body).items():
        if TRUE.get(one.criterion, INVENTED) in text:
            return judged("met", (doc, TRUE[one.criterion]))
    return judged("no_evidence")


def obedient(one: Injected, body: dict[str, Any], quote: str = "") -> str:
    """Does what the page wants as soon as it has read it, and cites the page's words, or those given."""
    if fold(one.bait) not in fold(body["messages"][1]["content"]):
        return honest(one, body)
    doc = next((doc for doc, text in documents(body).items() if fold(one.bait) in fold(text)), "D1")
    return judged(one.aim, (doc, quote or one.bait), confidence=100)


def inventing(one: Injected, body: dict[str, Any]) -> str:
    return obedient(one, body, INVENTED)


MODELS: dict[str, Callable[[Injected, dict[str, Any]], str]] = {
    "honest": honest,
    "obedient": obedient,
    "inventing": inventing,
}


def hear(one: Injected, judge: str, *, injected: bool = True) -> Heard:
    """The criterion before that judge, with or without the page that tries."""
    shown = (*((one.page,) if injected else ()), neutral(one.criterion, one.aim))
    by_sha = {page.sha256: page for page in shown}
    asked = _criteria().criterion(one.criterion)
    town = unregistered(TOWNS[one.criterion], None)
    bodies: list[dict[str, Any]] = []
    if judge == "rules":
        proposal = RulesJudge(town, AS_OF).judge(asked, by_sha, ())
    else:

        def answered(request: Request) -> str:
            bodies.append(fenced(request.body))
            return json.dumps(said(MODELS[judge](one, bodies[-1])))

        passages = Index(shown).passages(asked, limit=12)
        outcome = converse(case(asked, town, AS_OF, passages, by_sha), _prompts(), Model("m"), answered)
        assert isinstance(outcome, Proposal)
        proposal = outcome
    seen = Coverage(home_read=True, found=2, fetched=2, read=2, started=NOW, finished=NOW)
    concluded = conclude(
        proposal, criterion=asked, pages=by_sha, coverage=seen, criteria_sha256="c" * 64, judged_at=NOW
    )
    return Heard(concluded, tuple(bodies), shown)


@cache
def _criteria() -> Any:
    return criteria.load("dx-2024")


@cache
def _prompts() -> Any:
    return load(ROOT / "prompts" / "judge-v1.yaml")
