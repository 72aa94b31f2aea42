"""Which surveyed municipalities compare with one: of its population class, or of its prefecture."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.models import Municipality, Score
from pipeline.municipality.kinds import Kinds
from pipeline.report import Peer


def alike(one: Municipality, other: Municipality, kinds: Kinds) -> tuple[bool, bool]:
    """Whether they are of one population class, and of one prefecture. A place is not like itself, and an unknown
    prefecture is no common one."""
    if one.code == other.code:
        return False, False
    return kinds.of(one) == kinds.of(other), bool(one.prefecture) and one.prefecture == other.prefecture


def peers(place: Municipality, scores: Iterable[Score], kinds: Kinds) -> tuple[Peer, ...]:
    """Those of the scores that compare with the place."""
    found = []
    for score in scores:
        same_class, same_prefecture = alike(place, score.municipality, kinds)
        if same_class or same_prefecture:
            found.append(
                Peer(
                    municipality=score.municipality,
                    score=score,
                    same_class=same_class,
                    same_prefecture=same_prefecture,
                )
            )
    return tuple(found)
