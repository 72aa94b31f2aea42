"""Questions that leave as files and come back as answers: the ledger of what was asked, and what came of each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.cache import Answers, Entry
from pipeline.errors import InputError
from pipeline.judge.answer import usage
from pipeline.judge.ask import Question, pending
from pipeline.judge.batch import MAX_BYTES, MAX_REQUESTS, Fate, Line, lines, sort
from pipeline.judge.budget import Price, cost
from pipeline.judge.client import Endpoint
from pipeline.judge.dialogue import Model, Request
from pipeline.judge.prompt import Case
from pipeline.judge.remote import ENDED, REFUSED, Remote, Standing
from pipeline.judging import Matter, raw_of
from pipeline.models import PromptSet, Run
from pipeline.panel import Panel
from pipeline.reading import Watch
from pipeline.run import Outcome, matter_of, rejudge
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """One question of a batch: whose it is, so that its answer can be filed without the pages at hand."""

    key: str
    criterion: str
    page_sha256s: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """What was exported: kept as one JSON file in the workspace, with all that it takes to ask the same again.

    remote_id, remote_status: of a batch that a provider works on.
    """

    id: str
    run_id: str
    municipality: str
    model: str
    base_url: str
    parameters: tuple[tuple[str, Any], ...]
    votes: int
    price: Mapping[str, str]
    prompt_sha256: str
    criteria_sha256: str
    asked: tuple[Asked, ...]
    created: str
    remote_id: str = ""
    remote_status: str = ""

    def question(self, prompts: PromptSet) -> Question:
        """The question as it was exported."""
        model = Model(self.model, self.base_url, self.parameters)
        return Question(prompts, model, Price(**self.price), self.votes)  # type: ignore[arg-type]


class Ledger:
    """The batches of a workspace."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "batches"

    def save(self, batch: Batch) -> None:
        """Write the batch, whole or not at all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{batch.id}.json"
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(batch), ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(path)

    def all(self) -> list[Batch]:
        """Every batch, oldest first."""
        return [_batch(path) for path in sorted(self._folder.glob("*.json"))]

    def find(self, batch_id: str) -> Batch:
        """The batch of that id, its remote id, or the latest for an empty text. Raises InputError."""
        known = self.all()
        found = [one for one in known if not batch_id or batch_id in (one.id, one.remote_id)]
        if not found:
            raise InputError(
                f"batch {batch_id or '(latest)'}: not in this workspace. `classify batch status` lists them."
            )
        return found[-1]


def _batch(path: Path) -> Batch:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        asked = tuple(Asked(one["key"], one["criterion"], tuple(one["page_sha256s"])) for one in content.pop("asked"))
        parameters = tuple((name, value) for name, value in content.pop("parameters"))
        return Batch(**content, asked=asked, parameters=parameters)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a batch of this program ({error}). Move it away.") from None


def export(run_id: str, matter: Matter, question: Question, answers: Answers, settings: Settings) -> tuple[Batch, str]:
    """The open questions of a run as a batch, recorded in the ledger, and as JSON lines. Raises InputError for none."""
    questions = [(one, request) for one in matter.cases for request in pending(question, one, raw_of(answers))]
    if not questions:
        raise InputError(f"{matter.municipality.name}: every question has its answer. `classify judge` uses them.")
    text = "\n".join(lines(request for _, request in questions)) + "\n"
    if len(questions) > MAX_REQUESTS or len(text.encode()) > MAX_BYTES:
        raise InputError(f"{len(questions)} requests, {len(text.encode())} bytes: over the limit of a batch file.")
    batch = Batch(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{matter.municipality.code}",
        run_id=run_id,
        municipality=matter.municipality.code,
        model=question.model.name,
        base_url=question.model.base_url,
        parameters=question.model.parameters,
        votes=question.votes,
        prompt_sha256=question.prompts.sha256,
        criteria_sha256=matter.criteria.sha256,
        price={name: str(value) for name, value in question.price.model_dump().items() if value is not None},
        asked=tuple(_asked(one, request) for one, request in questions),
        created=datetime.now(UTC).isoformat(),
    )
    workspace = Workspace(settings.home)
    workspace.keep(matter.criteria)
    workspace.keep(question.prompts)
    Ledger(settings.home).save(batch)
    return batch, text


def _asked(one: Case, request: Request) -> Asked:
    return Asked(request.key, one.criterion.id, tuple(dict.fromkeys(doc.page.sha256 for doc in one.docs)))


def again(batch: Batch, settings: Settings) -> str:
    """The lines of an exported batch, from the archived pages; fences are new, the ids the same."""
    workspace = Workspace(settings.home)
    with Store(settings.database_url) as store:
        run = _run_of(batch, store)
    run = run.model_copy(update={"criteria_sha256": batch.criteria_sha256})
    matter = matter_of(run, settings, lambda *_: None)
    question = batch.question(workspace.prompts(batch.prompt_sha256))
    wanted = {one.key for one in batch.asked}
    with Answers(settings.cache / "answers") as answers:
        get = raw_of(answers)
        requests = [request for one in matter.cases for request in pending(question, one, get)]
    open_ones = [request for request in requests if request.key in wanted]
    if not open_ones:
        raise InputError(f"batch {batch.id}: every question has its answer. `classify batch export` asks what is left.")
    return "\n".join(lines(open_ones)) + "\n"


def _run_of(batch: Batch, store: Store) -> Run:
    run = store.run(batch.run_id)
    if run is None:
        raise InputError(f"batch {batch.id}: its run {batch.run_id} is not in this workspace.")
    return run


@dataclass(frozen=True)
class Taken:
    """What an answer file brought. lines: every line's fate; batches: those it speaks of; missing: their questions that
    still have no answer."""

    lines: tuple[Line, ...]
    batches: tuple[Batch, ...]
    missing: tuple[Asked, ...]

    @property
    def useful(self) -> bool:
        """Whether any line is about a question of this workspace."""
        return any(line.fate not in (Fate.FOREIGN, Fate.UNREADABLE) for line in self.lines)


def take(text: Iterable[bytes], answers: Answers, settings: Settings) -> Taken:
    """File the good lines of an answer file in the cache. Nothing of what is there is replaced."""
    batches = Ledger(settings.home).all()
    asked = {one.key: (batch, one) for batch in batches for one in batch.asked}
    known = {key for key in asked if answers.get(key) is not None}
    fates = []
    for line in sort(text, asked=asked.keys(), known=known):
        if line.fate is Fate.TAKEN:
            batch, one = asked[line.custom_id]
            answers.put(line.custom_id, _filed(batch, one, line.raw))
            known.add(line.custom_id)
        fates.append(replace(line, raw=""))
    about = {asked[line.custom_id][0].id for line in fates if line.custom_id in asked}
    touched = tuple(batch for batch in batches if batch.id in about)
    missing = tuple(one for batch in touched for one in batch.asked if one.key not in known)
    return Taken(tuple(fates), touched, missing)


def _filed(batch: Batch, one: Asked, raw: str) -> Entry:
    counts = usage(raw)
    usd = cost(Price(**batch.price), counts) if counts else Decimal(0)  # type: ignore[arg-type]
    return Entry(
        raw=raw,
        model=batch.model,
        criterion=one.criterion,
        municipality=batch.municipality,
        prompt_sha256=batch.prompt_sha256,
        criteria_sha256=batch.criteria_sha256,
        page_sha256s=one.page_sha256s,
        cost_usd=float(usd),
        stored_at=datetime.now(UTC).isoformat(),
    )


def conclude(batch: Batch, settings: Settings, watch: Watch) -> Outcome:
    """Judge the run of a batch with the answers at hand; what is still unanswered is `not_judged`."""
    workspace = Workspace(settings.home)
    with Store(settings.database_url) as store:
        run = _run_of(batch, store)
    question = batch.question(workspace.prompts(batch.prompt_sha256))
    panel = Panel((batch.model,), "as the batch says", {batch.model: question}, Endpoint("", ""), 1, offline=True)
    criteria = workspace.criteria(batch.criteria_sha256)
    return rejudge(run, criteria, settings=settings, panel=panel, watch=watch)


def submit(batch: Batch, text: str, remote: Remote, settings: Settings) -> Batch:
    """Hand a batch in, once: one that was handed in before the process died is taken up, one that failed is not.

    Raises InputError where another batch under way asks some of the same: it would be paid for twice.
    """
    _alone(batch, settings)
    if batch.remote_id and remote.standing(batch.remote_id).status not in REFUSED:
        return batch
    standing = remote.find(batch.id) or remote.submit(batch.id, text, label=batch.id)
    return noted(batch, standing, settings)


def _alone(batch: Batch, settings: Settings) -> None:
    keys = {one.key for one in batch.asked}
    for other in Ledger(settings.home).all():
        shared = keys & {one.key for one in other.asked}
        if shared and other.id != batch.id and other.remote_id and other.remote_status not in ENDED:
            raise InputError(
                f"batch {batch.id}: {len(shared)} of its questions wait in {other.id} already. "
                f"Run  classify batch collect {other.id}  first, then export what is left."
            )


def noted(batch: Batch, standing: Standing, settings: Settings) -> Batch:
    """The batch with how it stands at the provider, kept in the ledger."""
    stands = replace(batch, remote_id=standing.remote_id, remote_status=standing.status)
    if stands != batch:
        Ledger(settings.home).save(stands)
    return stands
