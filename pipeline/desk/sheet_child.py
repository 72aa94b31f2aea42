"""Reads one sheet of an xlsx from standard input in a process of its own and writes its rows as JSON Lines.

Imports nothing of ours. Run as a file with the limits as arguments: memory in bytes, CPU seconds; then the sheet's
name. Two cells at the far ends of a sheet make the reader ask for 500 GB and end its process: this one only.
"""

from __future__ import annotations

import io
import json
import sys

from python_calamine import CalamineWorkbook


def main() -> None:
    memory, cpu_s = map(int, sys.argv[1:3])
    _limit(memory, cpu_s)
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    known = sys.argv[3] in book.sheet_names
    rows = book.get_sheet_by_name(sys.argv[3]).to_python(skip_empty_area=False) if known else []
    _say(book.sheet_names)
    for row in rows:
        while row and row[-1] == "":
            row.pop()
        # A date, time or duration goes as a list of its text, so that it is not taken for one.
        _say([cell if isinstance(cell, str | int | float) else [str(cell)] for cell in row])


def _say(row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")


def _limit(memory: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows, where the size of the file alone guards
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
