"""Which header cells name a table cell, with rowspan and colspan."""

from __future__ import annotations

from dataclasses import dataclass, field

_MAX_COLUMNS = 200
_MAX_SPAN_ROWS = 1000
_MAX_LABEL_CHARS = 100


@dataclass(slots=True, eq=False)
class Cell:
    """One td or th: where it stands, and what names it once its table is complete."""

    header: bool
    scope: str
    at: int
    width: int
    height: int
    text: list[str] = field(default_factory=list)
    row: str = ""
    column: str = ""

    def label(self) -> str:
        text = " ".join(self.text)
        return text if len(text) <= _MAX_LABEL_CHARS else ""


@dataclass(slots=True, eq=False)
class Table:
    """Rows as they are read. `layout`: it holds another table or a heading, so its cells name nothing."""

    layout: bool = False
    rows: list[list[Cell]] = field(default_factory=list)
    in_head: list[bool] = field(default_factory=list)
    _carried: dict[int, tuple[int, Cell]] = field(default_factory=dict)
    _above: list[list[Cell]] = field(default_factory=list)

    def start_row(self, in_head: bool) -> None:
        above = sorted(
            {id(cell): cell for left, cell in self._carried.values() if left > 0}.values(), key=lambda cell: cell.at
        )
        self._carried = {at: (left - 1, cell) for at, (left, cell) in self._carried.items() if left > 1}
        self._busy = {at for cell in above for at in range(cell.at, cell.at + cell.width)}
        self.rows.append([])
        self.in_head.append(in_head)
        self._above.append(above)

    _busy: set[int] = field(default_factory=set)

    def start_cell(self, *, header: bool, scope: str, width: int, height: int) -> Cell:
        """The next cell of the current row, in the first column that no cell from above covers."""
        if not self.rows:
            self.start_row(False)
        row = self.rows[-1]
        at = row[-1].at + row[-1].width if row else 0
        while at in self._busy:
            at += 1
        width, height = max(1, min(width, _MAX_COLUMNS)), max(1, min(height, _MAX_SPAN_ROWS))
        cell = Cell(header, scope, min(at, _MAX_COLUMNS), width, height)
        row.append(cell)
        if height > 1:
            for column in range(cell.at, cell.at + width):
                self._carried[column] = (height - 1, cell)
        return cell

    def name_cells(self) -> None:
        """Fill row and column of every cell: header cells to its left (else the row's first), header cells above."""
        if self.layout:
            return
        above: dict[int, str] = {}
        fresh = True
        for row, in_head, carried in zip(self.rows, self.in_head, self._above, strict=True):
            if _heads_columns(row, in_head):
                if not fresh:
                    above = {}
                _name_columns(row, above)
                fresh = True
                continue
            fresh = False
            _name_row(row, carried, above)


def _heads_columns(row: list[Cell], in_head: bool) -> bool:
    if not row:
        return False
    return in_head or all(cell.header and cell.scope != "row" for cell in row) and len(row) > 1


def _name_columns(row: list[Cell], above: dict[int, str]) -> None:
    for cell in row:
        cell.column = above.get(cell.at, "")
        label = cell.label()
        for column in range(cell.at, cell.at + cell.width):
            known = above.get(column, "")
            above[column] = " ".join(part for part in dict.fromkeys((known, label)) if part)


def _name_row(row: list[Cell], carried: list[Cell], above: dict[int, str]) -> None:
    line = sorted([*carried, *row], key=lambda cell: cell.at)
    headers = [cell for cell in line if cell.header or cell.scope == "row"]
    named = headers or line[:1]
    for cell in row:
        left = [other.label() for other in named if other is not cell and other.at < cell.at]
        cell.row = " ".join(part for part in left if part)
        cell.column = above.get(cell.at, "")
