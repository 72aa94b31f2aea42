"""Whether the judge's evidence is the labeller's: the same page, and words in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from evals.labels import Evidence, LabelVerdict
from evals.metrics import Share
from evals.nouns import Case
from pipeline.text import fold

# Share of the shorter quote's character pairs that the other must hold; a whole sentence against its half passes.
OVERLAP = 0.6
_WITH_EVIDENCE = (LabelVerdict.MET, LabelVerdict.NOT_MET)


@dataclass(frozen=True)
class QuoteAgreement:
    """Of the cases whose verdict agrees and rests on evidence: gold_page: a quote stands on a page that the label
    names; overlap: on such a page and with the label's words (or its link)."""

    gold_page: Share
    overlap: Share


def quote_agreement(cases: Sequence[Case]) -> QuoteAgreement:
    """Labels name the passages that one reader found best: another true passage counts as a difference here."""
    asked = [case for case in cases if case.agrees and case.gold in _WITH_EVIDENCE and case.evidence]
    why = "no agreed verdict rests on evidence"
    return QuoteAgreement(
        Share(sum(on_gold_page(case) for case in asked), len(asked), why),
        Share(sum(overlaps(case) for case in asked), len(asked), why),
    )


def on_gold_page(case: Case) -> bool:
    """Whether any quote stands on a page that the label names."""
    wanted = {_page(one.path) for one in case.evidence}
    return any(_page(one.path) in wanted for one in case.quotes)


def overlaps(case: Case) -> bool:
    """Whether any quote has the words or the link of a labelled passage on its page."""
    return any(_alike(gold, said) for gold in case.evidence for said in case.quotes)


def _alike(gold: Evidence, said: Evidence) -> bool:
    if _page(gold.path) != _page(said.path):
        return False
    if gold.href and gold.href == said.href:
        return True
    one, other = fold(gold.quote), fold(said.quote)
    if one == other:
        return True  # a cell of one mark; or a measurement, whose page is all there is
    short, long = sorted((_pairs(one), _pairs(other)), key=len)
    return bool(short) and len(short & long) >= OVERLAP * len(short)


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}


def _page(path: str) -> str:
    """An address without the name that servers leave off."""
    return unquote(path).removesuffix("index.html")
