"""The rows as CSV: UTF-8 with a byte order mark and CRLF, as spreadsheets here open it; no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import unicodedata

from pipeline.crosscheck.nouns import Crosscheck, Row
from pipeline.report.words import visible

COLUMNS = (
    "code", "prefecture", "municipality", "as_of", "run_id", "queue_number", "criterion", "item", "survey_columns",
    "how", "survey_said", "survey_answer", "proposed_verdict", "confirmed_verdict", "relation", "why",
)  # fmt: skip
_STARTS = "=+-@"


def table(found: Crosscheck) -> str:
    """One line a row, values as the JSON has them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([neutral(cell) for cell in _cells(found, row)] for row in found.rows)
    return "\ufeff" + text.getvalue()


def neutral(cell: str) -> str:
    """The cell as text: an apostrophe before what a spreadsheet might run (= + - @, full-width ones too, after any
    white space or invisible characters); white space is one space, unprintable characters are replaced."""
    shown = visible(" ".join(cell.split()))
    first = next((one for one in unicodedata.normalize("NFKC", shown) if _marks(one)), "")
    return "'" + shown if first in _STARTS and first else shown


def _marks(character: str) -> bool:
    """Whether a spreadsheet sees the character: no white space, no format character such as a byte order mark."""
    return not character.isspace() and unicodedata.category(character) != "Cf"


def _cells(found: Crosscheck, row: Row) -> tuple[str, ...]:
    place, item = row.municipality, found.item(row.item)
    who = (place.code, place.prefecture, place.name, row.as_of.isoformat(), row.run_id, str(row.number))
    what = (row.criterion, row.item, " | ".join(item.columns), item.how.value)
    said = (row.said, row.answer.value, row.proposed.value, row.confirmed.value if row.confirmed else "")
    return (*who, *what, *said, row.relation.value, row.why.value)
