"""Everything that is measured of one run, in the order in which it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evals import confidence
from evals.alternative import AltTest, alt_test
from evals.intervals import Interval, exact
from evals.metrics import Figures, Share, figures
from evals.nouns import Case, EvalRun
from evals.quotes import QuoteAgreement, quote_agreement


@dataclass(frozen=True)
class Measured:
    """Of a run: pooled, by viewpoint, by criterion and by site; its errors; what its confidence is worth."""

    run: EvalRun
    pooled: Figures
    viewpoints: tuple[Figures, ...]
    criteria: tuple[Figures, ...]
    sites: tuple[Figures, ...]
    quotes: QuoteAgreement
    errors: tuple[Case, ...]
    errors_first: Share
    points: tuple[confidence.Point, ...]
    threshold: confidence.Threshold
    bins: tuple[confidence.Bin, ...]
    calibration_error: float | None
    brier: float | None
    consistency: Share
    alternative: AltTest

    @property
    def worst(self) -> list[Figures]:
        """Criteria with wrong verdicts, those with most of them first."""
        wrong = [one for one in self.criteria if one.agreement.hit < one.agreement.of]
        return sorted(wrong, key=lambda one: (one.agreement.hit - one.agreement.of, one.name))

    @property
    def causes(self) -> list[tuple[str, int]]:
        """Errors by what went wrong, commonest first."""
        return Counter(cause(case) for case in self.errors).most_common()

    @property
    def precision_exact(self) -> Interval:
        """Of precision as if cases were independent: too narrow, but defined for one city."""
        return exact(self.pooled.precision.hit, self.pooled.precision.of)


def measure(run: EvalRun) -> Measured:
    """The figures of a run."""
    cases = run.cases
    bins = confidence.calibration(cases)
    return Measured(
        run=run,
        pooled=figures("pooled", cases),
        viewpoints=tuple(
            figures(one, _of(cases, viewpoint=one)) for one in _in_order(case.viewpoint for case in cases)
        ),
        criteria=tuple(
            figures(one, _of(cases, criterion=one), with_intervals=False)
            for one in _in_order(case.criterion for case in cases)
        ),
        sites=tuple(
            figures(one, _of(cases, site=one), with_intervals=False) for one in _in_order(case.site for case in cases)
        ),
        quotes=quote_agreement(cases),
        errors=tuple(case for case in cases if not case.agrees),
        errors_first=confidence.errors_first(cases),
        points=tuple(confidence.risk_coverage(cases)),
        threshold=confidence.auto_accept(cases),
        bins=tuple(bins),
        calibration_error=confidence.calibration_error(bins),
        brier=confidence.brier(cases),
        consistency=confidence.self_consistency(cases),
        alternative=alt_test(cases),
    )


# (label, verdict) -> what went wrong, the worst first
CAUSES = {
    ("not_met", "met"): "false met: a page says no",
    ("no_evidence", "met"): "false met: nothing says so",
    ("unobserved", "met"): "false met: the page could not be read",
    ("met", "not_met"): "false not_met: it is there",
    ("no_evidence", "not_met"): "false not_met: nothing speaks of it",
    ("met", "no_evidence"): "missed: it is there",
    ("not_met", "no_evidence"): "missed: a page says no",
    ("unobserved", "no_evidence"): "silence taken for absence",
}


def cause(case: Case) -> str:
    """What went wrong in a case that does not agree."""
    return CAUSES.get(case.pair, f"{case.gold} judged {case.said}")


def _of(cases: Sequence[Case], **wanted: str) -> list[Case]:
    return [case for case in cases if all(getattr(case, field) == value for field, value in wanted.items())]


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
