"""A small city, a panel of one model behind a scripted server, and one run of the judges over it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests_support import page_of

from pipeline import demo
from pipeline.cache import Answers
from pipeline.criteria import load as load_criteria
from pipeline.judge.ask import Question
from pipeline.judge.budget import Price
from pipeline.judge.client import Endpoint
from pipeline.judge.dialogue import Model
from pipeline.judge.prompt import load as load_prompts
from pipeline.judging import Judged, Matter, judge
from pipeline.models import Coverage, CriteriaSet, Page, PromptSet
from pipeline.panel import Panel, prompt_file
from pipeline.reading import Read

CRITERIA = load_criteria("dx-2024")
PROMPTS = load_prompts(prompt_file("judge-v1"))
FREE = Price(input=Decimal(0), output=Decimal(0))
OUTPUT_LIMIT = 500

ROBOT = "市税の還付処理にRPAを導入し、年間三百時間の作業を減らしました。"
SEAT = "令和六年四月から本庁舎の三階でフリーアドレスを実施しています。"
PAGES = (
    page_of("# 業務の自動化", ROBOT, "詳しくは行政改革課までお尋ねください。", url="https://city.example/rpa.html"),
    page_of("# RPAのお知らせ", SEAT, "RPAの職員研修は中止しました。", url="https://city.example/seat.html"),
)


def criteria(*ids: str) -> CriteriaSet:
    """The shipped criteria of those ids."""
    chosen = tuple(one for one in CRITERIA.criteria if one.id in ids)
    return CRITERIA.model_copy(update={"criteria": chosen})


def matter(pages: Sequence[Page] = PAGES, ids: Sequence[str] = ("ops-08",), **more: Any) -> Matter:
    """What is judged: those pages by those criteria."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    coverage = Coverage(
        home_read=True, found=len(pages), fetched=len(pages), read=len(pages), started=now, finished=now
    )
    seen = Read({page.sha256: page for page in pages}, (), coverage)
    usual = {"municipality": demo.MUNICIPALITY, "criteria": criteria(*ids), "as_of": date(2026, 11, 20), "seen": seen}
    return Matter(**(usual | more))


def question(
    base_url: str,
    *,
    votes: int = 1,
    price: Price = FREE,
    prompts: PromptSet = PROMPTS,
    name: str = "scripted",
    **parameters: Any,
) -> Question:
    """How the scripted model is asked."""
    usual = {"max_tokens": OUTPUT_LIMIT, "temperature": 0} | parameters
    return Question(prompts, Model(name, base_url, tuple(sorted(usual.items()))), price, votes)


def panel(
    asked: Question,
    *,
    lanes: int = 8,
    cap: Decimal | None = None,
    timeout_s: float = 20.0,
    judges: tuple[str, ...] = (),
) -> Panel:
    """A panel of that one model, or of `judges` with it among them."""
    endpoint = Endpoint(asked.model.base_url, "sk-test", timeout_s)
    name = asked.model.name
    return Panel(judges or (name,), "as the test says", {name: asked}, endpoint, lanes, cap)


def run(of: Matter, by: Panel, folder: Path) -> Judged:
    """One run of the judges with the cache in that folder."""
    with Answers(folder / "answers") as answers:
        return judge(of, by, answers, lambda *_: None)
