"""The checker that knows none of our code finds every quote, also through revisits, and is not easily satisfied."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import check_evidence
import pytest
from commands import classify
from hostile import serve
from test_second_survey import city, survey


def exported(home: Path, name: str, folder: Path) -> Path:
    queue = folder / "queue.jsonl"
    classify(home, "queue", "export", "--city", name, "--out", str(queue))
    return queue


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(check_evidence.__file__).read_text("utf-8"))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert not any(name.split(".")[0] in ("pipeline", "evals") for name in named)


def test_every_quote_of_the_demo_stands_in_its_own_record(surveyed: Path, tmp_path: Path) -> None:
    counts, lost = check_evidence.check(surveyed / "archive", exported(surveyed, "demo", tmp_path))
    assert lost == []
    assert set(counts) == {"in the run's own WARC"} and counts.total() > 30


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A city surveyed twice without a change, and its exported queue."""
    home = tmp_path_factory.mktemp("twice")
    with serve(city()) as server:
        survey(home, server)
        survey(home, server)
    return home / "archive", exported(home, "汐凪市", home)


def test_quotes_of_a_second_survey_are_found_by_its_revisits(twice: tuple[Path, Path]) -> None:
    counts, lost = check_evidence.check(*twice)
    assert lost == []
    assert set(counts) == {"in an earlier WARC, by a revisit"} and counts.total() > 5


def _other_words(line: dict) -> None:  # type: ignore[type-arg]
    for quote in line["item"]["judgement"]["quotes"]:
        quote["text"] = "いいえ" + quote["text"]


def _other_page(line: dict) -> None:  # type: ignore[type-arg]
    for quote in line["item"]["judgement"]["quotes"]:
        quote["page_sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("harm", "why"), [(_other_words, "the body does not say so"), (_other_page, "no record with that sha256")]
)
def test_a_quote_that_stands_nowhere_is_named(
    harm: Callable[[dict], None],  # type: ignore[type-arg]
    why: str,
    twice: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    lines = [json.loads(line) for line in twice[1].read_text("utf-8").splitlines()]
    for line in lines:
        if "item" in line:
            harm(line)
    false = tmp_path / "false.jsonl"
    false.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    counts, lost = check_evidence.check(twice[0], false)
    assert set(counts) == {"not located"}
    assert lost and all(one.endswith(why) for one in lost)


def test_a_revisit_without_its_body_is_named(twice: tuple[Path, Path], tmp_path: Path) -> None:
    archive = Path(shutil.copytree(twice[0], tmp_path / "archive"))
    min(archive.rglob("*.warc.gz")).unlink()
    counts, lost = check_evidence.check(archive, twice[1])
    assert set(counts) == {"not located"}
    assert all("which no WARC of the folder holds" in one for one in lost)
