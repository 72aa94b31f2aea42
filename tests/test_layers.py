"""The house stands: a floor imports only floors below, and a room does not import its neighbour."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parent.parent / "pipeline"
EVALS = PIPELINE.parent / "evals"
# Lowest first. Rooms of one floor do not import each other.
FLOORS = (
    ("models", "errors", "agreement"),
    ("text", "charset", "urls", "dates", "services", "settings", "cache", "language", "written", "writing", "cells"),
    ("criteria", "municipality", "archive", "extract", "store"),
    ("workspace", "extracting"),
    ("crawl", "retrieve", "judge", "review", "score", "report", "demo"),
    ("panel", "rate", "reading", "compare", "results", "succession", "headway"),
    ("judging", "gathering", "comparable", "ranking", "crosscheck", "exports", "cluster"),
    ("run", "desk", "editions"),
    ("batches", "nation", "web", "doctor", "site"),
    ("terminal",),
    ("cli",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
# Errors may carry nouns; text, charset and urls lean on each other within the lowest floors.
ALLOWED = {("dates", "text"), ("urls", "text"), ("demo", "municipality")}


def room(path: Path) -> str:
    return path.relative_to(PIPELINE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pipeline":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("pipeline."))


def modules() -> list[Path]:
    return sorted(path for path in PIPELINE.rglob("*.py") if path != PIPELINE / "__init__.py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PIPELINE)))
def test_a_room_imports_only_floors_below(path: Path) -> None:
    here = room(path)
    for there in set(imported(ast.parse(path.read_text("utf-8")))) - {here}:
        assert FLOOR[there] < FLOOR[here] or (here, there) in ALLOWED, f"{here} imports {there}"


def test_every_room_has_its_floor() -> None:
    assert {room(path) for path in modules()} == set(FLOOR)


def test_only_the_top_holds_the_settings() -> None:
    holders = {room(path) for path in modules() if "settings" in set(imported(ast.parse(path.read_text("utf-8"))))}
    assert holders <= {
        "cli",
        "run",
        "gathering",
        "panel",
        "batches",
        "nation",
        "criteria",
        "crosscheck",
        "settings",
        "doctor",
    }


def test_only_the_command_line_knows_the_suite() -> None:
    """evals stands on the whole house and below the command line."""
    for path in modules():
        named = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        }
        assert "evals" not in named or room(path) == "cli", path
    for path in EVALS.rglob("*.py"):
        assert "cli" not in set(imported(ast.parse(path.read_text("utf-8")))), path
