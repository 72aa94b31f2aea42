"""The model's server: the judge's own question about no document at all, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from pipeline import criteria
from pipeline.demo import AS_OF, MUNICIPALITY
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient
from pipeline.errors import InputError, ModelError
from pipeline.judge.answer import Reading, read, usage
from pipeline.judge.ask import Question
from pipeline.judge.budget import cost
from pipeline.judge.client import Client, Endpoint, UnansweredError
from pipeline.judge.dialogue import Request, converse
from pipeline.judge.prompt import case, fenced
from pipeline.models import SettledBy
from pipeline.panel import RULES, Panel, Wish, panel


def check(patient: Patient) -> Iterator[Finding]:
    """Nothing is sent where no model, key or base URL is set."""
    wish = Wish(model=patient.model, base_url=patient.base_url, price=patient.price)
    unpriced = ""
    try:
        seated = panel(wish, patient.settings)
    except InputError as error:
        unpriced = str(error)
        try:
            seated = panel(replace(wish, price="0/0"), patient.settings)
        except InputError:
            yield Finding(check="model", state=State.FAIL, found=unpriced, advice="see docs/models.md")
            return
    if seated.judges == (RULES,):
        found = "no model, key or base URL is set: the embedded rules judge; nothing was sent"
        yield Finding(check="model", state=State.UNSET, found=found)
        return
    yield _asked(seated, patient, unpriced)


def _asked(seated: Panel, patient: Patient, unpriced: str) -> Finding:
    name = seated.judges[0]
    question = seated.questions[name]
    where = f"{name} at {urlsplit(seated.endpoint.base_url).netloc.rpartition('@')[2] or 'OpenAI'}"
    began = time.monotonic()
    try:
        raw = asyncio.run(_answer(question, seated.endpoint, patient))
    except ModelError as error:
        advice = "see the key, the model's name and --base-url; then docs/models.md"
        return Finding(check="model", state=State.FAIL, found=f"{where}: {error}", advice=advice)
    took, reading = time.monotonic() - began, read(raw)
    if reading.answer is None:
        return _unkept(where, took, reading)
    spent = _spent(question, raw, priced=not unpriced)
    found = f"{where}: kept the schema, {took:.1f} s{spent}"
    if unpriced:
        return Finding(check="model", state=State.WARN, found=found, advice=unpriced)
    return Finding(check="model", state=State.OK, found=found)


def _unkept(where: str, took: float, reading: Reading) -> Finding:
    found = f"{where}: answered in {took:.1f} s, but not in the asked form ({reading.fault}: {reading.detail})"
    advice = "use a server that keeps response_format json_schema, or a model that can; see docs/models.md"
    return Finding(check="model", state=State.FAIL, found=found, advice=advice)


def _spent(question: Question, raw: str, *, priced: bool) -> str:
    used = usage(raw)
    if used is None:
        return "; it tells no token counts, so cost is reckoned by bounds"
    price = f", ${cost(question.price, used):.4f}" if priced else ""
    return f"; {used.prompt:,} + {used.completion:,} tokens{price}"


async def _answer(question: Question, endpoint: Endpoint, patient: Patient) -> str:
    """The raw answer to one attempt. Raises ModelError."""
    asked = criteria.load(patient.settings.criteria)
    one = next(each for each in asked.criteria if each.settled_by is SettledBy.TEXT)
    request = converse(case(one, MUNICIPALITY, AS_OF, (), {}), question.prompts, question.model, lambda _: None)
    if not isinstance(request, Request):
        raise ModelError("the judge has no question to ask")
    kept: list[str] = []
    refused: list[UnansweredError] = []

    @asynccontextmanager
    async def once() -> AsyncIterator[Callable[[str], None]]:
        if refused:
            raise ModelError(refused[0].why)
        try:
            yield kept.append
        except UnansweredError as error:
            refused.append(error)
            raise

    stopped = asyncio.Event()
    stopped.set()  # no wait before the second attempt, which is not made
    async with Client(endpoint, lanes=1) as client:
        await client.complete(fenced(request.body), once, stopped)
    return kept[0]
