"""What a model is asked: versioned templates from prompts/, page text as data between random fences."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.errors import PromptError
from pipeline.models import Block, Criterion, Municipality, Page, Passage, PromptSet, Source

# Stands for the fence in the body that the cache key is made of, so that a random fence costs no cached answer. As long
# as the mark that is sent, so that a bound on this body is one on the sent body.
FENCE = "<<<AKASHI-FENCE>>>"
KEY_VERSION = 1
# A widened passage: the section it stands in, at most this many characters.
SECTION_CHARS = 2000

# Invisible without being format characters: variation selectors, fillers, the blank Braille cell.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_SOURCES = {
    Source.OFFICIAL: "公式サイト",
    Source.SERVICE: "公式サイトからリンクされた外部のサービス",
    Source.PRESS: "報道など外部のページ",
    Source.SOCIAL: "公式アカウントのあるサービス",
    Source.LISTING: "公式サイトの検索結果",
}


def load(path: Path) -> PromptSet:
    """The prompt set of that file. Raises PromptError, naming the file and the fault."""
    try:
        content = path.read_bytes()
        return PromptSet(**yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())
    except OSError as error:
        raise PromptError(f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise PromptError(f"{path}: not a valid prompt set: {error}") from None


@dataclass(frozen=True)
class Doc:
    """A passage as it is offered: its number in the request, its page, and the slice shown."""

    number: str
    page: Page
    start: int
    end: int
    headings: tuple[str, ...]
    href: str = ""

    @property
    def text(self) -> str:
        return self.page.text[self.start : self.end]


@dataclass(frozen=True)
class Case:
    """One question: does this municipality meet this criterion, by these documents?"""

    criterion: Criterion
    municipality: Municipality
    as_of: date
    docs: tuple[Doc, ...]

    def doc(self, number: str) -> Doc | None:
        return next((doc for doc in self.docs if doc.number == number), None)


def case(
    criterion: Criterion,
    municipality: Municipality,
    as_of: date,
    passages: Sequence[Passage],
    pages: Mapping[str, Page],
) -> Case:
    """The case that retrieval's passages make, numbered D1, D2, ... in their order."""
    docs = (
        Doc(f"D{number}", pages[passage.page_sha256], passage.start, passage.end, passage.headings, passage.href)
        for number, passage in enumerate(passages, start=1)
    )
    return Case(criterion, municipality, as_of, tuple(docs))


def section(doc: Doc) -> Doc:
    """The same document widened to the section it stands in: neighbouring blocks under the same headings."""
    blocks = doc.page.blocks
    inside = [n for n, block in enumerate(blocks) if block.start < doc.end and doc.start < block.end]
    if not inside:
        return doc
    first, last = inside[0], inside[-1]
    path = blocks[first].headings
    until = blocks[last].end
    while first > 0 and _joins(blocks[first - 1], path) and until - blocks[first - 1].start <= SECTION_CHARS:
        first -= 1
    until = blocks[first].start + SECTION_CHARS
    while last + 1 < len(blocks) and _joins(blocks[last + 1], path) and blocks[last + 1].end <= until:
        last += 1
    return Doc(doc.number, doc.page, blocks[first].start, blocks[last].end, path, doc.href)


def _joins(block: Block, path: tuple[str, ...]) -> bool:
    return block.headings[: len(path)] == path


def first_messages(prompts: PromptSet, asked: Case) -> list[dict[str, str]]:
    """The opening of a dialogue; page text stands between FENCE marks that `fenced` makes random."""
    criterion = asked.criterion
    user = fill(
        prompts.user,
        municipality=f"{asked.municipality.prefecture}{asked.municipality.name}",
        as_of=asked.as_of.isoformat(),
        criterion_id=criterion.id,
        statement=criterion.statement_ja,
        counts=criterion.counts_ja,
        does_not_count=criterion.does_not_count_ja or "（特になし）",
        fence=FENCE,
        passages=shown(prompts, asked.docs),
    )
    return [{"role": "system", "content": prompts.system}, {"role": "user", "content": user}]


def fill(template: str, **gaps: str) -> str:
    """The template with its gaps filled. Raises PromptError, naming a gap that nothing fills."""
    try:
        return Template(template).substitute(gaps)
    except (KeyError, ValueError) as error:
        raise PromptError(f"prompt template: the gap {error} is not filled. Known gaps: {', '.join(gaps)}.") from None


def shown(prompts: PromptSet, docs: Sequence[Doc]) -> str:
    """Documents as the prompt holds them. A page cannot close its own fence: the mark never stands in page text."""
    return "\n".join(_doc(prompts, doc) for doc in docs) or prompts.nothing


def _doc(prompts: PromptSet, doc: Doc) -> str:
    page = doc.page
    return fill(
        prompts.passage,
        fence=FENCE,
        doc=doc.number,
        title=_line(page.title),
        dated=page.dated.isoformat() if page.dated else "不明",
        source=_SOURCES[page.source],
        headings=_line(" > ".join(doc.headings)) or "（なし）",
        href=_line(doc.href) or "（なし）",
        text=unmarked(doc.text),
    )


def _line(text: str) -> str:
    return unmarked(" ".join(text.split()))


def unmarked(text: str) -> str:
    """Text of others as a prompt may hold it: no FENCE in it, and no character that a reader does not see.

    What FENCE becomes holds no `<`, so that no new one comes together from what stands around it. The verifier drops
    the same invisible characters before it compares, bidirectional controls excepted. Half a surrogate pair is none.
    """
    seen = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Cs"))
    return _UNSEEN.sub("", seen).replace(FENCE, "〈FENCE〉")


def key(body: Mapping[str, Any], *, base_url: str, sample: int) -> str:
    """sha256 over all that can change the answer and nothing else: the cache key, and the custom_id of a batch."""
    content = {"body": body, "base_url": base_url, "sample": sample, "version": KEY_VERSION}
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def fenced(body: Mapping[str, Any], mark: str = "") -> dict[str, Any]:
    """The body as sent: every FENCE replaced by one mark that no page can know.

    mark: that of the dialogue's earlier rounds, so that a provider's prompt cache knows their beginning again.
    """
    text = json.dumps(body, ensure_ascii=False)
    while not mark or mark in text:
        mark = new_mark()
    sent: dict[str, Any] = json.loads(text.replace(FENCE, mark))
    return sent


def new_mark() -> str:
    """A random mark, as long as FENCE."""
    return "==" + secrets.token_hex(len(FENCE) // 2 - 1)
