"""The rows as CSV: UTF-8 with a byte order mark and CRLF, as spreadsheets here open it; no cell becomes a formula."""

from __future__ import annotations

import csv
import io

from pipeline import cells
from pipeline.crosscheck.nouns import Crosscheck, Row
from pipeline.report.words import visible

COLUMNS = (
    "code", "prefecture", "municipality", "as_of", "run_id", "queue_number", "criterion", "item", "survey_columns",
    "how", "survey_said", "survey_answer", "proposed_verdict", "confirmed_verdict", "relation", "why",
)  # fmt: skip


def table(found: Crosscheck) -> str:
    """One line a row, values as the JSON has them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([neutral(cell) for cell in _cells(found, row)] for row in found.rows)
    return "\ufeff" + text.getvalue()


def neutral(cell: str) -> str:
    """The cell as text that no spreadsheet computes; white space is one space, unprintable characters are replaced. One
    that begins with an apostrophe is text already."""
    shown = visible(" ".join(cell.split()))
    return shown if shown.startswith("'") else cells.neutral(shown)


def _cells(found: Crosscheck, row: Row) -> tuple[str, ...]:
    place, item = row.municipality, found.item(row.item)
    who = (place.code, place.prefecture, place.name, row.as_of.isoformat(), row.run_id, str(row.number))
    what = (row.criterion, row.item, " | ".join(item.columns), item.how.value)
    said = (row.said, row.answer.value, row.proposed.value, row.confirmed.value if row.confirmed else "")
    return (*who, *what, *said, row.relation.value, row.why.value)
