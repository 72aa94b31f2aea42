"""What stands in a criteria file: its shapes, strict, and the JSON Schema made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.written import Both, Text, Written

MAX_PATTERN_CHARS = 2_000
_ID = r"^[a-z][a-z0-9]*-\d{2}$"

Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS)]


class WrittenViewpoint(Written):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    name: Both


class WrittenCue(Written):
    all: Annotated[list[Annotated[list[Pattern], Field(min_length=1)]], Field(min_length=1)]
    none: list[Pattern] = []
    none_near: list[Pattern] = []
    title: list[Pattern] = []
    within: Literal["sentence", "block", "section"] = "block"
    strength: Annotated[float, Field(gt=0, le=1)] = 0.8
    asserts: bool = False
    plans_count: bool = False
    labels_count: bool = False
    note: str = ""


class WrittenCriterion(Written):
    id: Annotated[str, Field(pattern=_ID)]
    viewpoint: str
    settled_by: Literal["text", "link", "measured"]
    statement: Both
    counts: Both
    does_not_count: Both | None = None
    search_terms: Annotated[list[Text], Field(min_length=1)]
    leads: list[Text] = []
    cues: list[WrittenCue] = []
    absent_cues: list[WrittenCue] = []
    link_hosts: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$")]] = []
    probe: str = ""
    threshold: Annotated[float | int | None, Field(gt=0)] = None
    threshold_source: str = ""
    past_counts: bool = False
    one_off: bool = False
    partners: bool = False
    alternatives: list[Annotated[list[Pattern], Field(min_length=1)]] = []
    usual: dict[Literal["met", "not_met", "no_evidence"], Annotated[int, Field(ge=0)]] = {}


class File(Written):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: Text
    title: Both
    viewpoints: Annotated[list[WrittenViewpoint], Field(min_length=1)]
    concepts: dict[str, Annotated[list[Pattern], Field(min_length=1)]] = {}
    criteria: Annotated[list[WrittenCriterion], Field(min_length=1)]


def schema() -> dict[str, Any]:
    """JSON Schema of a criteria file, which criteria/criteria.schema.json holds for editors."""
    made = File.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Criteria of a survey"}
