"""The commands as people type them: a whole walk over the demo city, and every kind of bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import commands
import pytest
from selectolax.lexbor import LexborHTMLParser

from pipeline.criteria import load
from pipeline.models import RunState, Verdict
from pipeline.store.store import Store

CLASSIFY = [str(Path(sys.executable).with_name("classify"))]
LABELS = Path(__file__).parent.parent / "evals" / "labels" / "demo" / "labels.jsonl"


def classify(home: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a workspace of its own and check its exit code."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("CLASSIFY_", "OPENAI_"))}
    env |= {"CLASSIFY_HOME": str(home), "COLUMNS": "200"}
    done = subprocess.run([*CLASSIFY, *arguments], env=env, capture_output=True, text=True, timeout=110)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace in which the demo city was surveyed once, and what that printed."""
    home = tmp_path_factory.mktemp("workspace")
    return home, classify(home, "--city", "demo").stdout


def test_the_demo_ends_in_a_table_of_31_and_the_next_commands(surveyed: tuple[Path, str]) -> None:
    _, printed = surveyed
    for criterion in load("dx-2024").criteria:
        assert criterion.id in printed
    assert "classify queue approve" in printed
    assert "classify report --city demo" in printed


def test_the_demo_is_judged_as_its_hand_labels_say(surveyed: tuple[Path, str]) -> None:
    """The judge may miss a few; what it must not do is claim what the labels deny."""
    home, _ = surveyed
    labels = {line["criterion"]: line["verdict"] for line in map(json.loads, LABELS.read_text("utf-8").splitlines())}
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        run = store.runs()[0]
        judged = {item.judgement.criterion: item.judgement.verdict for item in store.items(run.id)}
    assert run.state is RunState.DONE
    claimed = [key for key, verdict in judged.items() if verdict is Verdict.MET and labels[key] != "met"]
    assert claimed == []
    assert sum(judged[key] == verdict for key, verdict in labels.items() if verdict != "skip") >= 24


def test_every_quote_of_the_demo_stands_in_the_archived_page(surveyed: tuple[Path, str]) -> None:
    from pipeline.archive import Archive
    from pipeline.extract import extract
    from pipeline.models import Page

    home, _ = surveyed
    with Store(f"sqlite:///{home / 'akashi.db'}") as store, Archive(home / "archive") as archive:
        quotes = [quote for item in store.items(store.runs()[0].id) for quote in item.judgement.quotes]
        assert quotes
        for quote in quotes:
            snapshot = archive.find(quote.page_sha256)
            assert snapshot is not None
            page = extract(snapshot, archive.body(quote.page_sha256))
            assert isinstance(page, Page)
            assert page.text[quote.start : quote.end] == quote.text


def test_only_what_people_confirmed_is_scored_and_reported(tmp_path: Path, surveyed: tuple[Path, str]) -> None:
    home, _ = surveyed
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        items = store.items(store.runs()[0].id)
    met = [item for item in items if item.judgement.verdict is Verdict.MET]
    before = classify(home, "score", "--city", "demo").stdout
    assert re.search(r"total\D+0\D+31\D+31", before)
    classify(home, "queue", "approve", str(met[0].number), str(met[1].number), "--reviewer", "佐藤")
    classify(home, "queue", "reject", str(met[2].number), "--reviewer", "佐藤", "--note", "別の市の話")
    after = classify(home, "score", "--city", "demo").stdout
    assert re.search(r"total\D+2\D+31\D+28", after)
    paths = classify(home, "report", "--city", "demo", "--out", str(tmp_path)).stdout.split()
    html = LexborHTMLParser(Path(paths[0]).read_text("utf-8"))
    assert "31" in html.text()
    assert met[0].judgement.quotes[0].text[:20] in html.text()
    assert "佐藤" in html.text()
    assert Path(paths[1]).suffix == ".md"


def test_a_decided_item_is_not_decided_twice_and_can_be_undone(surveyed: tuple[Path, str]) -> None:
    home, _ = surveyed
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        number = str(store.items(store.runs()[0].id)[-1].number)
    classify(home, "queue", "approve", number, "--reviewer", "鈴木")
    assert "鈴木" in classify(home, "queue", "approve", number, "--reviewer", "田中", code=2).stderr
    classify(home, "queue", "undo", number, "--reviewer", "鈴木")
    assert f"{number}" in classify(home, "queue", "--city", "demo").stdout


def test_a_report_needs_a_folder_to_go_to(tmp_path: Path, surveyed: tuple[Path, str]) -> None:
    (tmp_path / "taken").touch()
    assert "--out" in classify(surveyed[0], "report", "--city", "demo", "--out", str(tmp_path / "taken"), code=2).stderr


def test_an_invented_quote_cannot_be_confirmed(surveyed: tuple[Path, str]) -> None:
    home, _ = surveyed
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        items = store.items(store.runs()[0].id)
    item = next(i for i in items if i.judgement.verdict is Verdict.NO_EVIDENCE)
    amend = ["queue", "amend", str(item.number), "--verdict", "met", "--reviewer", "佐藤"]
    assert "stands on none" in classify(home, *amend, "--quote", "どの頁にもない一文です。", code=2).stderr
    assert "quote" in classify(home, *amend, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--city", "府中市"), "13206"),
        (("--city", "府中市"), "34208"),
        (("--city", "ありもしない市"), "ありもしない市"),
        (("--city", "141501"), "check digit"),
        (("--city", "相模原市", "--url", "ftp://x/"), "--url"),
        (("--city", "相模原市", "--source", "press.example/1"), "--source"),
        (("--city", "相模原市", "--site", "/no/such/folder"), "/no/such/folder"),
        (("--city", "相模原市", "--warc", "/no/such.warc.gz"), "/no/such.warc.gz"),
        (("--city", "相模原市", "--site", ".", "--warc", "x.warc"), "--site and --warc"),
        (("--city", "相模原市", "--max-pages", "0"), "max-pages"),
        (("--city", "相模原市", "--as-of", "yesterday"), "as-of"),
        (("--city", "相模原市", "--delay", "inf"), "delay"),
        (("--city", "相模\udcff市"), "UTF-8"),
        (("--city", "相模原市", "--criteria", "/no/such.yaml"), "/no/such.yaml"),
    ],
)
def test_bad_input_is_explained_with_exit_code_2(
    tmp_path: Path, shared: Path, arguments: tuple[str, ...], said: str
) -> None:
    registry = shared / "data" / "localgovjp" / "localgovjp-utf8.csv"
    told = commands.classify(tmp_path, *arguments, "--registry", str(registry), code=2)
    assert said in told
    assert "Traceback" not in told


def test_a_process_ends_with_the_code_of_bad_input(tmp_path: Path) -> None:
    assert "--site and --warc" in classify(tmp_path, "--city", "demo", "--site", ".", "--warc", "x", code=2).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "--city", "demo"),
        ("report", "--city", "demo"),
        ("queue", "approve", "1"),
        ("queue", "approve", str(10**30)),
        ("queue", "amend", "1", "--verdict", "perhaps"),
        ("criteria", "check", "/no/such.yaml"),
        (),
    ],
)
def test_an_empty_workspace_is_no_crash(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "Traceback" not in commands.classify(tmp_path, *arguments, code=2)


def test_the_shipped_criteria_pass_their_own_check(tmp_path: Path) -> None:
    assert "31 criteria" in classify(tmp_path, "criteria", "check", "dx-2024").stdout


@pytest.mark.parametrize(
    "command",
    [(), ("queue",), ("queue", "approve"), ("queue", "amend"), ("score",), ("report",), ("criteria", "check")],
)
def test_every_command_has_help(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "Usage" in classify(tmp_path, *command, "--help").stdout
