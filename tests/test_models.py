"""The nouns refuse what could become a false statement."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from pipeline.models import Judgement, Match, Municipality, Quote, Verdict

SHA = "a" * 64


def judgement(verdict: Verdict) -> Judgement:
    return Judgement(
        criterion="ops-01",
        verdict=verdict,
        confidence=0.5,
        judge="rules",
        criteria_sha256=SHA,
        judged_at=datetime.now(UTC),
    )


@pytest.mark.parametrize("verdict", [Verdict.MET, Verdict.NOT_MET])
def test_a_verdict_about_presence_needs_evidence(verdict: Verdict) -> None:
    with pytest.raises(ValidationError, match="needs a quote"):
        judgement(verdict)


@pytest.mark.parametrize("verdict", [Verdict.NO_EVIDENCE, Verdict.NOT_JUDGED, Verdict.UNOBSERVED])
def test_the_other_outcomes_need_none(verdict: Verdict) -> None:
    assert judgement(verdict).quotes == ()


def test_a_quote_is_the_slice_it_names() -> None:
    with pytest.raises(ValidationError, match="slice"):
        Quote(page_sha256=SHA, url="http://a/", start=0, end=3, text="ab", match=Match.EXACT)


@pytest.mark.parametrize("code", ["10006", "1310016", "abc"])
def test_a_code_has_six_digits(code: str) -> None:
    with pytest.raises(ValidationError):
        Municipality(code=code, name="札幌市")


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Municipality.model_validate({"code": "011002", "name": "札幌市", "population": 1})
