"""The best-evidenced, most distinctive measures, chosen by a rule that the report states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.models import Confirmed, Source, Verdict
from pipeline.report.nouns import Highlight, Row, Tally
from pipeline.report.peers import FEWEST, Peer, share
from pipeline.report.speech import Speech

_MOST = 6
_MOST_PER_VIEWPOINT = 2


class _Standing(NamedTuple):
    """How much a row stands out. met, of: as peers.share tells; said:
    different quotes of the municipality's own pages (a link label that is on every page is one)."""

    row: Row
    met: int
    of: int
    said: int

    @property
    def order(self) -> tuple[float, int, str]:
        """Rarer among the peers first, where that is known of at least three; then more quotes; then newer ones."""
        newest = max((one.dated.iso for one in self.row.evidence if one.dated), default="")
        return 1 - self.met / self.of if self.of >= FEWEST else 0.0, self.said, newest


def rule(say: Speech) -> str:
    return say(
        "人が「該当」と確認し、公式ページの引用がある項目から、比べた団体で該当が確認された割合の低い順（該当かどうか分かる団体が%(fewest)s以上ある項目）、"
        "異なる引用の多い順、ページの日付の新しい順に選びました（一つの観点から%(each)s項目まで、全体で%(all)s項目まで）。",
        fewest=FEWEST,
        each=_MOST_PER_VIEWPOINT,
        all=_MOST,
    )


def highlights(
    rows: Sequence[Row], tallies: Sequence[Tally], confirmed: Sequence[Confirmed], peers: Sequence[Peer], say: Speech
) -> tuple[Highlight, ...]:
    """By the rule; each with up to three quotes."""
    names = {tally.viewpoint: tally.name for tally in tallies}
    said = {one.criterion: _own_words(one) for one in confirmed if one.verdict is Verdict.MET}
    proven = [_Standing(row, *share(peers, row.id), said[row.id]) for row in rows if said.get(row.id)]
    chosen: list[_Standing] = []
    for one in sorted(proven, key=lambda one: one.order, reverse=True):
        if sum(other.row.viewpoint == one.row.viewpoint for other in chosen) < _MOST_PER_VIEWPOINT:
            chosen.append(one)
    return tuple(_told(one, names, say) for one in chosen[:_MOST])


def _own_words(confirmed: Confirmed) -> int:
    return len({quote.text for quote in confirmed.quotes if quote.source is Source.OFFICIAL})


def _told(one: _Standing, names: Mapping[str, str], say: Speech) -> Highlight:
    told = [say("公式ページの異なる記載%(count)s件", count=one.said)]
    if one.of >= FEWEST:
        told.append(say("比べた%(of)s団体中%(met)s団体で該当", of=one.of, met=one.met))
    quotes = one.row.evidence
    different = [quote for n, quote in enumerate(quotes) if quote.lines not in [each.lines for each in quotes[:n]]]
    evidence = sorted(different, key=lambda quote: not quote.official)
    return Highlight(row=one.row, viewpoint=names[one.row.viewpoint], evidence=tuple(evidence), why=say.listed(told))
