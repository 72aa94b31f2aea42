"""A whole city before a real model: too small for Japanese, and so a good liar. `make test-model` runs this."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from commands import classify
from model_scene import CRITERIA, PAGES, matter, panel, question, run
from model_server import weights

from pipeline import judging
from pipeline.archive import Archive
from pipeline.cache import Answers
from pipeline.extract import extract
from pipeline.judge.answer import Fault, read, usage
from pipeline.models import Flag, Page, QueueItem, RunState, SettledBy, Verdict
from pipeline.store.store import Store

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

ASKED = sum(one.settled_by is not SettledBy.MEASURED for one in CRITERIA.criteria)
# As much as two cores can read and write in a few minutes; a real survey offers more documents, in the shipped words.
PASSAGES = 2
ANSWER_TOKENS = 120
PROMPTS = Path(__file__).parent / "files" / "judge-tiny.yaml"
PARAMETERS = f'smollm2: {{input: "0", output: "0", parameters: {{max_tokens: {ANSWER_TOKENS}, seed: 7}}}}\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of llama.cpp's server with SmolLM2-135M."""
    if weights() is None:
        pytest.skip("the model is not installed; `make test-model` does that")
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, str(Path(__file__).with_name("model_server.py"))]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout
        address = next((line.split()[1] for line in process.stdout if line.startswith("LISTENING")), "")
        assert address, log.read_text("utf-8", "replace")[-2000:]
        yield address
        process.kill()


def work_of(server: str) -> tuple[float, ...]:
    """What the server has read and written so far, in tokens, by its own count."""
    with urllib.request.urlopen(f"{server}/metrics") as answer:
        counts = dict(re.findall(r"^llamacpp:(\w+) (\S+)$", answer.read().decode(), re.MULTILINE))
    return float(counts["prompt_tokens_total"]), float(counts["tokens_predicted_total"])


@pytest.fixture(scope="module")
def surveyed(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city, surveyed with the real model."""
    home = tmp_path_factory.mktemp("workspace")
    (home / "models.yaml").write_text(PARAMETERS, "utf-8")
    print(ask(home, server, "--city", "demo"))
    return home


def ask(home: Path, server: str, *arguments: str) -> str:
    by = ("--base-url", f"{server}/v1", "--model", "smollm2", "--price", "0/0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "PASSAGES_PER_CRITERION", PASSAGES)
        return classify(
            home,
            *arguments,
            *by,
            CLASSIFY_MODELS=str(home / "models.yaml"),
            CLASSIFY_PROMPTS=str(PROMPTS),
            CLASSIFY_CONCURRENCY="1",
            CLASSIFY_MODEL_TIMEOUT_S="600",
        )


def items(home: Path) -> list[QueueItem]:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        run = store.runs()[-1]
        assert run.state is RunState.DONE
        return store.items(run.id)


def raws(home: Path) -> list[str]:
    with Answers(home / "cache" / "answers") as answers:
        return [entry.raw for _, entry in answers.entries()]


def test_every_criterion_has_an_outcome(surveyed: Path) -> None:
    found = items(surveyed)
    assert [item.judgement.criterion for item in found] == [one.id for one in CRITERIA.criteria]
    asked = [item.judgement for item in found if item.judgement.model]
    assert len(asked) == ASKED
    for judgement in asked:
        assert judgement.rationale
        assert (judgement.verdict is Verdict.NOT_JUDGED) <= (
            Flag.MODEL_FAILED in judgement.flags or Flag.QUOTE_NOT_FOUND in judgement.flags
        )
    print(Counter(judgement.verdict.value for judgement in asked))


def test_nothing_ungrounded_is_met(surveyed: Path) -> None:
    """Each quote is the very slice of the archived page that it names."""
    with Archive(surveyed / "archive") as archive:
        for item in items(surveyed):
            judgement = item.judgement
            if judgement.verdict in (Verdict.MET, Verdict.NOT_MET):
                assert judgement.quotes or judgement.measurement
            for quote in judgement.quotes:
                snapshot = archive.find(quote.page_sha256)
                assert snapshot is not None
                page = extract(snapshot, archive.body(quote.page_sha256))
                assert isinstance(page, Page)
                assert page.text[quote.start : quote.end] == quote.text


def test_truncated_and_invented_answers_are_no_evidence(surveyed: Path) -> None:
    """This model copies the example of its prompt, and runs on until it is cut off."""
    readings = [read(raw) for raw in raws(surveyed)]
    faults = Counter(reading.fault for reading in readings)
    print(faults)
    assert faults[Fault.LENGTH] > 0
    assert len(readings) > ASKED, "each was asked to repair its answer"
    invented = [one.answer for one in readings if one.answer and "市民課では窓口の予約" in str(one.answer.quotes)]
    assert invented
    flags = Counter(flag for item in items(surveyed) for flag in item.judgement.flags)
    assert flags[Flag.QUOTE_NOT_FOUND] > 0
    assert flags[Flag.MODEL_FAILED] > 0


def test_the_server_counts_what_we_count(surveyed: Path) -> None:
    counts = [usage(raw) for raw in raws(surveyed)]
    print("tokens read, written:", sum(one.prompt for one in counts if one), sum(o.completion for o in counts if o))
    assert all(one and 0 < one.completion <= ANSWER_TOKENS for one in counts)


def test_a_warm_run_asks_the_server_nothing(server: str, surveyed: Path) -> None:
    before, first = work_of(server), [item.digest for item in items(surveyed)]
    told = ask(surveyed, server, "judge", "--city", "demo")
    assert "smollm2: 0 requests sent" in told
    assert work_of(server) == before
    assert [item.digest for item in items(surveyed)] == first


def test_the_shipped_prompts_begin_alike_so_that_a_server_reads_the_beginning_once(server: str, tmp_path: Path) -> None:
    asked = question(f"{server}/v1", name="smollm2", max_tokens=60, seed=7)
    found = run(matter(ids=("ops-08", "ops-09")), panel(asked, lanes=1, timeout_s=600), tmp_path)
    with Answers(tmp_path / "answers") as answers:
        counts = [usage(entry.raw) for _, entry in answers.entries()]
    print(counts)
    assert [one.criterion for one in found.judgements] == ["ops-08", "ops-09"]
    assert all(one and one.cached > 2000 for one in counts[1:])
    pages = {page.sha256: page for page in PAGES}
    for judgement in found.judgements:
        assert (judgement.verdict is Verdict.MET) <= bool(judgement.quotes)
        assert all(pages[one.page_sha256].text[one.start : one.end] == one.text for one in judgement.quotes)
