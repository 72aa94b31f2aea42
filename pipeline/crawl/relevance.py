"""How much an address promises for the criteria, from the words around its link."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

# Weights of the places where a term may stand, the link's label being 1.
HEADING, ADDRESS, PARENT = 0.4, 0.4, 0.3
# A link that serves several criteria counts its second for 0.4, its third for 0.16 and so on.
NEXT_CRITERION = 0.4
DEPTH_DECAY = 0.95
# What an address without any term is worth: less than any term, and less with each step from the home page.
BASE, BASE_DECAY = 0.06, 0.8
PDF_BASE = 0.5
_LONGEST_TEXT = 300

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Promise:
    """score: of the address, higher first; criterion: id that it promises most for, or empty."""

    score: float
    criterion: str = ""


class Relevance:
    """Scores texts against the search terms of all criteria."""

    def __init__(self, terms: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._terms = _by_two_characters(terms)
        self.of = lru_cache(maxsize=50_000)(self._of)

    def _of(self, text: str) -> Weights:
        """Criterion id to the weight, 0 to 1, of its best term in the text."""
        folded = _fold(text[:_LONGEST_TEXT])
        found: dict[str, float] = {}
        for at in range(len(folded)):
            for length in (2, 1):
                for term, weights in self._terms.get(folded[at : at + length], ()):
                    if folded.startswith(term, at) and _stands_alone(folded, at, term):
                        _raise(found, weights, 1.0)
        return found

    def promise(self, *, label: str, heading: str, url: str, depth: int, parent: Weights) -> Promise:
        """What a link promises. parent: weights of the page it stands on, which count where its label says nothing."""
        found: dict[str, float] = {}
        own = self.of(label)
        for weights, factor in ((own, 1.0), (self.of(heading), HEADING), (self.of(spoken(url)), ADDRESS)):
            for criterion, weight in weights.items():
                found[criterion] = found.get(criterion, 0.0) + weight * factor
        if not own:
            _raise(found, parent, PARENT)
        base = BASE * BASE_DECAY**depth * (PDF_BASE if url.lower().endswith(".pdf") else 1.0)
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        score = sum(weight * NEXT_CRITERION**rank for rank, (_, weight) in enumerate(ranked[:5]))
        return Promise(score * DEPTH_DECAY**depth + base, ranked[0][0] if ranked else "")


@lru_cache(maxsize=20_000)
def spoken(url: str) -> str:
    """The words of an address: path and query, percent-decoded."""
    return re.sub(r"[/_.?&=-]+", " ", unquote(url.partition("://")[2].partition("/")[2], errors="replace"))


def _raise(found: dict[str, float], weights: Weights, factor: float) -> None:
    for criterion, weight in weights.items():
        found[criterion] = max(found.get(criterion, 0.0), weight * factor)


def _by_two_characters(
    terms: Iterable[tuple[str, tuple[str, ...]]],
) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """Terms under their first two characters. A term that many criteria share says less about each of them."""
    criteria: dict[str, set[str]] = defaultdict(set)
    for criterion, words in terms:
        for word in words:
            criteria[_fold(word)].add(criterion)
    index: dict[str, list[tuple[str, dict[str, float]]]] = defaultdict(list)
    for term, ids in criteria.items():
        if term:
            index[term[:2]].append((term, dict.fromkeys(sorted(ids), _length_weight(term) / len(ids) ** 0.5)))
    return index


def _length_weight(term: str) -> float:
    """Short terms say less: four Japanese characters or four Latin letters are a whole word."""
    return min(1.0, (0.5 if term.isascii() else 0.25) + 0.25 * (len(term) - 1) if len(term) > 1 else 0.25)


def _stands_alone(text: str, at: int, term: str) -> bool:
    """A Latin term must not stand within a longer Latin word: no AI in mail."""
    before, after = text[at - 1 : at], text[at + len(term) : at + len(term) + 1]
    inside = (_latin(before) and _latin(term[0])) or (_latin(after) and _latin(term[-1]))
    return not inside


def _latin(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
