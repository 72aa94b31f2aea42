"""How much an address promises for the criteria, from the words around its link; how clearly a page speaks of them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from urllib.parse import unquote

# Weights of the places where a term may stand, the link's label being 1.
HEADING, ADDRESS, PARENT, ATTACHED = 0.4, 0.4, 0.15, 0.5
# What the site's own search finds for a criterion's term speaks of it, somewhere.
SOUGHT = 0.6
# A word behind which the proof tends to stand, against one that names it.
LEAD = 0.9
# A link that serves several criteria counts its second for 0.4, its third for 0.16 and so on.
NEXT_CRITERION = 0.4
DEPTH_DECAY = 0.95
# What an address without any term is worth: less than any term, and less with each step from the home page.
BASE, BASE_DECAY = 0.06, 0.8
# One without even a label (from a sitemap) waits until some page names it.
UNNAMED = 0.2
PDF_BASE = 0.5
# A page speaks clearly of a criterion when it names this many of its terms (their weights summed).
CLEAR_TERMS = 2.0
# A link that names only a year longer ago speaks of what was.
STALE_YEARS, STALE = 3, 0.4
_LONGEST_TEXT, _LONGEST_PAGE = 300, 4000
_FIGURES = re.compile(r"\d+|[(\[<「].*?[)\]>」]|令和|平成|昭和|元年")
# Attached files that are filled in, handed out or looked at, and prove nothing.
_FORMS = re.compile(
    "申請書|申込書|届出?書|様式|委任状|記入例|記載例|ちらし|チラシ|ポスター|地図|案内図|配置図|位置図|カレンダー"
)
FORM = 0.3
_YEAR = re.compile(r"(?<![\d第])(20[0-4]\d)(?=年|[/_.)）\s-]|$)|(令和|平成|(?<![a-z])[rh])\s*(元|\d{1,2})(?!\d)", re.I)
_ERAS = {"令和": 2018, "r": 2018, "平成": 1988, "h": 1988}

Terms = Iterable[tuple[str, Sequence[str]]]
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Promise:
    """weights: criterion id to what the address promises for it, best first; base: worth without any; word: the term of
    the label that promises most; form: the label without figures and what stands in brackets."""

    weights: tuple[tuple[str, float], ...] = ()
    base: float = 0.0
    word: str = ""
    form: str = ""

    @property
    def score(self) -> float:
        return self.base + sum(weight for _, weight in self.weights)


class Relevance:
    """Scores texts against the search terms and leads of all criteria. year: that the survey speaks about, or 0."""

    def __init__(self, terms: Terms, leads: Terms = (), year: int = 0) -> None:
        terms = tuple(terms)
        self.first_terms = {criterion: words[0] for criterion, words in terms if words}
        self._terms = _by_two_characters(terms, 1.0)
        self._leads = _by_two_characters(leads, LEAD)
        self._year = year
        self.of = lru_cache(maxsize=50_000)(self._of)
        self.leads_of = lru_cache(maxsize=50_000)(self._leads_of)
        self.word_of = lru_cache(maxsize=50_000)(self._word_of)

    def _of(self, text: str) -> Weights:
        """Criterion id to the weight, 0 to 1, of its best term in the text."""
        return _best(self._terms, _fold(text[:_LONGEST_TEXT]))

    def _leads_of(self, text: str) -> Weights:
        """Criterion id to the weight of its best term or lead in the text."""
        folded = _fold(text[:_LONGEST_TEXT])
        found = dict(_best(self._leads, folded))
        _raise(found, _best(self._terms, folded), 1.0)
        return found

    def speaks_of(self, text: str, label: str) -> Weights:
        """Criterion id to how clearly a page's own text speaks of it, 0 to 1, by terms that the label of its link had
        not named already: those prove the link right, and nothing else."""
        known = _found(self._terms, _fold(label[:_LONGEST_TEXT]))
        named: dict[str, float] = defaultdict(float)
        for term, weights in _found(self._terms, _fold(text[:_LONGEST_PAGE])).items():
            for criterion, weight in weights.items():
                named[criterion] += 0.0 if term in known else weight
        return {criterion: min(1.0, weight / CLEAR_TERMS) for criterion, weight in named.items() if weight}

    def promise(
        self, *, label: str, heading: str, url: str, depth: int, parent: Weights, sought: bool = False
    ) -> Promise:
        """What a link promises. parent: weights of the page it stands on, which count where its label says nothing, or
        where that page is what the site's own search found for them (`sought`)."""
        found: dict[str, float] = {}
        own = self.leads_of(label)
        for weights, factor in ((own, 1.0), (self.of(heading), HEADING), (self.of(spoken(url)), ADDRESS)):
            for criterion, weight in weights.items():
                found[criterion] = found.get(criterion, 0.0) + weight * factor
        attached = url.lower().endswith(".pdf")
        if sought or not own:
            _raise(found, parent, SOUGHT if sought else ATTACHED if attached else PARENT)
        factor = DEPTH_DECAY**depth * self._freshness(label + " " + url)
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:4]
        base = BASE * BASE_DECAY**depth * (1.0 if label else UNNAMED)
        if attached:
            base *= PDF_BASE
            factor *= FORM if _FORMS.search(label) else 1.0
        weighed = ((name, weight * NEXT_CRITERION**rank * factor) for rank, (name, weight) in enumerate(ranked))
        return Promise(tuple(weighed), base, self.word_of(label), "" if attached else form(label))

    def _word_of(self, label: str) -> str:
        """The term or lead of a label that says most."""
        folded = _fold(label[:_LONGEST_TEXT])
        found = {**_found(self._leads, folded), **_found(self._terms, folded)}
        return max(found, key=lambda term: (max(found[term].values()), term), default="")

    def _freshness(self, text: str) -> float:
        latest = max((_year(match) for match in _YEAR.finditer(text)), default=0)
        return STALE if 0 < latest < self._year - STALE_YEARS else 1.0


@lru_cache(maxsize=20_000)
def form(label: str) -> str:
    """What a label has in common with others of its kind: itself without figures, eras and what stands in brackets."""
    folded = _fold(label[:_LONGEST_TEXT])
    return _FIGURES.sub("", folded)[:40].strip() or folded and "#"


def _year(match: re.Match[str]) -> int:
    if match[1]:
        return int(match[1])
    return _ERAS[match[2].lower()] + (1 if match[3] == "元" else int(match[3]))


@lru_cache(maxsize=20_000)
def spoken(url: str) -> str:
    """The words of an address: path and query, percent-decoded."""
    return re.sub(r"[/_.?&=-]+", " ", unquote(url.partition("://")[2].partition("/")[2], errors="replace"))


def _found(index: dict[str, list[tuple[str, dict[str, float]]]], folded: str) -> dict[str, dict[str, float]]:
    """The terms that stand in a folded text, with their weights, in one order whatever the text's."""
    pairs = set(map(add, folded, folded[1:]))
    near = sorted(index.keys() & (pairs | set(folded)))
    known = (each for begin in near for each in index[begin])
    return {term: weights for term, weights in known if term in folded and _stands_alone(folded, term)}


def _best(index: dict[str, list[tuple[str, dict[str, float]]]], folded: str) -> dict[str, float]:
    best: dict[str, float] = {}
    for weights in _found(index, folded).values():
        _raise(best, weights, 1.0)
    return best


def _raise(found: dict[str, float], weights: Weights, factor: float) -> None:
    for criterion, weight in weights.items():
        found[criterion] = max(found.get(criterion, 0.0), weight * factor)


def _by_two_characters(terms: Terms, factor: float) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """Terms under their first two characters. A term that many criteria share says less about each of them."""
    criteria: dict[str, set[str]] = defaultdict(set)
    for criterion, words in terms:
        for word in words:
            criteria[_fold(word)].add(criterion)
    index: dict[str, list[tuple[str, dict[str, float]]]] = defaultdict(list)
    for term, ids in criteria.items():
        if term:
            weight = factor * _length_weight(term) / len(ids) ** 0.5
            index[term[:2]].append((term, dict.fromkeys(sorted(ids), weight)))
    return index


def _length_weight(term: str) -> float:
    """Short terms say less: four Japanese characters or four Latin letters are a whole word."""
    return min(1.0, (0.5 if term.isascii() else 0.25) + 0.25 * (len(term) - 1) if len(term) > 1 else 0.25)


def _stands_alone(text: str, term: str) -> bool:
    """Whether a term that is in the text stands somewhere not within a longer Latin word: no AI in mail."""
    if not (_latin(term[0]) or _latin(term[-1])):
        return True
    at = text.find(term)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(term) : at + len(term) + 1]
        if not ((_latin(before) and _latin(term[0])) or (_latin(after) and _latin(term[-1]))):
            return True
        at = text.find(term, at + 1)
    return False


def _latin(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
