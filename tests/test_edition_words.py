"""Every word of the errata and of the site stands in its English catalog."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from pipeline.editions import words as errata_words
from pipeline.site import words as site_words

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
ROOMS = [errata_words, site_words]


def translated(words: ModuleType) -> dict[str, str]:
    with (words.CATALOGS / "en.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale="en") if one.id}


def said(words: ModuleType) -> set[str]:
    found = set(words.all_words())
    methods = [(f"templates/**.{kind}", "jinja2.ext:babel_extract") for kind in ("html", "md")]
    for _, _, message, _, _ in extract_from_dir(words.CATALOGS.parent, method_map=methods):
        found.add(str(message))
    return found


@pytest.mark.parametrize("words", ROOMS, ids=lambda words: words.__name__)
def test_the_catalog_is_complete_and_holds_nothing_else(words: ModuleType) -> None:
    assert set(translated(words)) == said(words)


@pytest.mark.parametrize("words", ROOMS, ids=lambda words: words.__name__)
def test_no_translation_is_empty_japanese_or_loses_its_gap(words: ModuleType) -> None:
    for message, text in translated(words).items():
        assert text.strip() and not JAPANESE.search(text)
        assert message.count("%s") == text.count("%s"), message


@pytest.mark.parametrize("words", ROOMS, ids=lambda words: words.__name__)
def test_templates_and_code_hold_no_japanese_outside_the_catalog(words: ModuleType) -> None:
    folder: Path = words.CATALOGS.parent
    for path in sorted((folder / "templates").iterdir()):
        text = path.read_text("utf-8")
        for message in sorted(translated(words), key=len, reverse=True):
            text = text.replace(message, "")
        assert not [one for one in JAPANESE.findall(text) if one not in "証ァヶ・"], path
    for path in folder.glob("words.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)}
        assert {one for one in texts if isinstance(one, str) and JAPANESE.search(one)} <= set(translated(words))
