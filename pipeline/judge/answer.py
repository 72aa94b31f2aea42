"""What a model answered: the schema it is held to, and the reading of a raw answer, whatever state it is in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Strict structured output needs every field required and no extras, and knows neither lengths nor ranges: those are
# checked when the answer is read.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["verdict", "quotes", "rationale", "confidence", "needs_context"],
    "properties": {
        "verdict": {"type": "string", "enum": ["met", "not_met", "no_evidence"]},
        "quotes": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["doc", "text"],
                "properties": {"doc": {"type": "string"}, "text": {"type": "string"}},
            },
        },
        "rationale": {"type": "string"},
        "confidence": {"type": "integer"},
        "needs_context": {"type": "array", "items": {"type": "string"}},
    },
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "judgement", "strict": True, "schema": SCHEMA}}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Cited(_Strict):
    """A quote as the model gave it: the number of a document (D1, D2, ...) and its words."""

    doc: str
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Answer(_Strict):
    """A model's answer in the asked form. confidence: percent."""

    verdict: Literal["met", "not_met", "no_evidence"]
    quotes: Annotated[tuple[Cited, ...], Field(max_length=20, strict=False)]
    rationale: Annotated[str, Field(max_length=4000)]
    confidence: Annotated[int, Field(ge=0, le=100)]
    needs_context: Annotated[tuple[str, ...], Field(max_length=50, strict=False)]


class Fault(StrEnum):
    """Why a raw answer is no answer."""

    BROKEN = "broken"  # the body is not what a chat completion looks like
    EMPTY = "empty"  # no choice, or no text in it
    REFUSED = "refused"
    FILTERED = "filtered"  # stopped by the provider's content filter
    LENGTH = "length"  # cut off by the limit on output
    NOT_JSON = "not_json"
    SCHEMA = "schema"  # JSON of another form


@dataclass(frozen=True)
class Reading:
    """An answer, or the fault and what to tell the model about it. text: what the model wrote."""

    text: str = ""
    answer: Answer | None = None
    fault: Fault | None = None
    detail: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens that the provider counted; cached: the part of `prompt` that its own prompt cache served."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


def read(raw: str) -> Reading:
    """Read the raw body of a chat completion. Never raises: every fault has a name."""
    try:
        choices = json.loads(raw)["choices"]
        choice = choices[0] if choices else None
        message = (choice.get("message") or {}) if choice else {}
        reason = choice.get("finish_reason") if choice else None
        text = message.get("content") or ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reading(fault=Fault.BROKEN, detail=raw[:200])
    if message.get("refusal"):
        return Reading(fault=Fault.REFUSED, detail=str(message["refusal"])[:200])
    if reason == "content_filter":
        return Reading(fault=Fault.FILTERED, detail="content_filter")
    if not isinstance(text, str) or not text.strip():
        return Reading(fault=Fault.EMPTY, detail=f"finish_reason={reason}")
    if reason == "length":
        return Reading(text=text, fault=Fault.LENGTH, detail=f"{len(text)} characters written")
    return _parsed(text)


def _parsed(text: str) -> Reading:
    try:
        content = json.loads(_unfenced(text))
    except ValueError as error:
        return Reading(text=text, fault=Fault.NOT_JSON, detail=str(error))
    try:
        return Reading(text=text, answer=Answer.model_validate(content))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        return Reading(text=text, fault=Fault.SCHEMA, detail="; ".join(faults))


def _unfenced(text: str) -> str:
    """The content of one Markdown code fence around the whole answer, else the text itself."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", text, flags=re.DOTALL)
    return fenced[1] if fenced else text


def usage(raw: str) -> Usage | None:
    """The provider's token counts, or None where it gives none that can be read."""
    try:
        counts = json.loads(raw)["usage"]
        details = counts.get("prompt_tokens_details") or {}
        return Usage(
            int(counts["prompt_tokens"]), int(counts["completion_tokens"]), int(details.get("cached_tokens") or 0)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
