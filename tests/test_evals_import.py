"""Labels from the review queue: what two blind coders agree on or a third person settles, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import classify
from queue_data import told, walked
from reviewing import classify as process
from reviewing import copied, database_of

from evals.imported import ANCHORED, CHANGED, HALF_CODED, NOT_CODED, UNSETTLED, from_queue
from evals.kept import Runs
from evals.labels import load
from evals.nouns import How
from pipeline import demo
from pipeline.models import QueueItem, Run, Verdict
from pipeline.store.store import Store

NOTE = "二人とも\n<script>alert(1)</script>"


def survey(home: Path) -> tuple[Run, list[QueueItem]]:
    with Store(database_of(home)) as store:
        run = store.latest_run(demo.MUNICIPALITY.code)
        assert run is not None
        return run, store.items(run.id)


def decide(home: Path, number: int, steps: str) -> None:
    """Records the steps, as in "佐藤 code, 鈴木 code no_evidence", with the quotes of the judgement."""
    with Store(database_of(home)) as store:
        for step in steps.split(", "):
            one = store.item(number)
            line = told(one, step)
            own = line.verdict is one.judgement.verdict
            quotes = one.judgement.quotes if own else line.quotes
            note = NOTE if step == "佐藤 code" else line.note
            store.record(line.model_copy(update={"quotes": quotes, "note": note}))


@pytest.fixture(scope="module")
def coded(surveyed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, QueueItem]]:
    """The surveyed demo city with an item of each kind. Not to be changed."""
    home = copied(surveyed, tmp_path_factory.mktemp("coded") / "workspace")
    quoted = [one for one in survey(home)[1] if one.judgement.verdict is Verdict.MET and one.judgement.quotes]
    steps = {
        "agreed": "佐藤 code, 鈴木 code",
        "settled": "佐藤 code, 鈴木 code no_evidence, 高橋 reject",
        "unsettled": "佐藤 code, 鈴木 code no_evidence",
        "anchored": "佐藤 approve",
        "half": "佐藤 code",
        "changed": "佐藤 code, 鈴木 code, 高橋 return, 高橋 amend not_met",
        "again": "佐藤 code, 佐藤 undo, 鈴木 code, 高橋 code",
    }
    for words, item in zip(steps.values(), quoted, strict=False):
        decide(home, item.number, words)
    now = {one.number: one for one in survey(home)[1]}
    return home, {kind: now[item.number] for kind, item in zip(steps, quoted, strict=False)}


def test_blind_codings_become_labels_and_the_rest_is_refused_with_its_reason(
    coded: tuple[Path, dict[str, QueueItem]], tmp_path: Path
) -> None:
    home, kinds = coded
    names = {kind: item.judgement.criterion for kind, item in kinds.items()}
    done = process(home, "eval", "labels", "import", "--city", "demo", "--to", str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    code, (run, items) = demo.MUNICIPALITY.code, survey(home)
    assert f"{tmp_path / 'own' / code / 'labels.jsonl'}: 3 labels of 汐凪市" in done.stdout
    assert f"classify eval run --labels {tmp_path / 'own' / code} --how archived" in done.stdout

    refused = dict(line.removeprefix("Not taken, ").rsplit(": ", 1) for line in done.stderr.splitlines())
    taken = {names["agreed"], names["settled"], names["again"]}
    untouched = [one.judgement.criterion for one in items if one.judgement.criterion not in names.values()]
    assert {why: told.split(", ") for why, told in refused.items()} == {
        ANCHORED: [names["anchored"]],
        HALF_CODED: [names["half"]],
        CHANGED: [names["changed"]],
        UNSETTLED: [names["unsettled"]],
        NOT_CODED: untouched,
    }

    (site,) = load(tmp_path / "own")
    told = site.manifest
    assert (told.slug, told.code, told.name, told.run, told.as_of) == (code, code, "汐凪市", run.id, run.as_of)
    assert site.site is None
    labels = {one.criterion: one for one in site.labels}
    assert labels.keys() == taken
    agreed, settled, again = (labels[names[kind]] for kind in ("agreed", "settled", "again"))
    assert (agreed.verdict, agreed.codes, agreed.note) == ("met", {"佐藤": "met", "鈴木": "met"}, NOTE)
    assert (settled.verdict, settled.codes) == ("no_evidence", {"佐藤": "met", "鈴木": "no_evidence"})
    assert settled.evidence == ()
    assert again.codes == {"鈴木": "met", "高橋": "met"}
    assert {(one.path, one.quote, one.href) for one in agreed.evidence} == {
        (quote.url, quote.text, quote.href) for quote in kinds["agreed"].judgement.quotes
    }


def test_labels_that_are_there_are_not_overwritten(coded: tuple[Path, dict[str, QueueItem]], tmp_path: Path) -> None:
    own = tmp_path / demo.MUNICIPALITY.code
    arguments = ("eval", "labels", "import", "--city", "demo", "--to", str(tmp_path))
    classify(coded[0], *arguments)
    (own / "labels.jsonl").write_text('{"criterion": "ops-01", "verdict": "met"}\n', encoding="utf-8")
    before = {path: path.read_bytes() for path in own.iterdir()}
    told = classify(coded[0], *arguments, code=2)
    assert f"{own}: there are labels already" in told and "--to" in told
    assert {path: path.read_bytes() for path in own.iterdir()} == before


def test_without_a_blind_coding_nothing_is_written(workspace: Path, tmp_path: Path) -> None:
    items = [one for one in survey(workspace)[1] if one.judgement.quotes]
    decide(workspace, items[0].number, "佐藤 approve")
    decide(workspace, items[1].number, "佐藤 code")
    told = classify(workspace, "eval", "labels", "import", "--city", "demo", "--to", str(tmp_path / "own"), code=2)
    assert "was coded blind by two people" in told and "classify users add" in told
    assert not (tmp_path / "own").exists()


def test_without_a_survey_it_says_what_to_do(tmp_path: Path) -> None:
    told = classify(tmp_path, "eval", "labels", "import", "--city", "demo", "--to", str(tmp_path / "own"), code=2)
    assert "no finished survey" in told and "classify --city demo" in told


def test_archived_pages_are_judged_and_the_review_queue_stays_as_it_is(
    coded: tuple[Path, dict[str, QueueItem]], tmp_path: Path
) -> None:
    home, kinds = copied(coded[0], tmp_path / "home"), coded[1]
    classify(home, "eval", "labels", "import", "--city", "demo", "--to", str(tmp_path / "own"))
    before = survey(home)
    with Store(database_of(home)) as store:
        log = store.log()
    told = classify(
        home, "eval", "run", "--labels", str(tmp_path / "own" / demo.MUNICIPALITY.code), "--how", "archived"
    )
    assert survey(home) == before
    with Store(database_of(home)) as store:
        assert (store.log(), [run.id for run in store.runs()]) == (log, [before[0].id])

    found = Runs(home / "evals").find()
    (site,) = found.sites
    assert (site.how, site.slug) == (How.ARCHIVED, demo.MUNICIPALITY.code)
    assert before[0].coverage and (site.read, site.unread) == (before[0].coverage.read, len(before[0].coverage.unread))
    judged = {one.judgement.criterion: one.judgement for one in before[1]}
    for one in found.cases:
        assert (one.said, one.confidence) == (judged[one.criterion].verdict, judged[one.criterion].confidence)
        assert [(each.path, each.quote) for each in one.quotes] == [
            (quote.url, quote.text) for quote in judged[one.criterion].quotes
        ]
    assert [one.criterion for one in found.cases if not one.agrees] == [kinds["settled"].judgement.criterion]
    assert "on a labelled page 1.00 (2/2), with its words 1.00 (2/2)" in told
    assert "fewer than 30 items shared with others" in told  # three coders


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", NOT_CODED),
        ("A code", HALF_CODED),
        ("A code, B code, B undo", HALF_CODED),
        ("A code, B code no_evidence", UNSETTLED),
        ("A approve", ANCHORED),
        ("A amend", ANCHORED),
        ("A approve, B return, B amend", ANCHORED),
        ("A code, B code, C return, C amend", CHANGED),
        ("A code, B code", ""),
        ("A code, B code no_evidence, C approve", ""),
        ("A code, B code no_evidence, C approve, C undo, D amend", ""),
        ("A code, B code, C return, C amend, C undo, C undo", ""),
    ],
)
def test_what_was_done_decides_whether_there_is_a_label(words: str, why: str) -> None:
    found = from_queue([walked(words)])
    assert (found.refused, len(found.labels)) == ({why: ("ops-01",)} if why else {}, int(not why))


def test_who_had_decided_with_the_proposal_in_view_is_no_blind_coder() -> None:
    assert from_queue([walked("A approve, A undo, A code, B code")]).labels == ()


def test_an_agreement_that_was_returned_is_not_told_as_a_difference() -> None:
    assert UNSETTLED not in from_queue([walked("A code, B code, C return")]).refused


def test_labels_with_any_note_can_be_read_again(workspace: Path, tmp_path: Path) -> None:
    number = next(one.number for one in survey(workspace)[1] if one.judgement.quotes)
    with Store(database_of(workspace)) as store:
        for who in ("佐藤", "鈴木"):
            one = store.item(number)
            store.record(told(one, f"{who} code no_evidence", note="上の行\u2028下の行"))
    classify(workspace, "eval", "labels", "import", "--city", "demo", "--to", str(tmp_path / "own"))
    assert json.loads((tmp_path / "own" / demo.MUNICIPALITY.code / "labels.jsonl").read_text("utf-8"))
    assert load(tmp_path / "own")[0].labels[0].note.startswith("上の行")
