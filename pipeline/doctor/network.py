"""The network as the crawl uses it: names, TLS, the clock, proxies, and what a city's robots.txt allows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from pipeline.crawl import Plan
from pipeline.crawl.fetch import Answer
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.scope import is_likely_home
from pipeline.crawl.visit import Visitor
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient
from pipeline.models import Cause, Municipality
from pipeline.urls import canonical, host_port

# TLS certificates and the dates of pages are judged by this machine's clock.
MOST_CLOCK_OFF = timedelta(minutes=5)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_ADVICE = {
    Cause.DNS: "is the name right, and does this machine have a name server? --offline skips the network",
    Cause.CONNECT: "is there a firewall? The crawl connects directly to ports 80 and 443 and uses no proxy",
    Cause.TLS: "is the clock right, and is a proxy opening TLS? Its certificate must be among the system's",
    Cause.TIMEOUT: "is there a firewall, or a slow line? See CLASSIFY_DEADLINE_S",
    Cause.ADDRESS: "the crawl opens public addresses only; --allow-private opens the one that was typed",
}
_ELSEWHERE = "a survey tries a few other addresses; else give it --url"
_CITY_ADVICE = {
    Cause.ROBOTS: "the site forbids it: ask its owner, or judge from files of your own (--site, --warc)",
    Cause.ROBOTS_UNREACHABLE: "nothing is fetched while robots.txt cannot be read (RFC 9309): try later",
}


def reach(patient: Patient) -> Iterator[Finding]:
    """One address as the crawl asks it, and the clock of the server that answers."""
    url = canonical(patient.url)
    if url is None:
        yield Finding(check="network", state=State.FAIL, found=f"{patient.url} is no address", advice="see --url")
        return
    began = time.monotonic()
    try:
        answer = asyncio.run(_visited(url, patient, lambda _: None))[0]
    except UnfetchedError as error:
        told = f"{url}: {error.cause}: {error.detail}"
        advice = _ADVICE.get(error.cause, "try another address with --url")
        state = State.WARN if error.cause is Cause.ROBOTS else State.FAIL
        yield Finding(check="network", state=state, found=told, advice=advice)
        return
    took = time.monotonic() - began
    state = State.OK if answer.status < 400 else State.WARN
    yield Finding(check="network", state=state, found=f"{answer.url}: status {answer.status} in {took:.1f} s")
    yield _clock(answer)


async def _visited(url: str, patient: Patient, enter: Callable[[str], None]) -> tuple[Answer, float]:
    """The answer to a canonical address as the crawl gets it, and the pause that its robots.txt asks for, seconds."""
    settings = patient.settings
    plan = Plan(
        url,
        delay_s=settings.delay_s,
        deadline_s=settings.deadline_s,
        max_bytes=settings.max_bytes,
        user_agent=settings.user_agent,
        allow_private=(urlsplit(url).netloc,) if patient.allow_private else (),
    )
    visitor = Visitor(plan)
    try:
        visit = await visitor.visit(url, wanted=lambda _: True, enter=enter)
        return visit.answer, visitor.robots.known(visit.answer.url).crawl_delay(visitor.robots.agent)
    finally:
        await visitor.close()


def _clock(answer: Answer) -> Finding:
    try:
        server = parsedate_to_datetime(answer.header("date"))
        off = answer.fetched_at - (server if server.tzinfo else server.replace(tzinfo=UTC))
    except (ValueError, TypeError):
        return Finding(check="clock", state=State.UNSET, found="the server told no time to compare with")
    seconds = off.total_seconds()
    if abs(off) > MOST_CLOCK_OFF:
        found = f"{abs(seconds) / 60:.0f} min {'ahead of' if seconds > 0 else 'behind'} the server's"
        return Finding(check="clock", state=State.WARN, found=found, advice="set the clock (NTP)")
    return Finding(check="clock", state=State.OK, found=f"{abs(seconds):.0f} s off the server's")


def proxies(patient: Patient) -> Iterator[Finding]:
    named = [name for name in _PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    if named:
        advice = (
            "the registry and the model are asked through it; the crawl connects directly to the addresses it checked"
        )
        yield Finding(check="proxy", state=State.WARN, found=f"{', '.join(named)} is set", advice=advice)
    else:
        yield Finding(check="proxy", state=State.OK, found="none is set")


def city(patient: Patient) -> Iterator[Finding]:
    """The city's home page: whether robots.txt lets us in, and how long its pace makes a whole survey."""
    place = patient.city
    if place is None:
        advice = "--city NAME asks whether a city's site lets the crawl in, and how fast"
        yield Finding(check="robots.txt", state=State.UNSET, found="no city was named", advice=advice)
        return
    home = canonical(place.home_url or "")
    if home is None:
        advice = "a survey of it needs --url"
        found = f"{place.name}: the registry names no home page"
        yield Finding(check="robots.txt", state=State.WARN, found=found, advice=advice)
        return

    def enter(hop: str) -> None:
        if not is_likely_home(hop, home):
            raise UnfetchedError(Cause.REDIRECT, f"it redirects to {hop}")

    try:
        answer, asked_for = asyncio.run(_visited(home, patient, enter))
    except UnfetchedError as error:
        found = f"{place.name}, {home}: {error.cause}: {error.detail}"
        advice = _CITY_ADVICE.get(error.cause, _ADVICE.get(error.cause, _ELSEWHERE))
        yield Finding(check="robots.txt", state=State.FAIL, found=found, advice=advice)
        return
    yield _admitted(place, home, answer, asked_for, patient)


def _admitted(place: Municipality, home: str, answer: Answer, asked_for: float, patient: Patient) -> Finding:
    own, pages = patient.settings.delay_s, patient.settings.max_pages
    pause, why = max(own, asked_for), f"its Crawl-delay of {asked_for:g} s" if asked_for > own else "our own pace"
    found = (
        f"{place.name}, {answer.url}: status {answer.status}, robots.txt lets us in; "
        f"{pages} pages at {pause:g} s ({why}) take {pages * pause / 60:.0f} min or more"
    )
    if answer.status != 200:
        return Finding(check="robots.txt", state=State.WARN, found=found, advice=_ELSEWHERE)
    moved = host_port(answer.url)[0] != host_port(home)[0]
    advice = f"the registry says {home}; a survey follows by itself" if moved else ""
    return Finding(check="robots.txt", state=State.OK, found=found, advice=advice)


CHECKS = (("network", reach), ("proxy", proxies), ("robots.txt", city))
