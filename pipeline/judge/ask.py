"""Asking a model about every criterion: from the cache where it was asked before, else live, within the budget."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.errors import ModelError
from pipeline.judge.answer import Usage, usage
from pipeline.judge.budget import Budget, Estimate, Price, bound, cost, input_bound, input_estimate
from pipeline.judge.client import Client
from pipeline.judge.dialogue import Model, Request, converse, unanimous
from pipeline.judge.prompt import Case, fenced
from pipeline.models import Flag, PromptSet, Proposal, Verdict

# What an answer is expected to hold, for the estimate only.
EXPECTED_OUTPUT_TOKENS = 400
INTERRUPTED = "interrupted"

Get = Callable[[str], str | None]
Put = Callable[[Request, Case, str, Decimal], None]


@dataclass(frozen=True)
class Question:
    """What stays the same over all cases of a run. votes: samples of each question."""

    prompts: PromptSet
    model: Model
    price: Price
    votes: int = 1


@dataclass
class Asked:
    """What asking took: requests sent, answers found in the cache, tokens, and why it stopped early if it did."""

    sent: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: Decimal = field(default_factory=Decimal)
    stopped: str = ""


def estimate(question: Question, cases: Sequence[Case], get: Get) -> Estimate:
    """What the first round of all questions not yet answered would take; further rounds come on top, rarely."""
    bodies = [request.body for case in cases for request in pending(question, case, get)]
    given, most = sum(map(input_estimate, bodies)), sum(map(input_bound, bodies))
    written, limit = EXPECTED_OUTPUT_TOKENS * len(bodies), question.model.output_limit * len(bodies)
    return Estimate(
        requests=len(bodies),
        input_expected=given,
        input_bound=most,
        output_bound=limit,
        usd_expected=cost(question.price, Usage(given, written)),
        usd_bound=cost(question.price, Usage(most, limit)),
    )


def pending(question: Question, case: Case, get: Get) -> list[Request]:
    """The requests of a case that can be sent now and have no answer yet, one a sample at most."""
    steps = (_step(question, case, get, sample) for sample in range(question.votes))
    return [step for step in steps if isinstance(step, Request)]


def settled(question: Question, case: Case, get: Get) -> Proposal | None:
    """The proposal that the answers at hand allow; None while one is missing."""
    steps = [_step(question, case, get, sample) for sample in range(question.votes)]
    proposals = [step for step in steps if isinstance(step, Proposal)]
    return unanimous(proposals) if len(proposals) == len(steps) else None


def _step(question: Question, case: Case, get: Get, sample: int) -> Request | Proposal:
    return converse(case, question.prompts, question.model, lambda request: get(request.key), sample=sample)


class Asking:
    """One run over all cases. get and put: the cache. stop() lets what is under way finish and sends nothing more."""

    def __init__(self, question: Question, client: Client, budget: Budget, get: Get, put: Put) -> None:
        self.question, self.client, self.budget = question, client, budget
        self._get, self._put = get, put
        self.asked = Asked()

    def stop(self, reason: str) -> None:
        self.asked.stopped = self.asked.stopped or reason

    def raise_if_stopped(self) -> None:
        """KeyboardInterrupt or ModelError where the run was stopped; all that was paid for is in the cache."""
        if self.asked.stopped == INTERRUPTED:
            raise KeyboardInterrupt
        if self.asked.stopped:
            raise ModelError(self.asked.stopped, fatal=True)

    async def all(self, cases: Sequence[Case], done: Callable[[Case], None]) -> list[Proposal]:
        """One proposal for each case, in their order; `not_judged` with the reason where there is no answer."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, self.stop, INTERRUPTED)
        try:
            return list(await asyncio.gather(*(self._case(case, done) for case in cases)))
        finally:
            with suppress(NotImplementedError, ValueError, RuntimeError):
                loop.remove_signal_handler(signal.SIGINT)

    async def _case(self, case: Case, done: Callable[[Case], None]) -> Proposal:
        samples = [self._sample(case, sample) for sample in range(self.question.votes)]
        proposal = unanimous(await asyncio.gather(*samples))
        done(case)
        return proposal

    async def _sample(self, case: Case, sample: int) -> Proposal:
        while True:
            step = _step(self.question, case, self._count, sample)
            if isinstance(step, Proposal):
                return step
            failure = await self._send(step, case)
            if failure:
                return not_judged(self.question, case, failure)

    def _count(self, key: str) -> str | None:
        raw = self._get(key)
        self.asked.cached += raw is not None
        return raw

    async def _send(self, request: Request, case: Case) -> str:
        """Send one request and keep its raw answer; returns why not, or an empty string."""
        most = bound(self.question.price, request.body, self.question.model.output_limit)
        if self.asked.stopped:
            return self.asked.stopped
        if not self.budget.reserve(most):
            return f"budget: this call may cost up to ${most:.4f}, ${self.budget.left:.4f} is left"
        paid = Decimal(0)
        try:
            raw = await self.client.complete(fenced(request.body), lambda: bool(self.asked.stopped))
            counts = usage(raw)
            paid = cost(self.question.price, counts) if counts else most
            self._put(request, case, raw, paid)
            self._account(counts, paid)
        except ModelError as error:
            if error.fatal:
                self.stop(str(error))
            return str(error)
        finally:
            self.budget.settle(most, paid)
        return ""

    def _account(self, counts: Usage | None, paid: Decimal) -> None:
        self.asked.sent += 1
        self.asked.usd += paid
        if counts:
            self.asked.prompt_tokens += counts.prompt
            self.asked.completion_tokens += counts.completion


def not_judged(question: Question, case: Case, reason: str) -> Proposal:
    """The proposal of a question that got no answer."""
    return Proposal(
        criterion=case.criterion.id,
        verdict=Verdict.NOT_JUDGED,
        rationale=f"モデルに尋ねられませんでした（{reason}）",
        confidence=0.0,
        flags=(Flag.MODEL_FAILED,),
        searched=tuple(dict.fromkeys(doc.page.sha256 for doc in case.docs)),
        judge="model",
        model=question.model.name,
        prompt_sha256=question.prompts.sha256,
    )
