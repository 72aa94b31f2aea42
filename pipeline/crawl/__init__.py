"""The crawl: from a home page to archived answers, gently, best first, resumable after kill -9."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.crawl.chromium import lacking
from pipeline.crawl.gate import Gate
from pipeline.crawl.pace import Pace, Web
from pipeline.crawl.plan import Plan, Progress, cause_of

if TYPE_CHECKING:
    from pipeline.archive import Archive
    from pipeline.models import Coverage, SocialAccount, Speed

__all__ = [
    "Gate",
    "Pace",
    "Plan",
    "Progress",
    "Web",
    "cause_of",
    "crawl",
    "display_speed",
    "follow",
    "lacking",
]


async def crawl(
    plan: Plan,
    *,
    archive: Archive,
    code: str,
    run_id: str,
    frontier_path: Path,
    progress: Callable[[Progress], None],
    earlier: Sequence[str] = (),
    web: Web | None = None,
) -> Coverage:
    """Archive what the plan names and report what was seen and what was not.

    frontier_path: SQLite file with all that is known of the crawl. After kill -9 or a cancellation the same call goes
    on from it; after a finished crawl it returns the same coverage without a request. The file may be lost or old: what
    the run has archived is not asked again, so the crawl goes on from the archive alone. earlier: runs whose pages are
    asked for conditionally; an unchanged one is archived as a revisit. web: what it shares with other crawls, None for
    a pace of its own. Raises ArchiveError where an answer cannot be archived, LostError where the web's gate does.
    """
    from pipeline.crawl.crawler import Crawler  # loads the HTTP client, which `--help` can do without

    async with Crawler(
        plan,
        archive=archive,
        code=code,
        run_id=run_id,
        frontier_path=frontier_path,
        progress=progress,
        earlier=earlier,
        web=web,
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
    web: Web | None = None,
) -> None:
    """Ask official accounts for the dates of their posts and archive what they answer. See crawl/social.py."""
    from pipeline.crawl import social

    await social.follow(
        accounts, plan, archive=archive, code=code, run_id=run_id, done=done, progress=progress, web=web
    )


async def display_speed(plan: Plan, *, progress: Callable[[int, int, str], None], web: Web | None = None) -> Speed:
    """How fast the home page is displayed, measured in a browser; without one, why it was not."""
    from pipeline.models import Speed

    if missing := lacking(plan.chromium):
        return Speed(url=plan.home_url, refused=missing)
    from pipeline.crawl.speed import measure  # the browser's library is an extra, and slow to load

    return await measure(plan, progress=progress, web=web)
