"""What differs between two criteria sets, and what that means for judgements and confirmations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum

from pipeline.models import CriteriaSet, Criterion, CriterionId, Noun

# Two criteria of unlike ids are taken for one that was renamed from this likeness of statement and rule on (difflib's
# ratio). In the shipped sets no two criteria about different things are above 0.49, and the two that ask for the same
# measurement in both are at 0.75 and 0.78.
LIKENESS = 0.6
RULE = ("statement_ja", "counts_ja", "does_not_count_ja")
ENGLISH = ("statement_en", "counts_en", "does_not_count_en")
SHOWN = ("viewpoint",)


class Kind(StrEnum):
    """What became of a criterion, the gravest first."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"  # another id; the words may have changed as well
    REWORDED = "reworded"  # the rule by which people decide
    JUDGED_ANEW = "judged_anew"  # cues, terms, threshold: what machines go by
    SHOWN_ANEW = "shown_anew"  # viewpoint or English alone
    SAME = "same"


class Change(Noun):
    """One criterion in two sets. old, new: its ids, empty where it is not in that set; fields: what differs, by the
    nouns' names; likeness: of a renamed one, 0 to 1; text: [before, after] of each field of the rule that differs.

    confirmations: whether what people confirmed under the old set stands under the new one, where the judge finds the
    same; judge: whether the judge's answer may be another one.
    """

    kind: Kind
    old: CriterionId | None = None
    new: CriterionId | None = None
    statement: str = ""
    fields: tuple[str, ...] = ()
    likeness: float | None = None
    text: dict[str, tuple[str, str]] = {}

    @property
    def confirmations(self) -> bool:
        return self.kind in (Kind.JUDGED_ANEW, Kind.SHOWN_ANEW, Kind.SAME) and "threshold" not in self.fields

    @property
    def judge(self) -> bool:
        return bool(set(self.fields) - {*ENGLISH, *SHOWN})


def differences(old: CriteriaSet, new: CriteriaSet) -> tuple[Change, ...]:
    """Every criterion of either set, once: those of the new set in its order, then those that it has no more."""
    before = {one.id: one for one in old.criteria}
    after = {one.id: one for one in new.criteria}
    renamed = _renamed(
        [one for one in old.criteria if one.id not in after], [one for one in new.criteria if one.id not in before]
    )
    gone = before.keys() - after.keys() - {one.id for one, _ in renamed.values()}
    found = [_of_new(one, before.get(one.id), renamed.get(one.id)) for one in new.criteria]
    return (*found, *(_removed(one) for one in old.criteria if one.id in gone))


def likeness(one: Criterion, other: Criterion) -> float:
    """How like two criteria read, 0 to 1: their statements and rules in Japanese."""
    first, second = (f"{each.statement_ja}\n{each.counts_ja}" for each in (one, other))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _renamed(gone: Sequence[Criterion], fresh: Sequence[Criterion]) -> dict[str, tuple[Criterion, float]]:
    """By new id the criterion that it was, the likest pairs first; nothing is matched twice."""
    pairs = sorted(((likeness(a, b), a, b) for a in gone for b in fresh), key=lambda pair: (-pair[0], pair[1].id))
    found: dict[str, tuple[Criterion, float]] = {}
    taken: set[str] = set()
    for like, was, now in pairs:
        if like >= LIKENESS and was.id not in taken and now.id not in found:
            found[now.id] = (was, round(like, 3))
            taken.add(was.id)
    return found


def _of_new(now: Criterion, same: Criterion | None, renamed: tuple[Criterion, float] | None) -> Change:
    was = same or (renamed[0] if renamed else None)
    if was is None:
        return Change(kind=Kind.ADDED, new=now.id, statement=now.statement_ja)
    fields = tuple(_differing(was, now))
    return Change(
        kind=Kind.RENAMED if renamed else _kind(fields),
        old=was.id,
        new=now.id,
        statement=now.statement_ja,
        fields=fields,
        likeness=renamed[1] if renamed else None,
        text={name: (getattr(was, name), getattr(now, name)) for name in fields if name in RULE},
    )


def _removed(was: Criterion) -> Change:
    return Change(kind=Kind.REMOVED, old=was.id, statement=was.statement_ja)


def _differing(was: Criterion, now: Criterion) -> Iterator[str]:
    for name in Criterion.model_fields:
        if name != "id" and getattr(was, name) != getattr(now, name):
            yield name


def _kind(fields: Sequence[str]) -> Kind:
    if not fields:
        return Kind.SAME
    if set(fields) & set(RULE):
        return Kind.REWORDED
    return Kind.SHOWN_ANEW if set(fields) <= {*ENGLISH, *SHOWN} else Kind.JUDGED_ANEW
