"""What a check found."""

from __future__ import annotations

from enum import StrEnum

from pipeline.models import Noun


class State(StrEnum):
    """FAIL: surveys will not work as ordered; WARN: they will, with a reservation; UNSET: optional, and not there."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNSET = "not set up"


class Finding(Noun):
    """check: what was looked at; found: what is the case; advice: what to do, where there is something to do."""

    check: str
    state: State
    found: str
    advice: str = ""
