"""Every word of the review page stands in the English catalog, every sentence of the rules in the Japanese one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from pipeline.language import LANGUAGES
from pipeline.store.log import Refusal
from pipeline.web import words

PIPELINE = Path(__file__).parent.parent / "pipeline"
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
GAP = re.compile(r"%\(\w+\)s")


def translated(language: str) -> dict[str, str]:
    with (words.CATALOGS / f"{language}.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale=language) if one.id}


def constants(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def said_by_the_page() -> set[str]:
    """Arguments of `_` in the templates, Japanese texts of the code, and the words of the enumerations."""
    found = {word for path in (PIPELINE / "web").glob("*.py") for word in constants(path) if JAPANESE.search(word)}
    methods = [("templates/**.html", "jinja2.ext:babel_extract")]
    for _, _, message, _, _ in extract_from_dir(PIPELINE / "web", method_map=methods):
        found.add(str(message))
    return found | words.all_words()


def said_by_the_rules() -> set[str]:
    """First arguments of every Refusal that the code makes."""
    found = set()
    for path in PIPELINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                assert isinstance(node.args[0], ast.Constant), f"{path}: a refusal that no catalog can know"
                found.add(node.args[0].value)
    return found - {""}


def test_the_english_catalog_is_complete_and_holds_nothing_else() -> None:
    assert set(translated("en")) == said_by_the_page()


def test_the_japanese_catalog_knows_every_refusal() -> None:
    assert said_by_the_rules() <= set(translated("ja"))


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_no_translation_is_empty_or_loses_a_gap(language: str) -> None:
    for message, text in translated(language).items():
        assert text.strip()
        assert sorted(GAP.findall(message)) == sorted(GAP.findall(text)), message


def test_english_is_english() -> None:
    left = [text for message, text in translated("en").items() if JAPANESE.search(text) and message != "日本語"]
    assert left == []


def test_a_refusal_is_told_in_the_readers_language() -> None:
    refusal = Refusal("it is returned to %(reviewer)s, who decides it anew", reviewer="佐藤")
    assert words.refused(refusal, words.say("ja")) == "佐藤 さんに差し戻し中です。"
    assert words.refused(refusal, words.say("en")) == "it is returned to 佐藤, who decides it anew"
