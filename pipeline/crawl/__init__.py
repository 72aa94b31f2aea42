"""The crawl: from a home page to archived answers, gently, best first, resumable after kill -9."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.crawl.chromium import lacking
from pipeline.crawl.plan import Plan, Progress, cause_of

if TYPE_CHECKING:
    from pipeline.archive import Archive
    from pipeline.models import Coverage, SocialAccount, Speed

__all__ = ["Plan", "Progress", "cause_of", "crawl", "display_speed", "follow", "lacking"]


async def crawl(
    plan: Plan,
    *,
    archive: Archive,
    code: str,
    run_id: str,
    frontier_path: Path,
    progress: Callable[[Progress], None],
    earlier: Sequence[str] = (),
) -> Coverage:
    """Archive what the plan names and report what was seen and what was not.

    frontier_path: SQLite file with all that is known of the crawl. After kill -9 or a cancellation the same call goes
    on from it; after a finished crawl it returns the same coverage without a request. earlier: runs whose pages are
    asked for conditionally; an unchanged one is archived as a revisit. Raises ArchiveError where an answer cannot be
    archived.
    """
    from pipeline.crawl.crawler import Crawler  # loads the HTTP client, which `--help` can do without

    async with Crawler(
        plan, archive=archive, code=code, run_id=run_id, frontier_path=frontier_path, progress=progress, earlier=earlier
    ) as crawler:
        return await crawler.run()


async def follow(
    accounts: Sequence[SocialAccount],
    plan: Plan,
    *,
    archive: Archive,
    code: str,
    run_id: str,
    done: Collection[str],
    progress: Callable[[int, int, str], None],
) -> None:
    """Ask official accounts for the dates of their posts and archive what they answer. See crawl/social.py."""
    from pipeline.crawl import social

    await social.follow(accounts, plan, archive=archive, code=code, run_id=run_id, done=done, progress=progress)


async def display_speed(plan: Plan, *, progress: Callable[[int, int, str], None]) -> Speed:
    """How fast the home page is displayed, measured in a browser; without one, why it was not."""
    from pipeline.models import Speed

    if missing := lacking(plan.chromium):
        return Speed(url=plan.home_url, refused=missing)
    from pipeline.crawl.speed import measure  # the browser's library is an extra, and slow to load

    return await measure(plan, progress=progress)
