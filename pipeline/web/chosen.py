"""Which items a person has chosen to see, as the address says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from pipeline.models import Filter, Role, Verdict
from pipeline.web.visit import Person, Visit

_Word = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9._:/-]*$")]


@dataclass(frozen=True)
class Chosen:
    """The filter in the words of the address. wanted: what the store is asked for; counted: what may be counted, since
    a count of one item by verdict or judge would tell a blind coder what was proposed."""

    code: str
    criteria_set: str
    viewpoint: str
    criterion: str
    verdict: str
    judge: str
    wanted: Filter
    counted: Filter

    @property
    def query(self) -> str:
        """To hand on in links and forms: `code=141500&verdict=met`, or empty."""
        words = {
            name: getattr(self, name) for name in ("code", "criteria_set", "viewpoint", "criterion", "verdict", "judge")
        }
        return urlencode({name: word for name, word in words.items() if word})

    @property
    def suffix(self) -> str:
        return f"?{self.query}" if self.query else ""


def chosen(
    asked: Person,
    code: _Word = "",
    criteria_set: _Word = "",
    viewpoint: _Word = "",
    criterion: _Word = "",
    verdict: Annotated[str, Query(max_length=64)] = "",
    judge: Annotated[str, Query(max_length=200)] = "",
) -> Chosen:
    """The filter of the address; a verdict that is none of the five counts as not given, as do unprintable names."""
    known = Verdict(verdict) if verdict in set(Verdict) else None
    judge = judge if judge.isprintable() else ""
    criteria = tuple(_criteria(asked, viewpoint, criterion))
    wanted = Filter(code=code, criteria_id=criteria_set, criteria=criteria, verdict=known, judge=judge)
    coder = asked.user is not None and asked.user.role is Role.REVIEWER
    counted = wanted.model_copy(update={"verdict": None, "judge": ""}) if coder else wanted
    return Chosen(code, criteria_set, viewpoint, criterion, known or "", judge, wanted, counted)


def _criteria(asked: Visit, viewpoint: str, criterion: str) -> list[str]:
    if criterion or not viewpoint:
        return [criterion] if criterion else []
    sets = {one.criteria_sha256 for one in asked.request.app.state.counts.surveys()}
    found = [one.id for sha in sets for one in asked.office.desk.criteria(sha).criteria if one.viewpoint == viewpoint]
    return sorted(set(found)) or ["none-00"]


Choice = Annotated[Chosen, Depends(chosen)]
