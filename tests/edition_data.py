"""Workspaces with invented towns, surveyed: real archive, real extraction, real log; decided as a test wants it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from queue_data import criteria, run

from pipeline.archive import Archive
from pipeline.editions import Edition, Shelf, Sources, Wish, publish
from pipeline.extract import extract
from pipeline.models import Action, Coverage, Judgement, Match, Municipality, Page, QueueItem, Quote, Verdict
from pipeline.municipality import unregistered
from pipeline.review import queue
from pipeline.store.store import Store
from pipeline.workspace import Workspace

AT = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
DECIDED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LATER = datetime(2027, 2, 1, 1, 0, tzinfo=UTC)
CRITERIA = criteria()
SAID = {one.id: f"{one.id} について、本市は令和8年4月から取り組みを始めています。" for one in CRITERIA.criteria}
# name, kana, prefecture, how many of the nine criteria are met
TOWNS = (
    ("白浜原市", "しらはまばらし", "遠海県", 7),
    ("汐見ヶ丘町", "しおみがおかちょう", "遠海県", 4),
    ("大浦戸市", "おおうらとし", "遠海県", 7),
    ("千鳥沢村", "ちどりざわむら", "架空県", 2),
    ("府津見市", "ふつみし", "架空県", 9),
    ("十条野町", "じゅうじょうのまち", "架空県", 0),
)


def place(name: str = "白浜原市", kana: str = "しらはまばらし", prefecture: str = "遠海県") -> Municipality:
    home = "https://www.town.example/"
    return unregistered(name, home).model_copy(update={"kana": kana, "prefecture": prefecture})


@contextmanager
def opened(home: Path, database: str = "") -> Iterator[tuple[Sources, Shelf]]:
    workspace = Workspace(home)
    with Store(database or f"sqlite:///{home / 'akashi.db'}") as store, Archive(workspace.archive) as archive:
        yield Sources(store, workspace, archive), Shelf(workspace.editions)


def surveyed(sources: Sources, town: Municipality, met: int = 9, run_id: str = "20261115T000000Z") -> list[QueueItem]:
    """A finished run whose one page says what the first `met` criteria ask."""
    told = "".join(f"<p>{text}</p>" for text in list(SAID.values())[:met])
    head = f"<!DOCTYPE html><html lang=ja><meta charset=utf-8><title>{town.name}</title>"
    body = f"{head}<main>{told}<p>窓口は庁舎の一階です。</p></main>"
    at, run_id = datetime(2026, 11, 15, tzinfo=UTC), f"{run_id}-{town.code}"
    url = town.home_url or ""
    snapshot = sources.archive.write(
        code=town.code, run_id=run_id, url=url, final_url=url, fetched_at=at, status=200,
        headers=[("Content-Type", "text/html; charset=utf-8")], body=body.encode(),
    )  # fmt: skip
    page = extract(snapshot, body.encode())
    assert isinstance(page, Page)
    coverage = Coverage(home_read=True, found=1, fetched=1, read=1, started=at, finished=at + timedelta(minutes=5))
    sources.workspace.keep(CRITERIA)
    made = run(run_id, town, started=at, finished=at + timedelta(minutes=6), coverage=coverage)
    sources.store.save_run(made)
    sources.store.save_judgements(made, [judged(page, one.id) for one in CRITERIA.criteria])
    return sources.store.items(run_id)


def judged(page: Page, criterion: str) -> Judgement:
    start = page.text.find(SAID[criterion])
    quotes = () if start < 0 else (cited(page, start, start + len(SAID[criterion])),)
    return Judgement(
        criterion=criterion, verdict=Verdict.MET if quotes else Verdict.NO_EVIDENCE, quotes=quotes, confidence=0.9,
        judge="rules", criteria_sha256=CRITERIA.sha256, judged_at=DECIDED, searched=(page.url,),
    )  # fmt: skip


def cited(page: Page, start: int, end: int) -> Quote:
    text = page.text[start:end]
    return Quote(page_sha256=page.sha256, url=page.url, start=start, end=end, text=text, match=Match.EXACT)


def decide(sources: Sources, one: QueueItem, action: Action, *, note: str = "", verdict: Verdict | None = None,
           now: datetime = LATER) -> None:  # fmt: skip
    fresh = sources.store.item(one.number)
    if action is Action.APPROVE:
        line = queue.approve(fresh, reviewer="青木", now=now, note=note)
    elif action is Action.UNDO:
        line = queue.undo(fresh, reviewer="青木", now=now, note=note)
    elif action is Action.NOTE:
        line = queue.remark(fresh, reviewer="青木", now=now, note=note)
    else:
        line = queue.amend(
            fresh, reviewer="青木", now=now, note=note, verdict=verdict or Verdict.NO_EVIDENCE, quotes=()
        )
    sources.store.record(line)


def approved(sources: Sources, items: Sequence[QueueItem]) -> None:
    """Confirms those on which nobody has decided."""
    for one in items:
        if not sources.store.item(one.number).decisions:
            decide(sources, one, Action.APPROVE, now=DECIDED)


def wish(name: str = "dx-2026", **changes: object) -> Wish:
    values: dict[str, object] = {"name": name, "title": "2026年版", "at": AT, "criteria_id": "test"}
    return Wish(**(values | changes))  # type: ignore[arg-type]


def published(home: Path, name: str = "dx-2026", **changes: object) -> Edition:
    """An edition of one town with all nine criteria met and confirmed."""
    shutil.copytree(_decided(), home, dirs_exist_ok=True)
    with opened(home) as (sources, shelf):
        return publish(wish(name, **changes), sources, shelf)


@cache
def _decided() -> Path:
    """A workspace in which one town is surveyed and decided, made once a process."""
    kept = tempfile.TemporaryDirectory(prefix="akashi-decided-")
    atexit.register(kept.cleanup)
    with opened(Path(kept.name)) as (sources, _):
        approved(sources, surveyed(sources, place()))
    return Path(kept.name)


def many(home: Path) -> None:
    """Two editions of all TOWNS; in the newer one the first town is corrected twice, and the last waits."""
    with opened(home) as (sources, shelf):
        items = {}
        for name, kana, prefecture, met in TOWNS:
            items[name] = surveyed(sources, place(name, kana, prefecture), met)
            approved(sources, items[name][: 8 if name == "十条野町" else 9])
        publish(
            wish("dx-2025", title="2025年版（試行）", at=AT - timedelta(days=300), with_unconfirmed=True),
            sources,
            shelf,
        )
        publish(wish(with_unconfirmed=True), sources, shelf)
        first = items["白浜原市"][0]
        decide(sources, first, Action.UNDO)
        decide(sources, first, Action.AMEND, note="引用は廃止された制度のページだった")
        from pipeline.editions import issue

        issue("dx-2026", sources, shelf, at=LATER)
        decide(sources, items["白浜原市"][1], Action.UNDO, note="担当課の申し出により確認をやり直す")
        issue("dx-2026", sources, shelf, at=LATER + timedelta(days=9))
