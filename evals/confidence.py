"""What a judge's confidence is worth: how it orders the queue, what it may accept alone, how it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from evals.intervals import upper_bound
from evals.metrics import Share
from evals.nouns import Case
from pipeline.models import Flag

QUEUE_SHARE = 0.3
# Risk under which a judgement could be taken without a reader, and the chance of being wrong about that.
TARGET_RISK = 0.05
ALPHA = 0.05
BINS = 10


@dataclass(frozen=True)
class Point:
    """Judgements of at least this confidence: their share of all, their errors, and the exact upper bound of the
    risk."""

    confidence: float
    accepted: int
    errors: int
    of: int
    bound: float

    @property
    def coverage(self) -> float:
        return self.accepted / self.of

    @property
    def risk(self) -> float:
        return self.errors / self.accepted


@dataclass(frozen=True)
class Bin:
    """Judgements of like confidence: its mean, and the share of them that are right."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Threshold:
    """point: where judgements could be accepted unread, or None, and then why. held_out: of the judgements that the
    threshold chosen on all other cities accepts, how many are wrong."""

    point: Point | None
    why: str
    held_out: Share


def queue_order(cases: Sequence[Case]) -> list[Case]:
    """As the review queue serves them: where judges disagree first, then by confidence, least sure first."""
    return sorted(cases, key=_rank)


def _rank(case: Case) -> tuple[bool, float]:
    return Flag.JUDGES_DISAGREE not in case.flags, case.confidence


def errors_first(cases: Sequence[Case], share: float = QUEUE_SHARE) -> Share:
    """Of all wrong judgements, how many stand in the first `share` of the queue. Cases of equal rank are served in no
    known order, so those at the edge count by their expected number, rounded down."""
    ranked = queue_order(cases)
    room = ceil(share * len(ranked))
    errors = sum(not case.agrees for case in cases)
    hit = 0.0
    for _, run in groupby(ranked, key=_rank):
        tied = list(run)
        taken = min(len(tied), max(room, 0))
        hit += sum(not case.agrees for case in tied) * taken / len(tied)
        room -= taken
    return Share(int(hit + 1e-9), errors, "no judgement is wrong")


def risk_coverage(cases: Sequence[Case]) -> list[Point]:
    """A point for each confidence that occurs, the most confident first (R. El-Yaniv and Y. Wiener, Journal of Machine
    Learning Research 11, 2010). The bound is Clopper and Pearson's, one-sided at ALPHA."""
    ranked = sorted(cases, key=lambda case: -case.confidence)
    points: list[Point] = []
    accepted = errors = 0
    for confidence, run in groupby(ranked, key=lambda case: case.confidence):
        tied = list(run)
        accepted += len(tied)
        errors += sum(not case.agrees for case in tied)
        points.append(Point(confidence, accepted, errors, len(cases), upper_bound(errors, accepted, ALPHA)))
    return points


def auto_accept(cases: Sequence[Case]) -> Threshold:
    """The lowest confidence down to which the bound of the risk stays under TARGET_RISK.

    Thresholds are tried from the most confident down, beginning where so many judgements without an error could
    pass, and the first failure ends the search: a fixed sequence of tests, which needs no correction for their number.
    held_out chooses without each city in turn and counts what that threshold accepts there.
    """
    sites = sorted({case.site for case in cases})
    accepted = [case for site in sites for case in _accepted_at(site, cases)]
    wrong = Share(sum(not case.agrees for case in accepted), len(accepted), "nothing is accepted")
    point = _lowest(risk_coverage(cases))
    why = "" if point else f"no confidence bounds the risk under {TARGET_RISK:.0%} on {len(cases)} cases"
    return Threshold(point, why, wrong)


def _accepted_at(site: str, cases: Sequence[Case]) -> list[Case]:
    point = _lowest(risk_coverage([case for case in cases if case.site != site]))
    return [case for case in cases if case.site == site and point and case.confidence >= point.confidence]


def _lowest(points: Sequence[Point]) -> Point | None:
    found = None
    for point in points:
        if upper_bound(0, point.accepted, ALPHA) > TARGET_RISK:
            continue
        if point.bound > TARGET_RISK:
            break
        found = point
    return found


def calibration(cases: Sequence[Case]) -> list[Bin]:
    """At most BINS bins of nearly equal size, by rising confidence; equal confidences share a bin."""
    ranked = sorted(cases, key=lambda case: case.confidence)
    bins: list[list[Case]] = []
    for _, run in groupby(ranked, key=lambda case: case.confidence):
        if not bins or len(bins[-1]) >= len(cases) / BINS:
            bins.append([])
        bins[-1].extend(run)
    return [_bin(one) for one in bins]


def _bin(cases: Sequence[Case]) -> Bin:
    n = len(cases)
    return Bin(n, sum(case.confidence for case in cases) / n, sum(case.agrees for case in cases) / n)


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error: the mean distance of confidence and accuracy, bins weighted by size (M. P. Naeini and
    others, AAAI 2015); None without cases."""
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.confidence - one.accuracy) for one in bins) / n if n else None


def brier(cases: Sequence[Case]) -> float | None:
    """Mean squared distance of confidence and being right (G. W. Brier, Monthly Weather Review 78, 1950)."""
    return sum((case.confidence - case.agrees) ** 2 for case in cases) / len(cases) if cases else None


def self_consistency(cases: Sequence[Case]) -> Share:
    """Of the judgements that were sampled several times, how many had all samples alike."""
    sampled = [case.votes for case in cases if len(case.votes) > 1]
    return Share(sum(len(set(votes)) == 1 for votes in sampled), len(sampled), "asked once each; use --votes")
