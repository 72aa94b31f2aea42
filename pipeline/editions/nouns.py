"""What edition.json, evidence/CODE.json and errata/NNNN.json hold."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import AwareDatetime

from pipeline.models import CriterionId, Erratum, Municipality, Noun, Offset, QueueItem, Run, Sha256, Verdict

FORMAT = 1
CHAIN_FORMULA = (
    "h = 64 zeros; for each line that counts, by number: h = sha256(h + LF + line), all in UTF-8, h as hex. line: the "
    "JSON object of `classify queue log`, keys sorted, without white space, other than ASCII as \\uXXXX"
)
SNAPSHOTS_FORMULA = (
    "sha256 over the sorted lines `sha256 SP fetched_at SP final_url LF` of every answer that the run archived"
)


class Asked(Noun):
    """The criteria of an edition; file: the copy that lies in it."""

    id: str
    version: str
    title_ja: str
    title_en: str
    sha256: Sha256
    possible: Offset
    file: str


class LogState(Noun):
    """The part of the log of decisions that counts. last: highest number that could count; newest: time of the newest
    line that does, None where there is none."""

    last: Offset
    lines: Offset
    newest: datetime | None
    digest: Sha256
    formula: str


class Window(Noun):
    """When a run fetched its pages."""

    started: datetime
    finished: datetime


class Snapshots(Noun):
    """What a run archived. cited: sha256 of every copy behind a quote or a measurement that the edition shows."""

    count: Offset
    digest: Sha256
    cited: tuple[Sha256, ...]


class Outcome(Noun):
    """What the edition says of a criterion. of: digest of the judgement; verdict: None where no person confirmed it."""

    criterion: CriterionId
    of: Sha256
    verdict: Verdict | None


class Surveyed(Noun):
    """One municipality of an edition. crawl: None where the run recorded none; lines: numbers of the lines of the log
    that count."""

    municipality: Municipality
    run: str
    as_of: date
    crawl: Window | None
    judges: tuple[str, ...]
    models: tuple[str, ...]
    prompts: tuple[Sha256, ...]
    pages: Offset
    snapshots: Snapshots
    points: Offset
    possible: Offset
    awaiting: Offset
    outcomes: tuple[Outcome, ...]
    lines: tuple[int, ...]


class File(Noun):
    """A file of the edition; path: relative to its folder."""

    path: str
    bytes: Offset
    sha256: Sha256


class Edition(Noun):
    """edition.json: what was published, from what, and the sha256 of every other file of it. at: the edition's time, as
    given; akashi: version of the program."""

    format: int = FORMAT
    name: str
    title: str
    at: AwareDatetime
    akashi: str
    languages: tuple[str, ...]
    with_unconfirmed: bool
    criteria: Asked
    log: LogState
    snapshots_formula: str = SNAPSHOTS_FORMULA
    municipalities: tuple[Surveyed, ...]
    files: tuple[File, ...]

    def of(self, code: str) -> Surveyed | None:
        return next((one for one in self.municipalities if one.municipality.code == code), None)


class Evidence(Noun):
    """evidence/CODE.json: a run and its judgements with the decisions that count, from which the score can be counted
    again. Passages that retrieval offered are left out."""

    run: Run
    items: tuple[QueueItem, ...]


class Issued(Noun):
    """errata/NNNN.json: an erratum, and from which lines of the log it follows. edition_sha256: of edition.json; lines:
    numbers of those that neither the edition nor an earlier erratum of the municipality knew; reason: said of
    corrections whose decision has no note."""

    format: int = FORMAT
    akashi: str
    edition_sha256: Sha256
    at: AwareDatetime
    reason: str = ""
    lines: tuple[int, ...]
    erratum: Erratum
