"""Decisions typed in the terminal: the queue's rules applied to stored items, quotes through the verifier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.archive import Archive
from pipeline.errors import DecisionError
from pipeline.extract import extract
from pipeline.judge.grounding import verify
from pipeline.models import Claim, Decision, Page, QueueItem, Quote, Verdict
from pipeline.review import queue
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace

_RULES = {"approve": queue.approve, "reject": queue.reject, "undo": queue.undo}


def decide(
    settings: Settings, action: str, numbers: Sequence[int], *, reviewer: str, note: str
) -> list[tuple[int, Decision]]:
    """Decide several items; none is recorded unless all may be. Raises DecisionError."""
    now = datetime.now(UTC)
    with Store(settings.database_url) as store:
        items = [store.item(number) for number in dict.fromkeys(numbers)]
        decided = [(item.number, _RULES[action](item, reviewer=reviewer, now=now, note=note)) for item in items]
        for _, decision in decided:
            store.record(decision)
    return decided


def amended(
    settings: Settings,
    number: int,
    *,
    verdict: str,
    quotes: Sequence[str],
    page: str | None,
    reviewer: str,
    note: str,
) -> Decision:
    """Record another verdict or other evidence. Raises DecisionError where a quote stands on no archived page."""
    with Store(settings.database_url) as store, Archive(Workspace(settings.home).archive) as archive:
        item = store.item(number)
        found = tuple(_quote(text, _pages(item, page, archive)) for text in quotes)
        decision = queue.amend(
            item, verdict=_verdict(verdict), quotes=found, reviewer=reviewer, now=datetime.now(UTC), note=note
        )
        store.record(decision)
    return decision


def _verdict(word: str) -> Verdict:
    try:
        return Verdict(word)
    except ValueError:
        raise DecisionError(f"--verdict {word}: choose one of {', '.join(Verdict)}.") from None


def _pages(item: QueueItem, wanted: str | None, archive: Archive) -> dict[str, Page]:
    """The archived page asked for, else the pages that were quoted or searched for this judgement."""
    urls = {wanted} if wanted else {quote.url for quote in item.judgement.quotes} | set(item.judgement.searched)
    snapshots = [s for s in archive.snapshots(item.run_id) if s.status == 200 and urls & {s.url, s.final_url}]
    if wanted and not snapshots:
        raise DecisionError(
            f"--page {wanted}: not archived in run {item.run_id}. Give an address that the run has read."
        )
    read = (extract(snapshot, archive.body(snapshot.sha256)) for snapshot in snapshots)
    return {page.sha256: page for page in read if isinstance(page, Page)}


def _quote(text: str, pages: dict[str, Page]) -> Quote:
    grounded = verify(Claim(text=text), pages)
    if grounded.quote is None:
        hint = f" Nearest: 「{grounded.hint}」" if grounded.hint else " Name its page with --page."
        raise DecisionError(
            f"「{text}」 stands on none of the {len(pages)} pages looked at ({grounded.outcome}).{hint}"
        )
    return grounded.quote
