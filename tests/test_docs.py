"""Every command in the docs exists, with the options it is shown with; every link between the docs leads somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pipeline.cli import app
from pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", ROOT / "README.ja.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:^|`)\s*(?:\.venv/bin/)?(classify(?: [^`\n]*)?)", re.M)


def shown() -> Iterator[tuple[str, str]]:
    """(document, command line) for every command of a code block or an inline code span."""
    for doc in DOCS:
        text = doc.read_text("utf-8")
        blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.S))
        spans = "\n".join(f"`{span}`" for span in re.findall(r"`(classify [^`]*)`", text))
        for found in COMMAND.findall(blocks + "\n" + spans):
            yield doc.name, found.split("  #")[0].split(" # ")[0].strip()


@pytest.mark.parametrize(("doc", "line"), sorted(set(shown())))
def test_a_command_in_the_docs_exists(doc: str, line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{doc}: {line}: {word}"
        elif hasattr(command, "commands") and not word.startswith("-") and words.index(word) == 0:
            pytest.fail(f"{doc}: {line}: no command {word}")


def test_the_docs_show_commands() -> None:
    assert len(set(shown())) > 25


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_links_lead_somewhere(doc: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", doc.read_text("utf-8")):
        assert (doc.parent / target).exists(), f"{doc.name}: {target}"


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    text = (ROOT / "docs" / "operators.md").read_text("utf-8")
    settings = {
        str(field.validation_alias or f"CLASSIFY_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    documented = set(re.findall(r"\b(?:CLASSIFY|OPENAI)_[A-Z_]+\b", text)) - {"CLASSIFY_REVIEWER"}
    assert documented == settings


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z-]+)\b", "".join(doc.read_text("utf-8") for doc in DOCS)))
def test_a_make_target_in_the_docs_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.M)
