"""What every noun is made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
CriterionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*-\d{2}$")]
MunicipalityCode = Annotated[str, Field(pattern=r"^(\d{6}|x[0-9a-f]{10})$")]
# Half an open interval [start, end) in characters of Page.text.
Offset = Annotated[int, Field(ge=0)]


class Noun(BaseModel):
    """Base of every noun: a value, compared by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(StrEnum):
    """Who speaks on a page: the municipality's own site, a booking or application service elsewhere that it links to,
    a page added by hand with `--source`, a social service that an official account is on (read for the dates of its
    posts alone), or the site's own search (followed alone)."""

    OFFICIAL = "official"
    SERVICE = "service"
    PRESS = "press"
    SOCIAL = "social"
    LISTING = "listing"

    @property
    def quotable(self) -> bool:
        """Whether what stands there is judged as text."""
        return self not in (Source.SOCIAL, Source.LISTING)


class Municipality(Noun):
    """One local government.

    code: 全国地方公共団体コード, six digits as text; for a place outside the registry (fictional, merged) `x` and ten
    hex digits of its name. home_url: address of the official home page, or None where the registry names none.
    """

    code: MunicipalityCode
    name: str
    kana: str = ""
    prefecture: str = ""
    home_url: str | None = None
