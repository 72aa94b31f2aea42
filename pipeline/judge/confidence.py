"""How sure the embedded judge is: the share of like judgements that were right on labelled sites it had not seen.

The shares are those of ten sites, each read by the judge as it was before anybody looked at its errors there: the
table in docs/evals.md ("Confidence"). Of what tells right from wrong, most is what was concluded, and from what; how
plain a sentence is tells little.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.judge.findings import Finding, Side
from pipeline.judge.tense import Mode
from pipeline.judge.weigh import THRESHOLD
from pipeline.models import Criterion, Verdict

_YES, _YES_CONTRADICTED = 0.90, 0.65  # something else on the site says the opposite
_LABEL = 0.54  # a line without a verb
_NO, _NO_CONTRADICTED = 0.88, 0.71
_NO_BY_CONTEXT, _NO_BY_CONTEXT_CONTRADICTED = 0.61, 0.40  # the denial stands in one place, its topic in another
_SECOND_PAGE = 0.02
_OLD_PAGE = 0.03
# Of nothing found: words of the topic that were set aside although nobody else was meant; nothing near the topic;
# and only others' deeds.
_NEAR_MISS, _SILENT, _OTHERS_ONLY = 0.44, 0.51, 0.70
# Shares of the verdicts over all criteria on the labelled sites; what a criterion without a `usual` starts from.
_OVERALL = {Verdict.MET: 0.57, Verdict.NOT_MET: 0.23, Verdict.NO_EVIDENCE: 0.20}
_SMOOTHING = 4
_SUREST = 0.98
# The plainness of the sentence orders what is equal otherwise.
_SLOPE, _MIDDLE = 0.1, 0.75


def of_finding(criterion: Criterion, chosen: Finding, *, contradicted: bool, pages: int, old: bool) -> float:
    """Of `met` and `not_met`, 0 to 1. pages: how many say it."""
    share = _share(chosen, contradicted)
    share += _SECOND_PAGE * (pages > 1) - _OLD_PAGE * old + _SLOPE * (chosen.score - _MIDDLE)
    return _usual(criterion, Verdict.MET if chosen.side is Side.FOR else Verdict.NOT_MET, share)


def _share(chosen: Finding, contradicted: bool) -> float:
    if chosen.side is Side.FOR:
        plain = _LABEL if chosen.said.mode is Mode.LABEL else _YES
        return min(plain, _YES_CONTRADICTED) if contradicted else plain
    if chosen.direct:
        return _NO_CONTRADICTED if contradicted else _NO
    return _NO_BY_CONTEXT_CONTRADICTED if contradicted else _NO_BY_CONTEXT


def of_nothing(criterion: Criterion, aside: Sequence[Finding]) -> float:
    """Of `no_evidence`, 0 to 1. aside: what was read about the topic and set aside."""
    near = any(one.score >= THRESHOLD and not one.actor.other for one in aside)
    share = _NEAR_MISS if near else _OTHERS_ONLY if aside else _SILENT
    return _usual(criterion, Verdict.NO_EVIDENCE, share)


def _usual(criterion: Criterion, verdict: Verdict, share: float) -> float:
    """The share in the light of how often the criterion has that verdict at all, by Bayes' rule in odds. What is usual
    is smoothed towards the share over all criteria by as many sites as _SMOOTHING."""
    known = sum(criterion.usual.values())
    prior = (criterion.usual.get(verdict.value, 0) + _SMOOTHING * _OVERALL[verdict]) / (known + _SMOOTHING)
    odds = _odds(min(share, _SUREST)) * _odds(prior) / _odds(_OVERALL[verdict])
    return round(min(max(odds / (1 + odds), 1 - _SUREST), _SUREST), 3)


def _odds(share: float) -> float:
    return share / (1 - share)
