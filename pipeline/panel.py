"""Who judges a run: the embedded rules, a model, or several of them, and what the models may cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import InputError
from pipeline.judge.ask import Question
from pipeline.judge.budget import Card, Price, cards, parse
from pipeline.judge.client import Endpoint, Rate
from pipeline.judge.dialogue import MAX_OUTPUT_TOKENS, Model
from pipeline.judge.prompt import load
from pipeline.settings import Settings, bundled

RULES = "rules"
DEFAULT_MODEL = "gpt-5-mini"
# Votes are different samples of one answer: at temperature 0 they would all be the same.
VOTING_TEMPERATURE = 0.7


@dataclass(frozen=True)
class Wish:
    """What the user said about judging; empty and None stand for "not said"."""

    model: str = ""
    base_url: str = ""
    judges: str = ""
    votes: int = 1
    max_cost: float | None = None
    price: str = ""


@dataclass(frozen=True)
class Panel:
    """The judges in order: the first one's judgement is queued, the others' are second opinions.

    why: one clause for the user; questions: one for each model; cap: US dollars for all of
    them together, or None; offline: use the answers at hand and send nothing; rate: kept together with other processes.
    """

    judges: tuple[str, ...]
    why: str
    questions: dict[str, Question]
    endpoint: Endpoint
    lanes: int
    cap: Decimal | None = None
    offline: bool = False
    rate: Rate | None = None


def panel(wish: Wish, settings: Settings) -> Panel:
    """The panel that options, environment and keys make. Raises InputError for what cannot be."""
    judges, why = _judges(wish, settings)
    models = [judge for judge in judges if judge != RULES]
    endpoint = Endpoint(
        base_url=wish.base_url or settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value(),
        timeout_s=settings.model_timeout_s,
    )
    if models and not (endpoint.api_key or endpoint.base_url):
        raise InputError(f"{models[0]}: no OPENAI_API_KEY and no --base-url. Set one, or judge with `--judges rules`.")
    return Panel(
        judges=judges,
        why=why,
        questions={model: _question(model, wish, endpoint, settings) for model in models},
        endpoint=endpoint,
        lanes=settings.concurrency,
        cap=None if wish.max_cost is None else _cap(wish.max_cost),
    )


def _cap(max_cost: float) -> Decimal:
    if not isfinite(max_cost):
        raise InputError(f"--max-cost {max_cost}: give US dollars, such as 1.50, or leave it out for no limit.")
    return Decimal(str(max_cost))


def _judges(wish: Wish, settings: Settings) -> tuple[tuple[str, ...], str]:
    if wish.judges:
        names = tuple(dict.fromkeys(name.strip() for name in wish.judges.split(",") if name.strip()))
        if not names:
            raise InputError(
                f"--judges {wish.judges!r}: give names with commas between them, such as rules,gpt-5-mini."
            )
        return names, "as --judges says"
    if wish.model:
        return (wish.model,), "as --model says"
    if settings.model:
        return (settings.model,), "as CLASSIFY_MODEL says"
    if wish.base_url or settings.openai_base_url:
        return (DEFAULT_MODEL,), "a base URL is set"
    if settings.openai_api_key.get_secret_value():
        return (DEFAULT_MODEL,), "OPENAI_API_KEY is set"
    return (RULES,), "no model, key or base URL is set"


def question(model: str, base_url: str, votes: int, price: str, settings: Settings) -> Question:
    """The question of a batch, which needs neither a key nor a server at hand.

    price: IN/OUT; empty for the Batch API's price where it is known, else nothing.
    """
    name = model or settings.model or DEFAULT_MODEL
    endpoint = Endpoint(base_url or settings.openai_base_url, "")
    asked = _question(name, Wish(votes=votes, price=price or "0/0"), endpoint, settings)
    card = _cards(settings).get(name)
    return asked if price or card is None else replace(asked, price=card.batch_price)


def _cards(settings: Settings) -> dict[str, Card]:
    return cards(Path(__file__).parent / "judge" / "models.yaml", *([settings.models] if settings.models else []))


def _question(model: str, wish: Wish, endpoint: Endpoint, settings: Settings) -> Question:
    card = _cards(settings).get(model)
    own = cards(settings.models).get(model) if settings.models else None
    limit = "max_tokens" if endpoint.base_url else "max_completion_tokens"
    usual = {limit: MAX_OUTPUT_TOKENS, "temperature": 0 if wish.votes == 1 else VOTING_TEMPERATURE}
    parameters = usual | (card.parameters if card else {})
    if card and "max_completion_tokens" in card.parameters:
        parameters.pop("max_tokens", None)
    return Question(
        prompts=load(prompt_file(settings.prompts)),
        model=Model(
            name=model,
            base_url=endpoint.base_url.rstrip("/"),
            parameters=tuple(sorted((key, value) for key, value in parameters.items() if value is not None)),
        ),
        price=parse(wish.price) if wish.price else _price(model, card, own, endpoint),
        votes=wish.votes,
    )


def _price(model: str, card: Card | None, own: Card | None, endpoint: Endpoint) -> Price:
    """The price in the user's own table (`own`) wherever the model runs; a shipped card's at OpenAI; nothing on a
    machine of one's own. Raises InputError elsewhere.
    """
    if own is not None:
        return own.price
    host = urlsplit(endpoint.base_url).hostname or ""
    if card is not None and (not host or host.endswith(".openai.com")):
        return card.price
    if host and _own(host):
        return Price(input=Decimal(0), output=Decimal(0))
    message = f"{model}: its price is not known."
    raise InputError(f"{message} Give --price IN/OUT in dollars per million tokens (0/0 if free).")


def _own(host: str) -> bool:
    """Whether the host is this machine or one of a private network."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".internal", ".localhost"))


def prompt_file(name: str) -> Path:
    """The file of a shipped prompt set, or the file itself."""
    return Path(name) if name.endswith((".yaml", ".yml")) else bundled("prompts") / f"{name}.yaml"
