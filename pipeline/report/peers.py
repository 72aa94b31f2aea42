"""Municipalities to compare with: how they meet what is missing here, and what they reach on average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pipeline.models import Confirmed, CriteriaSet, Municipality, Noun, Quote, Score, Source, Verdict
from pipeline.report.nouns import Comparison, Example, Mean
from pipeline.report.rows import evidence
from pipeline.report.speech import Speech

# A mean of fewer says more about one of them than about all.
FEWEST = 3
_MOST_EXAMPLES = 3


class Peer(Noun):
    """A comparable municipality and what people confirmed of it. At least one of same_class (of population) and
    same_prefecture holds."""

    municipality: Municipality
    score: Score
    same_class: bool
    same_prefecture: bool

    @property
    def distance(self) -> int:
        """0 for the same class in the same prefecture, 1 for the class alone, 2 for the prefecture alone."""
        return 0 if self.same_class and self.same_prefecture else 1 if self.same_class else 2


def comparison(peers: Sequence[Peer], criteria: CriteriaSet, say: Speech) -> Comparison:
    confirmed = [peer for peer in peers if peer.score.confirmed]
    whole = [peer.score for peer in confirmed if not peer.score.awaiting]
    means = tuple(
        Mean(viewpoint=one.id, points=sum(_points(score, one.id) for score in whole) / len(whole))
        for one in criteria.viewpoints
        if len(whole) >= FEWEST
    )
    return Comparison(text=_told(len(confirmed), len(whole), say), count=len(confirmed), whole=len(whole), means=means)


def _told(count: int, whole: int, say: Speech) -> str:
    if not count:
        return say("比べられる団体（人口区分または都道府県が同じで、確認済の項目がある団体）は、まだありません。")
    told = say("人口区分または都道府県が同じで、確認済の項目がある%(count)s団体と比べました。", count=count)
    if whole < FEWEST:
        rest = say("全項目が確認済の団体が%(fewest)s団体に満たないため、平均は示しません。", fewest=FEWEST)
    else:
        rest = say("平均は、全項目が確認済の%(whole)s団体のもので、「未観測」「未判定」の項目は0点です。", whole=whole)
    return say.told(told, rest)


def _points(score: Score, viewpoint: str) -> int:
    return next((one.confirmed for one in score.viewpoints if one.viewpoint == viewpoint), 0)


def share(peers: Iterable[Peer], criterion: str) -> tuple[int, int]:
    """How many of the peers have the criterion confirmed as met, and of how many that is known: where pages could not
    be read or judged, nobody knows whether it is met."""
    known = (Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE)
    confirmed = (one for peer in peers for one in peer.score.confirmed if one.criterion == criterion)
    verdicts = [one.verdict for one in confirmed if one.verdict in known]
    return sum(verdict is Verdict.MET for verdict in verdicts), len(verdicts)


def examples(peers: Iterable[Peer], criterion: str, say: Speech) -> tuple[Example, ...]:
    """How the nearest peers meet the criterion, by confirmed quotes of their own pages: same class and prefecture
    first, then class, then prefecture; newer pages first, then by code."""
    found = [(peer, quote) for peer in peers if (quote := _proof(peer.score.confirmed, criterion))]
    found.sort(key=lambda one: one[0].municipality.code)
    found.sort(key=lambda one: one[1].dated or date.min, reverse=True)
    found.sort(key=lambda one: one[0].distance)
    return tuple(
        Example(
            place=say.place(peer.municipality),
            relation=say(_RELATIONS[peer.distance]),
            evidence=evidence(quote, None, say),
        )
        for peer, quote in found[:_MOST_EXAMPLES]
    )


_RELATIONS = ("人口区分と都道府県が同じ", "人口区分が同じ", "都道府県が同じ")


def _proof(confirmed: Iterable[Confirmed], criterion: str) -> Quote | None:
    """The first quote of an official page behind a confirmed `met`."""
    for one in confirmed:
        if one.criterion == criterion and one.verdict is Verdict.MET:
            return next((quote for quote in one.quotes if quote.source is Source.OFFICIAL), None)
    return None
