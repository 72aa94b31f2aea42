"""A home page that is not where it was: which other addresses are asked, which answer is taken, and what is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from pipeline.charset import decode
from pipeline.crawl.address import Address, State
from pipeline.crawl.fetch import Answer
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.guard import UnfetchedError
from pipeline.crawl.harvest import Reading
from pipeline.crawl.likeness import (
    carries_name,
    is_for_sale,
    leads_to,
    of_another_prefecture,
    says_prefecture,
    signs,
)
from pipeline.crawl.plan import cause_of
from pipeline.crawl.scope import Kind
from pipeline.models import Cause, Coverage, Home, Municipality, Unread
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.municipality.romaji import stems
from pipeline.urls import canonical, host_port, is_ip, site

MOST_CANDIDATES = 6
# The site may answer elsewhere. A server that forbids, or is down, is where it was.
_GONE = {Cause.DNS, Cause.CONNECT, Cause.TLS, Cause.TIMEOUT, Cause.REDIRECT, Cause.NOT_FOUND}
# A host that asks to be left alone (robots.txt unreachable) is not asked under another spelling.
_ELSEWHERE_ONLY = {Cause.DNS, Cause.ROBOTS_UNREACHABLE}
_PUBLIC = re.compile(r"^(?:www\d?\.)?(city|town|vill|village|pref|metro)\.([a-z0-9-]+)\.(?:[a-z]+\.)?jp$")
_KINDS = {
    "市": "city",
    "区": "city",
    "町": "town",
    "村": "vill",
    "県": "pref",
    "府": "pref",
    "道": "pref",
    "都": "metro",
}


def candidates(given: str, place: Municipality, cause: Cause) -> tuple[str, ...]:
    """Where else the home page at a canonical address may be, the likeliest first, at most six.

    Its host's root, the other of http and https, with or without `www.`; then the name of the municipality under the
    names that only public bodies hold: city.x.lg.jp, city.x.<prefecture>.jp, with town and vill alike.
    """
    if cause not in _GONE | {Cause.ROBOTS_UNREACHABLE}:
        return ()
    own = () if cause is Cause.ROBOTS_UNREACHABLE else tuple(_own(given, cause))
    found = (canonical(url) for url in (*own, *_public(given, place)))
    return tuple(islice(dict.fromkeys(url for url in found if url and url != given), MOST_CANDIDATES))


def _own(given: str, cause: Cause) -> Iterator[str]:
    """The same host otherwise spelt."""
    parts, host = urlsplit(given), host_port(given)[0]
    if cause not in _ELSEWHERE_ONLY:
        yield f"{parts.scheme}://{parts.netloc}/"
        yield parts._replace(scheme="http" if parts.scheme == "https" else "https").geturl()
    if not is_ip(host) and "." in host:
        other = parts.netloc.partition(".")[2] if site(given) != host else f"www.{parts.netloc}"
        yield f"https://{other}{parts.path}"


def _public(given: str, place: Municipality) -> Iterator[str]:
    """Names of the municipality that only a public body can hold. An IP address is no name to go by."""
    host = host_port(given)[0]
    if is_ip(host) or host == "localhost":
        return
    known = _PUBLIC.match(host)
    kind = known[1] if known else _KINDS.get(place.name[-1:], "")
    name = known[2] if known else _latin(place)
    if not (kind and name):
        return
    port = f":{urlsplit(given).port}" if urlsplit(given).port else ""
    region = "" if kind in ("pref", "metro") else f"{HOST_LABELS.get(place.prefecture, '')}."
    for ending in dict.fromkeys(("lg.jp", f"{region}jp".lstrip("."))):
        if not host.endswith(f"{kind}.{name}.{ending}"):
            yield from (f"{scheme}://www.{kind}.{name}.{ending}{port}/" for scheme in ("https", "http"))


def _latin(place: Municipality) -> str:
    """The name as hosts spell it: Hepburn, long vowels short."""
    spelt = stems(place)[:1] if place.kana else ()
    return re.sub("o[ou]+", "o", re.sub("uu+", "u", spelt[0])) if spelt else ""


class Homes:
    """The search for the home page of one crawl. What it knows is kept in the frontier's file. `missed` and `found`
    are called within the caller's step."""

    def __init__(self, place: Municipality | None, given: str, frontier: Frontier) -> None:
        self._place = place
        self._given = given
        self._frontier = frontier

    def extent(self) -> tuple[str, ...]:
        """The home page as far as it is known: as asked and as it answered."""
        homes = (self._frontier.fact("home") or self._given, self._frontier.fact("answered"))
        return tuple(home for home in homes if home)

    def missed(self, address: Address, cause: Cause, detail: str) -> None:
        """Notes that an address gave no home page, and offers the next to be asked."""
        if address.url == self._given:
            self._frontier.note("home_cause", cause)
            self._frontier.note("home_detail", detail[:300])
        else:  # nobody had promised that it exists
            self._frontier.finish(address, State.MISSING)
            told = Unread(url=address.url, cause=cause, detail=detail[:300]).model_dump_json()
            self._frontier.note("home_tried", "\n".join(filter(None, (self._frontier.fact("home_tried"), told))))
        if self._frontier.fact("answered") or self._place is None:
            return
        for url in candidates(self._given, self._place, Cause(self._frontier.fact("home_cause"))):
            if not self._frontier.knows(url):
                self._offer(url)
                return

    def _offer(self, url: str) -> None:
        # Without a label: it is no link's, and its words promise nothing.
        self._frontier.add(Address(url=url, kind=Kind.HOME, parent=self._given, fixed=100.0))

    def refusal(self, address: Address, answer: Answer, reading: Reading | None) -> UnfetchedError | None:
        """Why an answer is not taken for the home page, or None. What was given is always taken; what was tried must
        carry the name, and a guessed name must tell the municipality from its namesakes."""
        if address.url == self._given or self._place is None:
            return None
        if reading is None:
            empty = answer.status == 200
            return UnfetchedError(Cause.EMPTY if empty else cause_of(answer.status), f"status {answer.status}")
        place, called = self._place, _called(answer, reading)
        if is_for_sale(reading.page):
            return UnfetchedError(Cause.ADDRESS, "the name is for sale")
        if not carries_name(place, called) or of_another_prefecture(place, answer.url):
            return UnfetchedError(Cause.ADDRESS, f"it is not the home page of {place.prefecture}{place.name}")
        ours = site(answer.url) == site(self._given) or self._frontier.fact("pointed") == address.url
        if not ours and not says_prefecture(place, answer.url, reading.page, called):
            return UnfetchedError(Cause.ADDRESS, f"nothing on it says that it is {place.name} of {place.prefecture}")
        return None

    def found(self, address: Address, answer: Answer, reading: Reading) -> None:
        """Notes the home page; one that only points to another site offers that."""
        self._frontier.note("home", address.url)
        named = self._place is None or (
            carries_name(self._place, _called(answer, reading)) and not of_another_prefecture(self._place, answer.url)
        )
        self._frontier.note("home_unnamed", "" if named else "yes")
        pointed = leads_to(reading.page, answer.url) if address.url == self._given and self._place else None
        if pointed and not self._frontier.knows(pointed):
            self._frontier.note("pointed", pointed)
            self._frontier.note("home_detail", "it only points to another site")
            self._offer(pointed)

    def account(self, coverage: Coverage) -> Coverage:
        """The coverage of a crawl with how its home page was found; an address that only led there is not unread."""
        fact = self._frontier.fact
        if not self._given:
            return coverage
        tried = tuple(Unread.model_validate_json(line) for line in fact("home_tried").split("\n") if line)
        home = Home(
            given=self._given,
            asked=fact("home"),
            answered=fact("answered"),
            cause=Cause(fact("home_cause")) if fact("home_cause") else None,
            detail=fact("home_detail"),
            named=not fact("home_unnamed"),
            tried=tried,
        )
        elsewhere = home.asked not in ("", self._given)
        return coverage.model_copy(
            update={
                "home": home,
                "home_read": coverage.home_read or elsewhere,
                "found": max(coverage.found - len(tried), 0),
                "unread": tuple(one for one in coverage.unread if not (elsewhere and one.url == self._given)),
            }
        )


def _called(answer: Answer, reading: Reading) -> tuple[str, ...]:
    return signs(reading.page, decode(answer.body, answer.header("content-type")).text)
