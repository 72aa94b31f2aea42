"""The suite: judges over labelled sites, each site seen as a survey would see it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from evals.kept import filed
from evals.labels import Evidence, Label, Labelled, LabelVerdict
from evals.nouns import Case, EvalRun, How, SiteRun
from pipeline.cache import Answers
from pipeline.demo import serve
from pipeline.errors import InputError
from pipeline.judge.ask import Asked
from pipeline.judging import Matter, judge
from pipeline.models import CriteriaSet, Judgement, Quote, RunState
from pipeline.panel import Panel
from pipeline.reading import Watch
from pipeline.run import Order, matter_of, observe
from pipeline.settings import Settings
from pipeline.store.store import Store

_MAX_PAGES = 2000  # of a labelled site: all of it


@dataclass(frozen=True)
class Job:
    """One judge of a run: its name, and the panel that makes it the only judge."""

    judge: str
    panel: Panel


def run(
    labelled: Sequence[Labelled],
    jobs: Sequence[Job],
    criteria: CriteriaSet,
    *,
    how: How,
    settings: Settings,
    watch: Watch,
) -> list[EvalRun]:
    """A run for each judge, in the order given. Every site is seen once and judged by all.

    Raises InputError where a label names no criterion of the set or a site cannot be had as `how` says; ModelError as
    a survey does. Paid answers are kept in the cache: the same command continues.
    """
    for site in labelled:
        _fits(site, criteria)
    found: list[tuple[list[SiteRun], list[Case]]] = [([], []) for _ in jobs]
    spent = [Decimal(0)] * len(jobs)
    for site in labelled:
        with _matter(site, criteria, how, settings, watch) as (matter, base):
            for number, job in enumerate(jobs):
                begun = time.perf_counter()
                judgements, cost = _judged(matter, job.panel, spent[number], settings, watch)
                spent[number] += cost
                found[number][0].append(_site_run(site, matter, how, time.perf_counter() - begun))
                found[number][1].extend(_cases(site, judgements, criteria, base))
    return [_run(job, criteria, *found[number], float(spent[number])) for number, job in enumerate(jobs)]


def _fits(site: Labelled, criteria: CriteriaSet) -> None:
    known = {criterion.id for criterion in criteria.criteria}
    strange = sorted({label.criterion for label in site.labels} - known)
    if strange:
        raise InputError(
            f"{site.manifest.slug}: {', '.join(strange)}: no criterion of {criteria.id}. "
            "Correct the labels, or name their set with --criteria."
        )


@contextmanager
def _matter(
    site: Labelled, criteria: CriteriaSet, how: How, settings: Settings, watch: Watch
) -> Iterator[tuple[Matter, str]]:
    """What there is to judge of a site, and the address its paths hang from (empty where labels hold whole URLs)."""
    if site.site is None or how is How.ARCHIVED:
        yield _archived(site, criteria, settings, watch), ""
        return
    with tempfile.TemporaryDirectory(prefix="akashi-eval-") as home:
        own = settings.model_copy(update={"home": Path(home), "db": ""})
        order = Order(
            municipality=site.municipality,
            criteria=criteria,
            as_of=site.manifest.as_of,
            max_pages=_MAX_PAGES,
            delay_s=0.0,
            allow_private=True,
        )
        if how is How.FILES:
            yield observe(replace(order, origin=f"site:{site.site}"), settings=own, watch=watch), "http://site.invalid"
            return
        with serve(site.site) as url:
            city = site.municipality.model_copy(update={"home_url": url})
            yield observe(replace(order, municipality=city), settings=own, watch=watch), url.rstrip("/")


def _archived(site: Labelled, criteria: CriteriaSet, settings: Settings, watch: Watch) -> Matter:
    told = site.manifest
    with Store(settings.database_url) as store:
        kept = store.run(told.run) if told.run else store.latest_run(told.code, state=RunState.DONE)
    if kept is None:
        raise InputError(
            f"{told.slug}: {'' if site.site else 'no site/ folder beside its labels, and '}{told.name} ({told.code}) "
            f"{f'has no survey {told.run}' if told.run else 'is not surveyed'} in this workspace. "
            "Survey it with `classify --city`, or set CLASSIFY_HOME to the workspace that holds it."
        )
    if kept.municipality.code != told.code:
        raise InputError(
            f"{told.slug}: survey {told.run} is of {kept.municipality.name}. Correct `run` in its manifest."
        )
    return replace(matter_of(kept, settings, watch), criteria=criteria, as_of=told.as_of)


def _judged(
    matter: Matter, panel: Panel, spent: Decimal, settings: Settings, watch: Watch
) -> tuple[Sequence[Judgement], Decimal]:
    """Judgements, and what asking cost in US dollars. A cap holds for the judge's whole run, not for each site."""
    if panel.cap is not None:
        panel = replace(panel, cap=max(panel.cap - spent, Decimal(0)))
    with Answers(settings.cache / "answers") as answers:
        judged = judge(matter, panel, answers, watch)
    return judged.judgements, _cost(judged.asked)


def _cost(asked: Mapping[str, Asked]) -> Decimal:
    return sum((Decimal(str(one.usd)) for one in asked.values()), Decimal(0))


def _site_run(site: Labelled, matter: Matter, how: How, seconds: float) -> SiteRun:
    told, coverage = site.manifest, matter.seen.coverage
    return SiteRun(
        slug=told.slug,
        name=told.name,
        code=told.code,
        as_of=told.as_of,
        how=How.ARCHIVED if site.site is None else how,
        digest=site.digest,
        read=coverage.read,
        unread=len(coverage.unread),
        seconds=round(seconds, 3),
    )


def _cases(site: Labelled, judgements: Sequence[Judgement], criteria: CriteriaSet, base: str) -> Iterator[Case]:
    by_criterion = {one.criterion: one for one in judgements}
    for label in site.labels:
        if label.verdict is not LabelVerdict.SKIP:
            yield _case(site.manifest.slug, label, by_criterion[label.criterion], criteria, base)


def _case(slug: str, label: Label, said: Judgement, criteria: CriteriaSet, base: str) -> Case:
    measured = said.measurement
    read = [Evidence(path=_path(url, base), quote="") for url in measured.urls] if measured else []
    return Case(
        site=slug,
        criterion=label.criterion,
        viewpoint=criteria.criterion(label.criterion).viewpoint,
        gold=label.verdict,
        evidence=label.evidence,
        codes=label.codes,
        hard=label.hard,
        trap=label.trap,
        said=said.verdict,
        confidence=said.confidence,
        quotes=tuple(_evidence(quote, base) for quote in said.quotes) or tuple(read),
        flags=said.flags,
        rationale=said.rationale,
        votes=said.votes,
    )


def _evidence(quote: Quote, base: str) -> Evidence:
    return Evidence(path=_path(quote.url, base), quote=quote.text, href=quote.href)


def _path(url: str, base: str) -> str:
    """The address as labels write it: from the root of a served site, else whole."""
    if not base or not url.startswith(base):
        return url
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _run(job: Job, criteria: CriteriaSet, sites: Sequence[SiteRun], cases: Sequence[Case], cost: float) -> EvalRun:
    now = datetime.now(UTC)
    prompts = [question.prompts.sha256 for question in job.panel.questions.values()]
    return EvalRun(
        id=f"{now:%Y%m%dT%H%M%S%fZ}-{filed(job.judge)}",
        made=now,
        judge=job.judge,
        criteria_id=criteria.id,
        criteria_sha256=criteria.sha256,
        prompt_sha256=prompts[0] if prompts else None,
        cost_usd=cost,
        sites=tuple(sites),
        cases=tuple(cases),
    )
