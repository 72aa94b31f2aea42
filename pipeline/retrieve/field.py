"""Scoring texts against terms, looked up whole, and wordings, by BM25 over character pairs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.text import searchable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Field:
    """Texts that can be scored against terms (whole) and wordings (character pairs)."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self._texts = [searchable(text) for text in texts]
        self._mean = sum(map(len, self._texts)) / max(len(self._texts), 1)
        self._bm25: Any = None
        self._vocabulary: dict[str, int] = {}
        documents = [[self._number(pair) for pair in _pairs(text)] for text in self._texts]
        if self._vocabulary:
            self._bm25 = bm25s.BM25()
            self._bm25.index((documents, self._vocabulary), show_progress=False)

    def _number(self, pair: str) -> int:
        return self._vocabulary.setdefault(pair, len(self._vocabulary))

    def pairs(self, wording: str) -> NDArray[np.float64]:
        """BM25 of the wording's distinct character pairs, for each text."""
        import numpy as np

        known = sorted({self._vocabulary[pair] for pair in _pairs(searchable(wording)) if pair in self._vocabulary})
        scores = self._bm25.get_scores(known) if known else np.zeros(len(self._texts))
        return np.asarray(scores, dtype=np.float64)

    def terms(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """BM25 with each term, as a whole, for a word (k1 1.2, b 0.5), for each text."""
        import numpy as np

        scores = np.zeros(len(self._texts))
        for term in terms:
            counts = self._counts(term)
            rarity = math.log(1 + (len(self._texts) - len(counts) + 0.5) / (len(counts) + 0.5))
            for place, count in counts.items():
                length = 0.5 + 0.5 * len(self._texts[place]) / self._mean
                scores[place] += rarity * count * 2.2 / (count + 1.2 * length)
        return scores

    def _counts(self, term: str) -> dict[int, int]:
        found = {}
        pattern = _whole(term)
        for place in self._candidates(term):
            text = self._texts[place]
            count = (len(pattern.findall(text)) if pattern else text.count(term)) if term in text else 0
            if count:
                found[place] = count
        return found

    def _candidates(self, term: str) -> Sequence[int]:
        """Texts that hold the term's rarest pair; all of them for a single character."""
        pairs = _pairs(term)
        if not pairs:
            return range(len(self._texts))
        if any(pair not in self._vocabulary for pair in pairs):
            return ()
        matrix = self._bm25.scores
        starts, ends = min(
            ((matrix["indptr"][number], matrix["indptr"][number + 1]) for number in map(self._number, pairs)),
            key=lambda span: span[1] - span[0],
        )
        places: list[int] = sorted(matrix["indices"][starts:ends].tolist())
        return places


def _pairs(text: str) -> list[str]:
    return [pair for pair in map("".join, zip(text, text[1:], strict=False)) if pair.isalnum()]


def _whole(term: str) -> re.Pattern[str] | None:
    """A pattern for terms that begin or end in a Latin letter or figure, which must not be part of a longer word."""
    before = r"(?<![0-9a-z])" if term[0].isascii() and term[0].isalnum() else ""
    after = r"(?![0-9a-z])" if term[-1].isascii() and term[-1].isalnum() else ""
    return re.compile(before + re.escape(term) + after) if before or after else None
