"""Asking a model about every criterion: from the cache where it was asked before, else live, within the budget."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from pipeline.errors import ModelError
from pipeline.judge.answer import Usage, usage
from pipeline.judge.budget import (
    TOKENS_PER_MESSAGE,
    Budget,
    Estimate,
    Price,
    bound,
    cost,
    input_bound,
    input_estimate,
)
from pipeline.judge.client import Client, UnansweredError
from pipeline.judge.dialogue import MAX_ROUNDS, Model, Request, converse, growth, unanimous
from pipeline.judge.grounding import verify
from pipeline.judge.prompt import Case, fenced, new_mark
from pipeline.models import Flag, Page, PromptSet, Proposal, Verdict

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
    """What all open questions would take: expected for one round, bounded for all rounds that may follow."""
    open_ = [(case, request) for case in cases for request in pending(question, case, get)]
    given, written = sum(input_estimate(request.body) for _, request in open_), EXPECTED_OUTPUT_TOKENS * len(open_)
    most = sum(_input_bound(question, case, request) for case, request in open_)
    limit = question.model.output_limit * sum(_rounds_left(request) for _, request in open_)
    return Estimate(
        requests=len(open_),
        input_expected=given,
        input_bound=most,
        output_bound=limit,
        usd_expected=cost(question.price, Usage(given, written)),
        usd_bound=cost(question.price, Usage(most, limit)),
    )


def _rounds_left(request: Request) -> int:
    return MAX_ROUNDS + 1 - request.round


def _input_bound(question: Question, case: Case, request: Request) -> int:
    """Of this round and those that may follow, each of which repeats the one before and adds two messages."""
    more = growth(case, question.prompts)[: _rounds_left(request)]
    added = (size + 2 * number * TOKENS_PER_MESSAGE for number, size in enumerate(more))
    return len(more) * input_bound(request.body) + sum(added)


def pending(question: Question, case: Case, get: Get) -> list[Request]:
    """The requests of a case that can be sent now and have no answer yet, one a sample at most."""
    steps = (_step(question, case, get, sample) for sample in range(question.votes))
    return [step for step in steps if isinstance(step, Request)]


def settled(question: Question, case: Case, get: Get) -> Proposal | None:
    """The proposal that the answers at hand allow; None while one is missing."""
    steps = [_step(question, case, get, sample) for sample in range(question.votes)]
    proposals = [step for step in steps if isinstance(step, Proposal)]
    return _one(question, case, proposals) if len(proposals) == len(steps) else None


def _one(question: Question, case: Case, proposals: Sequence[Proposal]) -> Proposal:
    """A vote whose quotes stand on no offered page is no vote: it could else outvote one that is right."""
    if question.votes == 1:
        return proposals[0]
    pages = {doc.page.sha256: doc.page for doc in case.docs}
    return unanimous([_vote(one, pages) for one in proposals])


def _vote(said: Proposal, pages: Mapping[str, Page]) -> Proposal:
    if not said.claims or any(verify(claim, pages).quote for claim in said.claims):
        return said
    flags = tuple(dict.fromkeys((*said.flags, Flag.QUOTE_NOT_FOUND)))
    return said.model_copy(update={"verdict": Verdict.NOT_JUDGED, "flags": flags})


def _step(question: Question, case: Case, get: Get, sample: int) -> Request | Proposal:
    return converse(case, question.prompts, question.model, lambda request: get(request.key), sample=sample)


class Asking:
    """One run over all cases. get and put: the cache. stop() lets what is under way finish and sends nothing more."""

    def __init__(self, question: Question, client: Client, budget: Budget, get: Get, put: Put) -> None:
        self.question, self.client, self.budget = question, client, budget
        self._get, self._put = get, put
        self._stopped = asyncio.Event()
        self._settled = asyncio.Condition()
        self._at_a_time = asyncio.Semaphore(client.lanes)
        self._seen: set[str] = set()
        self.asked = Asked()

    def stop(self, reason: str) -> None:
        self.asked.stopped = self.asked.stopped or reason
        self._stopped.set()

    def raise_if_stopped(self) -> None:
        """KeyboardInterrupt or ModelError where the run was stopped; all that was paid for is in the cache."""
        if self.asked.stopped == INTERRUPTED:
            raise KeyboardInterrupt
        if self.asked.stopped:
            raise ModelError(self.asked.stopped, fatal=True)

    async def all(self, cases: Sequence[Case], done: Callable[[Case], None]) -> list[Proposal]:
        """One proposal for each case, in their order; `not_judged` with the reason where there is no answer.

        The first Ctrl-C waits for what is under way, the second does not.
        """
        everything = asyncio.gather(*(self._case(case, done) for case in cases))

        def interrupted() -> None:
            if self.asked.stopped == INTERRUPTED:
                everything.cancel()
            self.stop(INTERRUPTED)

        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, interrupted)
        try:
            return list(await everything)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            with suppress(NotImplementedError, ValueError, RuntimeError):
                loop.remove_signal_handler(signal.SIGINT)

    async def _case(self, case: Case, done: Callable[[Case], None]) -> Proposal:
        """As many cases at a time as there are lanes: one is brought to its end before the next begins, so that a
        budget that runs out leaves few of them half asked, and a prompt cache still holds what the next round repeats.
        """
        async with self._at_a_time:
            samples = [self._sample(case, sample) for sample in range(self.question.votes)]
            proposal = _one(self.question, case, await asyncio.gather(*samples))
        done(case)
        return proposal

    async def _sample(self, case: Case, sample: int) -> Proposal:
        mark = new_mark()
        while True:
            step = _step(self.question, case, self._known, sample)
            if isinstance(step, Proposal):
                return step
            failure = await self._send(step, case, mark)
            if failure:
                return not_judged(self.question, case, failure)

    def _known(self, key: str) -> str | None:
        raw = self._get(key)
        if raw is not None and key not in self._seen:
            self._seen.add(key)
            self.asked.cached += 1
            self.client.proven = True
        return raw

    async def _send(self, request: Request, case: Case, mark: str) -> str:
        """Send one request and keep its raw answer; returns why not, or an empty string."""
        body = fenced(request.body, mark)
        try:
            await self.client.complete(body, partial(self._attempt, request, case), self._stopped)
        except ModelError as error:
            if error.fatal:
                self.stop(str(error))
            return str(error)
        return ""

    @asynccontextmanager
    async def _attempt(self, request: Request, case: Case) -> AsyncIterator[Callable[[str], None]]:
        """The account of one attempt: its bound set aside before, what it did cost settled after.

        An attempt that is lost on the way counts with its bound, because the server may have charged for it.
        """
        most = bound(self.question.price, request.body, self.question.model.output_limit)
        await self._reserve(most)
        paid = most

        def keep(raw: str) -> None:
            nonlocal paid
            counts = usage(raw)
            paid = cost(self.question.price, counts) if counts else most
            self._seen.add(request.key)
            self._put(request, case, raw, paid)
            self._account(counts)

        try:
            yield keep
        except UnansweredError as error:
            paid = most if error.billed else Decimal(0)
            raise
        finally:
            self.asked.usd += paid
            async with self._settled:
                self.budget.settle(most, paid)
                self._settled.notify_all()

    async def _reserve(self, most: Decimal) -> None:
        """Wait until the bound fits beside what is under way. Raises ModelError where it does not fit at all."""
        budget = self.budget
        async with self._settled:
            await self._settled.wait_for(lambda: self._stopped.is_set() or budget.fits(most) or not budget.reserved)
            if self._stopped.is_set():
                raise ModelError(self.asked.stopped)
            if not budget.reserve(most):
                raise ModelError(f"budget: this call may cost up to ${most:.4f}, ${budget.left:.4f} is left")

    def _account(self, counts: Usage | None) -> None:
        self.asked.sent += 1
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
