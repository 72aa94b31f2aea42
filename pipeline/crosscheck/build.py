"""Holds a self-reported survey beside our verdicts. Nothing here changes a verdict or a score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.agreement import cohen
from pipeline.crosscheck.mapping import check, folded
from pipeline.crosscheck.nouns import (
    Answer,
    Crosscheck,
    Figure,
    How,
    Item,
    NoKappa,
    Reading,
    Relation,
    Row,
    Why,
)
from pipeline.crosscheck.nouns import Mapping as Asked
from pipeline.crosscheck.survey import File, Line
from pipeline.models import Hint, Municipality, QueueItem, Verdict
from pipeline.results import Result
from pipeline.store.log import standing

MAX_SAID_CHARS = 80
# Our choice: among fewer pairs a single one moves kappa by a tenth or more.
MIN_KAPPA_PAIRS = 10
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%?")
_JUDGED = (Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE)


def crosscheck(results: Iterable[Result], files: Sequence[File], mapping: Asked) -> Crosscheck:
    """Every survey item beside the verdict of its criterion, municipality by municipality.

    Raises CriteriaError where the mapping names a criterion that a survey of ours did not ask.
    """
    rows: list[Row] = []
    absent: list[Municipality] = []
    problems = [problem for file in files for problem in file.problems]
    statements: dict[str, tuple[str, str]] = {}
    used = 0
    for result in results:
        check(mapping, result.criteria)
        statements |= {one.id: (one.statement_ja, one.statement_en) for one in result.criteria.criteria}
        place = result.run.municipality
        found = {file.path.name: line for file in files if (line := _line(file, place, problems))}
        if not found:
            absent.append(place)
            continue
        used += 1
        rows += _rows(result, found, mapping, problems)
    columns = frozenset(column for file in files for column in file.columns)
    return Crosscheck(
        mapping=mapping,
        files=tuple(file.path.name for file in files),
        rows=tuple(rows),
        figures=tuple(_figures(rows, mapping)),
        absent=tuple(absent),
        others=max((len(file.lines) for file in files), default=0) - used,
        lacking=tuple(item.id for item in mapping.items if not columns & set(item.columns)),
        unknown=tuple(dict.fromkeys(name for file in files for name in file.unknown)),
        statements={item.criterion: statements[item.criterion] for item in mapping.items if statements},
        problems=tuple(dict.fromkeys(problems)),
    )


def relation(how: How, answer: Answer, verdict: Verdict) -> tuple[Relation, Why]:
    """How they stand to each other, and why they cannot be compared where they cannot."""
    if answer is Answer.SILENT:
        return Relation.SILENT, Why.NOTHING
    if why := _apart(how, answer, verdict):
        return Relation.NOT_COMPARABLE, why
    if (answer is Answer.YES) == (verdict is Verdict.MET):
        return Relation.AGREE, Why.NOTHING
    if answer is Answer.NO:
        return Relation.WE_SAY_MET, Why.NOTHING
    return (Relation.PAGE_SAYS_NO if verdict is Verdict.NOT_MET else Relation.FOUND_NOTHING), Why.NOTHING


def hints(found: Crosscheck) -> list[Hint]:
    """What a reviewer of an open item should know of the survey, where it and the proposal contradict each other."""
    return [_hint(row, found) for row in found.disagreements if row.confirmed is None]


def open_pairs(found: Crosscheck) -> set[tuple[str, str]]:
    """(digest, source of its hint) of every row on which people have not decided, disagreeing or not."""
    return {(row.digest, _source(found.mapping, row.item)) for row in found.rows if row.confirmed is None}


def _apart(how: How, answer: Answer, verdict: Verdict) -> Why:
    if how is How.RELATED:
        return Why.RELATED
    if how is How.NARROWER and answer is Answer.NO:
        return Why.NARROWER
    if how is How.BROADER and answer is Answer.YES:
        return Why.BROADER
    return Why.NOTHING if verdict in _JUDGED else Why.UNJUDGED


def _line(file: File, place: Municipality, problems: list[str]) -> Line | None:
    """The row about the municipality; None where there is none, or it is not plain which."""
    lines = file.of(place)
    if len(lines) > 1:
        numbers = ", ".join(str(line.number) for line in lines)
        problems.append(f"{file.path.name}, lines {numbers}: {place.name} has several rows; none of them is used")
    elif not lines and (other := file.misnamed(place)):
        told = f"the code of {place.name} stands beside the name {_short(other.name)!r}; the row is not used"
        problems.append(f"{file.path.name}, line {other.number}: {told}")
    return lines[0] if len(lines) == 1 else None


def _rows(result: Result, found: Mapping[str, Line], mapping: Asked, problems: list[str]) -> Iterator[Row]:
    judged = {item.judgement.criterion: item for item in result.items}
    for item in mapping.items:
        cells = {
            column: (name, line) for name, line in found.items() for column in item.columns if column in line.cells
        }
        if cells and item.criterion in judged:
            yield _row(result, item, judged[item.criterion], cells, mapping.readings[item.reading], problems)


def _row(
    result: Result,
    item: Item,
    judged: QueueItem,
    cells: Mapping[str, tuple[str, Line]],
    reading: Reading,
    problems: list[str],
) -> Row:
    answers: list[Answer] = []
    for column, (file, line) in cells.items():
        answer = read_cell(line.cells[column], reading)
        if answer is None:
            told = f"{_short(line.cells[column])!r} in {column} is none of its answers and counts as silence"
            problems.append(f"{file}, line {line.number}: {told}")
        answers.append(answer or Answer.SILENT)
    answer = next((one for one in (Answer.YES, Answer.NO) if one in answers), Answer.SILENT)
    held = standing(judged.decisions)
    confirmed = held.verdict if held else None
    kind, why = relation(item.how, answer, confirmed or judged.judgement.verdict)
    return Row(
        municipality=result.run.municipality,
        run_id=result.run.id,
        as_of=result.run.as_of,
        number=judged.number,
        digest=judged.digest,
        item=item.id,
        criterion=item.criterion,
        said=_said({column: line.cells[column] for column, (_, line) in cells.items()}),
        answer=answer,
        proposed=judged.judgement.verdict,
        confirmed=confirmed,
        relation=kind,
        why=why,
    )


def read_cell(text: str, reading: Reading) -> Answer | None:
    """What a cell says; None where it is none of the words and no percentage that the reading knows."""
    cell = folded(text)
    for words, answer in ((reading.affirms, Answer.YES), (reading.denies, Answer.NO), (reading.silent, Answer.SILENT)):
        if cell in words:
            return answer
    if not cell:
        return Answer.SILENT
    percent = _PERCENT.fullmatch(cell)
    if reading.percent_above is None or percent is None or float(percent[1]) > 100:
        return None
    return Answer.YES if float(percent[1]) > reading.percent_above else Answer.NO


def _said(cells: Mapping[str, str]) -> str:
    """The cells as the file has them, with their columns where there are several."""
    if len(cells) == 1:
        return _short(*cells.values())
    return "; ".join(f"{column.rpartition(' / ')[2]}: {_short(text) or '-'}" for column, text in cells.items())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_SAID_CHARS else text[: MAX_SAID_CHARS - 1] + "…"


def _figures(rows: Sequence[Row], mapping: Asked) -> Iterator[Figure]:
    """Of confirmed and of proposed verdicts: all items together, then each that has comparable pairs."""
    both_ways = {item.id for item in mapping.items if item.how is How.SAME}
    for confirmed in (True, False):
        pairs = [row for row in rows if (row.confirmed is not None) == confirmed and _comparable(row)]
        if pairs:
            yield _figure("", confirmed, pairs, [row for row in pairs if row.item in both_ways])
        for item in mapping.items:
            if own := [row for row in pairs if row.item == item.id]:
                yield _figure(item.id, confirmed, own, own if item.id in both_ways else [])


def _figure(item: str, confirmed: bool, pairs: Sequence[Row], both_ways: Sequence[Row]) -> Figure:
    kappa, why = _kappa([(row.answer is Answer.YES, row.verdict is Verdict.MET) for row in both_ways])
    return Figure(
        item=item,
        confirmed=confirmed,
        pairs=len(pairs),
        agreed=sum(row.relation is Relation.AGREE for row in pairs),
        kappa=kappa,
        kappa_pairs=len(both_ways),
        why=why,
    )


def _kappa(pairs: Sequence[tuple[bool, bool]]) -> tuple[float | None, NoKappa]:
    if not pairs:
        return None, NoKappa.ONE_WAY
    if len(pairs) < MIN_KAPPA_PAIRS:
        return None, NoKappa.FEW
    value = cohen(pairs).value
    return value, NoKappa.ALL_ALIKE if value is None else NoKappa.NOTHING


def _comparable(row: Row) -> bool:
    return row.relation not in (Relation.SILENT, Relation.NOT_COMPARABLE)


def _hint(row: Row, found: Crosscheck) -> Hint:
    mapping, item = found.mapping, found.item(row.item)
    return Hint(
        of=row.digest,
        source=_source(mapping, row.item),
        survey_ja=mapping.title_ja,
        survey_en=mapping.title_en,
        asked_ja=mapping.asked_ja,
        asked_en=mapping.asked_en,
        columns=item.columns,
        said=row.said,
        affirmed=row.answer is Answer.YES,
        note_ja=item.note_ja,
        note_en=item.note_en,
    )


def _source(mapping: Asked, item: str) -> str:
    return f"{mapping.id}/{item}"
