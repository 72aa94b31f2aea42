"""The rounds of one question to a model, as a pure function of the answers so far: live, batch and file give the same.

Round one asks; a faulty answer gets one repair round that shows the model its error; a model that lacks context gets
one round with wider passages. Then there is a proposal, whatever came back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import unquote

from pipeline.judge.answer import RESPONSE_FORMAT, Answer, Fault, Reading, read
from pipeline.judge.orders import gives_orders
from pipeline.judge.prompt import FENCE, Case, Doc, fill, first_messages, key, section, shown, unmarked
from pipeline.models import Claim, Flag, PromptSet, Proposal, Verdict

MAX_ROUNDS = 3
# What a model may write: a verdict, two or three quotes and two sentences take about 500 tokens in Japanese.
MAX_OUTPUT_TOKENS = 2000
# What of its own answer a model is shown again, and of what is wrong with it: an answer in the asked form is shorter.
REPEATED_BYTES = 6000
ERROR_BYTES = 600
CITED_UNKNOWN_DOC = "documents cited that were not offered: {}"
NO_QUOTE = "verdict {} without a quote"


@dataclass(frozen=True)
class Model:
    """How to ask a model. parameters: sent as they are (temperature, the limit on output, ...)."""

    name: str
    base_url: str = ""
    parameters: tuple[tuple[str, Any], ...] = (("max_completion_tokens", MAX_OUTPUT_TOKENS), ("temperature", 0))

    @property
    def output_limit(self) -> int:
        limits = dict(self.parameters)
        return int(limits.get("max_completion_tokens") or limits.get("max_tokens") or MAX_OUTPUT_TOKENS)


@dataclass(frozen=True)
class Request:
    """One call: its key (cache key and custom_id) and its body, fences not yet random."""

    key: str
    body: dict[str, Any]
    round: int


@dataclass
class _State:
    messages: list[dict[str, str]]
    repaired: bool = False
    widened: bool = False


def converse(
    case: Case, prompts: PromptSet, model: Model, answered: Callable[[Request], str | None], *, sample: int = 0
) -> Request | Proposal:
    """The next request whose answer is not known yet, or the proposal when all rounds are answered.

    answered: gives the raw answer to a request, or None.
    """
    state = _State(first_messages(prompts, case))
    for number in range(1, MAX_ROUNDS + 1):
        request = _request(state.messages, model, sample, number)
        raw = answered(request)
        if raw is None:
            return request
        reading = read(raw)
        follow_up = _follow_up(case, prompts, reading, state)
        if follow_up is None:
            break
        said = _cut(unmarked(reading.text), REPEATED_BYTES) or "（空の答え）"
        state.messages = [*state.messages, {"role": "assistant", "content": said}, follow_up]
    return _proposal(case, prompts, model, reading)


def _request(messages: list[dict[str, str]], model: Model, sample: int, number: int) -> Request:
    body = {"model": model.name, "messages": messages, "response_format": RESPONSE_FORMAT, **dict(model.parameters)}
    return Request(key(body, base_url=model.base_url, sample=sample), body, number)


def _follow_up(case: Case, prompts: PromptSet, reading: Reading, state: _State) -> dict[str, str] | None:
    error = _error(case, reading)
    if error:
        if state.repaired or reading.fault in (Fault.REFUSED, Fault.FILTERED):
            return None
        state.repaired = True
        return {"role": "user", "content": fill(prompts.repair, error=unmarked(error))}
    lacking = [doc for doc in case.docs if reading.answer and doc.number in reading.answer.needs_context]
    if not lacking or state.widened:
        return None
    state.widened = True
    wider = [section(doc) for doc in lacking]
    if all(new.text == old.text for new, old in zip(wider, lacking, strict=True)):
        return None
    passages = shown(prompts, wider)
    return {
        "role": "user",
        "content": fill(prompts.widen, criterion_id=case.criterion.id, fence=FENCE, passages=passages),
    }


def growth(case: Case, prompts: PromptSet) -> tuple[int, ...]:
    """Bytes of UTF-8 that no, one and two further rounds add to the messages at most."""
    wider = shown(prompts, [section(doc) for doc in case.docs])
    widen = len(fill(prompts.widen, criterion_id=case.criterion.id, fence=FENCE, passages=wider).encode())
    repair = len(fill(prompts.repair, error="").encode()) + ERROR_BYTES
    return 0, REPEATED_BYTES + max(widen, repair), 2 * REPEATED_BYTES + widen + repair


def _cut(text: str, most: int) -> str:
    """The beginning of the text in at most so many bytes of UTF-8."""
    return text.encode()[:most].decode(errors="ignore")


def _error(case: Case, reading: Reading) -> str:
    """What is wrong with the answer, in words for the model; empty where nothing is."""
    if reading.answer is None:
        return f"{reading.fault}: {reading.detail}"
    if Verdict(reading.answer.verdict) is Verdict.NO_EVIDENCE:
        return ""
    unknown = [cited.doc for cited in reading.answer.quotes if case.doc(cited.doc) is None]
    if unknown:
        return CITED_UNKNOWN_DOC.format(", ".join(unknown))
    if not reading.answer.quotes:
        return NO_QUOTE.format(reading.answer.verdict)
    return ""


def _proposal(case: Case, prompts: PromptSet, model: Model, reading: Reading) -> Proposal:
    """A wrong document number costs that number only: the verifier looks for the words on every offered page."""
    answer, error = reading.answer, _error(case, reading)
    said = Proposal(
        criterion=case.criterion.id,
        verdict=Verdict.NOT_JUDGED,
        rationale=f"モデルの答えを使えませんでした（{error}）",
        confidence=0.0,
        flags=(Flag.MODEL_FAILED, *_warnings(case)),
        searched=tuple(dict.fromkeys(doc.page.sha256 for doc in case.docs)),
        judge="model",
        model=model.name,
        prompt_sha256=prompts.sha256,
    )
    if answer is None or (error and not answer.quotes):
        return said
    heard = {
        "verdict": Verdict(answer.verdict),
        "claims": _claims(case, answer),
        "rationale": answer.rationale,
        "confidence": answer.confidence / 100,
        "flags": (*((Flag.OTHER_PAGE,) if error else ()), *_warnings(case)),
    }
    return said.model_copy(update=heard)


def _warnings(case: Case) -> tuple[Flag, ...]:
    """A passage, or what is hidden on its page, that tells its reader how to judge."""
    spoken = ((doc.text, doc.page.title, *doc.headings, unquote(doc.href), doc.page.hidden_text) for doc in case.docs)
    return (Flag.ADDRESSED_TO_EVALUATOR,) if any(map(gives_orders, chain.from_iterable(spoken))) else ()


def _claims(case: Case, answer: Answer) -> tuple[Claim, ...]:
    if Verdict(answer.verdict) is Verdict.NO_EVIDENCE:
        return ()
    docs = ((cited, case.doc(cited.doc)) for cited in answer.quotes)
    return tuple(_claim(cited.text, doc) for cited, doc in docs)


def _claim(text: str, doc: Doc | None) -> Claim:
    """A link's label quoted whole names its link; other words of it are plain text."""
    if doc is None:
        return Claim(text=text)
    return Claim(text=text, page_sha256=doc.page.sha256, href=doc.href if text.strip() == unmarked(doc.text) else "")


def unanimous(proposals: Sequence[Proposal]) -> Proposal:
    """One proposal from several samples of the same question: the commonest verdict, confidence its share of the votes.

    Ties go to the verdict that claims less (`not_judged`, `no_evidence`, `not_met`, `met`, in this order); a split is
    flagged.
    """
    order = (Verdict.NOT_JUDGED, Verdict.NO_EVIDENCE, Verdict.NOT_MET, Verdict.MET)
    votes = {verdict: [one for one in proposals if one.verdict is verdict] for verdict in order}
    winner = max(order, key=lambda verdict: len(votes[verdict]))
    best = max(votes[winner], key=lambda proposal: proposal.confidence)
    cast = tuple(one.verdict for one in proposals) if len(proposals) > 1 else ()
    share = len(votes[winner]) / len(proposals)
    if share == 1:
        return best.model_copy(update={"votes": cast})
    flags = tuple(dict.fromkeys((*best.flags, Flag.VOTES_SPLIT)))
    return best.model_copy(update={"confidence": best.confidence * share, "flags": flags, "votes": cast})
