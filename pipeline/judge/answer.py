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


# What is told of a fault, to the model and to the reviewer.
DETAIL_CHARS = 200
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


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
        text, refusal = message.get("content") or "", message.get("refusal")
    except _UNREADABLE:
        return Reading(fault=Fault.BROKEN, detail=_clean(raw))
    if refusal:
        return Reading(fault=Fault.REFUSED, detail=_clean(str(refusal)))
    if reason == "content_filter":
        return Reading(fault=Fault.FILTERED, detail="content_filter")
    if not isinstance(text, str) or not text.strip():
        return Reading(fault=Fault.EMPTY, detail=_clean(f"finish_reason={reason}"))
    if reason == "length":
        return Reading(text=_whole(text), fault=Fault.LENGTH, detail=f"{len(text)} characters written")
    return _parsed(_whole(text))


def _parsed(text: str) -> Reading:
    try:
        content = json.loads(_unfenced(text))
    except (ValueError, RecursionError) as error:
        return Reading(text=text, fault=Fault.NOT_JSON, detail=_clean(str(error)))
    try:
        return Reading(text=text, answer=Answer.model_validate(content))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        return Reading(text=text, fault=Fault.SCHEMA, detail=_clean("; ".join(faults)))


def _whole(text: str) -> str:
    """The text without half characters (lone surrogates, which JSON can spell and UTF-8 cannot)."""
    return text.encode("utf-8", "replace").decode()


def _clean(text: str) -> str:
    return _whole(text)[:DETAIL_CHARS]


def _unfenced(text: str) -> str:
    """The content of one Markdown code fence around the whole answer, else the text itself."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", text, flags=re.DOTALL)
    return fenced[1] if fenced else text


def usage(raw: str) -> Usage | None:
    """The provider's token counts, or None where it gives none that can be true."""
    try:
        counts = json.loads(raw)["usage"]
        details = counts.get("prompt_tokens_details") or {}
        given, written = int(counts["prompt_tokens"]), int(counts["completion_tokens"])
        cached = int(details.get("cached_tokens") or 0)
    except (*_UNREADABLE, OverflowError):
        return None
    return Usage(given, written, cached) if 0 <= cached <= given and written >= 0 else None
