"""What a survey may cost: prices as data, an upper bound before each call, and a cap that is never overshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import InputError
from pipeline.judge.answer import Usage
from pipeline.models import Noun

# What a chat format adds to the text of a message: role, separators. OpenAI documents 3 to 4 tokens; 16 is ample.
TOKENS_PER_MESSAGE = 16
MILLION = Decimal(1_000_000)

Dollars = Annotated[Decimal, Field(ge=0)]


class Price(Noun):
    """US dollars per million tokens. cached: input that the provider's own prompt cache served."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None


class Card(Price):
    """What is known of a model. parameters: sent with each request; None leaves a usual one out.

    batch: what a provider's Batch API asks, as a share of the price.
    """

    batch: Dollars = Decimal(1)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def price(self) -> Price:
        return Price(input=self.input, output=self.output, cached=self.cached)

    @property
    def batch_price(self) -> Price:
        cached = None if self.cached is None else self.cached * self.batch
        return Price(input=self.input * self.batch, output=self.output * self.batch, cached=cached)


_TABLE = TypeAdapter(dict[str, Card])


def cards(*files: Path) -> dict[str, Card]:
    """Models by name, later files over earlier ones. Raises InputError for a file that is no such table."""
    table: dict[str, Card] = {}
    for file in files:
        try:
            table |= _TABLE.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise InputError(f"{file}: not a table of models ({str(error).splitlines()[0]}).") from None
    return table


def parse(text: str) -> Price:
    """A price typed as IN/OUT in dollars per million tokens, such as 0.25/2. Raises InputError."""
    try:
        given, written = text.split("/")
        return Price(input=Decimal(given), output=Decimal(written))
    except (ValueError, ArithmeticError, ValidationError):
        raise InputError(
            f"--price {text}: give IN/OUT in US dollars per million tokens, such as 0.25/2 (0/0 if free)."
        ) from None


def input_bound(body: Mapping[str, Any]) -> int:
    """No tokenizer in use makes more tokens of this body: byte-level ones make at most one of each UTF-8 byte.

    The schema counts too, because some servers put it into the prompt.
    """
    text = sum(len(str(message["content"]).encode()) + TOKENS_PER_MESSAGE for message in body["messages"])
    return text + len(json.dumps(body.get("response_format", {})).encode())


def input_estimate(body: Mapping[str, Any]) -> int:
    """Tokens to expect: Japanese text comes near one a character with today's large vocabularies."""
    return sum(len(str(message["content"])) + 4 for message in body["messages"])


@dataclass(frozen=True)
class Estimate:
    """What a set of questions would take. requests: of the first round; the bounds hold for all rounds, as long as no
    answer is lost on the way and paid for twice; usd_expected is a guess."""

    requests: int
    input_expected: int
    input_bound: int
    output_bound: int
    usd_expected: Decimal
    usd_bound: Decimal


def cost(price: Price, usage: Usage) -> Decimal:
    """US dollars of one answer."""
    cached = price.input if price.cached is None else price.cached
    fresh = usage.prompt - usage.cached
    return (price.input * fresh + cached * usage.cached + price.output * usage.completion) / MILLION


def bound(price: Price, body: Mapping[str, Any], output_limit: int) -> Decimal:
    """US dollars that one request cannot exceed."""
    return (price.input * input_bound(body) + price.output * output_limit) / MILLION


class Budget:
    """A cap with reservations: a call is made only if its bound still fits beside all that is spent or under way.

    Not thread-safe; one event loop uses it. cap None: no limit.
    """

    def __init__(self, cap: Decimal | None) -> None:
        self.cap = cap
        self.spent = Decimal(0)
        self.reserved = Decimal(0)

    @property
    def left(self) -> Decimal:
        """What is neither spent nor reserved; the cap must be set."""
        return (self.cap or Decimal(0)) - self.spent - self.reserved

    def reserve(self, most: Decimal) -> bool:
        """Set the bound of a call aside; False where it does not fit."""
        if not self.fits(most):
            return False
        self.reserved += most
        return True

    def fits(self, most: Decimal) -> bool:
        """Whether a call of that bound fits beside what is spent and under way."""
        return self.cap is None or self.spent + self.reserved + most <= self.cap

    def settle(self, most: Decimal, actual: Decimal) -> None:
        """Replace a reservation by what the call did cost."""
        self.reserved -= most
        self.spent += actual
