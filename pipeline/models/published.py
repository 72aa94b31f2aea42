"""What was published, and what is corrected of it afterwards."""

from __future__ import annotations

from datetime import date, datetime

from pipeline.models.base import CriterionId, Municipality, Noun
from pipeline.models.judged import Verdict


class Correction(Noun):
    """One criterion that stands otherwise than an edition says. None: not confirmed by any person. decided_at and note:
    of the decision that changed it."""

    criterion: CriterionId
    before: Verdict | None
    after: Verdict | None
    decided_at: datetime
    note: str = ""


class Erratum(Noun):
    """A dated correction of one municipality's report in an edition. number: 1 for the edition's first; points: of that
    municipality, before and after."""

    edition: str
    number: int
    issued: date
    municipality: Municipality
    points_before: int
    points_after: int
    corrections: tuple[Correction, ...]
