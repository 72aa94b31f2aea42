"""A workbook that people filled in, taken back: each filled row becomes a decision, if the rules allow it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.desk.desk import Answer
from pipeline.desk.imported import Imported
from pipeline.desk.sheets import Cell, rows
from pipeline.desk.workbook import ANSWERS, shown
from pipeline.errors import DecisionError, StaleError
from pipeline.models import Action, Claim, Decision, QueueItem, Verdict
from pipeline.store.log import standing
from pipeline.store.store import Store

Decide = Callable[[int, Answer, str], Decision]

_NEEDED = (
    *("number", "version", "run_id", "code", "criterion", "verdict", "reviewer"),
    *("new_verdict", "new_quote", "new_note"),
)
_VERSION = re.compile(r"([0-9a-f]{16})\.(\d{1,9})")
_LINE_END = re.compile(r"\r\n?|\n")
_CODE_DIGITS = 6


class _RowError(Exception):
    """Why a row cannot be taken, and what to do."""


@dataclass(frozen=True)
class _Item:
    """What the sheet said of an item when it was exported. stood: (verdict, reviewer) after each line of its log."""

    code: str
    criterion: str
    digest: str
    stood: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Row:
    """A row of the sheet. at: its number as Excel counts."""

    at: int
    cells: Mapping[str, Cell]

    def __str__(self) -> str:
        number = _whole(self.cells["number"])
        return f"row {self.at} (item {'?' if number is None else number})"

    def number(self) -> int:
        number = _whole(self.cells["number"])
        if number is None:
            raise _RowError("its number is none; restore the columns number to criterion from a new export")
        return number

    def text(self, column: str) -> str:
        """The text of the cell. Raises _RowError where Excel made a date or a number of it."""
        cell = self.cells[column]
        if not isinstance(cell, str):
            told = cell[0] if isinstance(cell, list) else cell
            raise _RowError(f"{column} holds a number or date ({told}); format the cell as text and type it again")
        return cell.strip()


@dataclass
class _Known:
    """The items of this database, each run read when a row first names it."""

    store: Store
    _runs: dict[str, dict[int, _Item]] = field(default_factory=dict)

    def item(self, row: _Row) -> _Item:
        """The item that the row is about. Raises _RowError where there is none, or the row holds parts of several."""
        run_id, number = str(row.cells["run_id"]), row.number()
        if run_id not in self._runs:
            self._runs[run_id] = {one.number: _item(one) for one in self.store.items(run_id)}
        found = self._runs[run_id].get(number)
        if found is None:
            raise _RowError(f"this database has no item {number} in run {run_id!r}; take it where it was exported")
        if (_code(row.cells["code"]), row.cells["criterion"]) != (found.code, found.criterion):
            told = f"item {number} is {found.code} {found.criterion}, and its row says otherwise"
            raise _RowError(f"{told}; was the sheet sorted without all of its columns? Fill in a new export")
        return found


def take_workbook(store: Store, path: Path | str, decide: Decide) -> Imported:
    """Hands the filled rows of a workbook to `decide` as (number, answer, version), top to bottom.

    new_verdict: approve, reject, or the verdict reached, with the sentences that prove it in new_quote, one a line;
    new_note goes with it, or stands alone as a note. A row that cannot be taken is named in `problems` and the others
    go on. Raises InputError where the file is no such workbook; then nothing is decided.
    """
    known, taken = _Known(store), Imported()
    for at, cells in rows(Path(path), "queue", _NEEDED):
        taken += _take_row(_Row(at, cells), known, decide)
    return taken


def _take_row(row: _Row, known: _Known, decide: Decide) -> Imported:
    try:
        item = known.item(row)
        version = _check_labels(row, item)
        answer = _answer(row)
        if answer is None:
            return Imported(unchanged=1)
        decide(row.number(), answer, version)
    except StaleError as error:
        return Imported(problems=(f"{row}: {error}; export the queue again and fill in that row of it",))
    except (_RowError, DecisionError) as error:
        return Imported(problems=(f"{row}: {error}",))
    return Imported(recorded=1)


def _check_labels(row: _Row, item: _Item) -> str:
    """The version that the person saw. Raises _RowError where they wrote over what is recorded."""
    version = str(row.cells["version"])
    seen = _VERSION.fullmatch(version)
    if seen is None:
        raise _RowError(f"its version {version[:40]!r} is none; copy that cell from a new export")
    if seen[1] != item.digest[:16] or int(seen[2]) >= len(item.stood):
        return version  # of a judgement since replaced, or of another database: `decide` refuses what is filled in
    for column, kept in zip(("verdict", "reviewer"), item.stood[int(seen[2])], strict=True):
        if (told := row.cells[column]) != kept:
            changed = f"{column} was changed from {kept!r} to {str(told)[:80]!r}, and it only shows what is recorded"
            raise _RowError(f"{changed}; restore it, and write your decision in new_verdict")
    return version


def _answer(row: _Row) -> Answer | None:
    """What the person wrote, or None where they wrote nothing."""
    word = unicodedata.normalize("NFKC", row.text("new_verdict")).strip().lower()
    note, quote = row.text("new_note"), row.text("new_quote")
    claims = tuple(Claim(text=line.strip()) for line in _LINE_END.split(quote) if line.strip())
    if word and word not in ANSWERS:
        raise _RowError(f"new_verdict {word[:40]!r} is not a word it can be: {', '.join(ANSWERS)}")
    if claims and word not in (Verdict.MET, Verdict.NOT_MET):
        raise _RowError("new_quote goes with met or not_met in new_verdict only; write one of them, or empty it")
    if not word:
        return Answer(Action.NOTE, note=note) if note else None
    if word in (Action.APPROVE, Action.REJECT):
        return Answer(Action(word), note=note)
    return Answer(Action.AMEND, verdict=Verdict(word), claims=claims, note=note)


def _item(one: QueueItem) -> _Item:
    stood = (standing(one.decisions[:length]) for length in range(len(one.decisions) + 1))
    told = tuple((shown(held.verdict), held.reviewer) if held else ("", "") for held in stood)
    return _Item(one.municipality.code, one.judgement.criterion, one.digest, told)


def _code(cell: Cell) -> str:
    """The municipality's code, where a program took it for a number too."""
    number = None if isinstance(cell, str) else _whole(cell)
    return str(cell) if number is None else f"{number:0{_CODE_DIGITS}}"


def _whole(cell: Cell) -> int | None:
    """The whole number that the cell holds, as a number or as text, or None."""
    if isinstance(cell, str):
        return int(cell) if re.fullmatch(r"[0-9]{1,10}", cell) else None
    return int(cell) if not isinstance(cell, bool | list) and float(cell).is_integer() else None
