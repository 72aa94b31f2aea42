"""A small fictional survey and its mapping, for tests of the crosscheck."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from queue_data import CITY, criteria, judgement, run, told

from pipeline.crosscheck import load
from pipeline.crosscheck.nouns import Mapping
from pipeline.models import Judgement, Municipality, Verdict
from pipeline.results import Result
from pipeline.score import score
from pipeline.store.log import digest

MAPPING = """\
id: fictional
version: "1"
criteria: test
survey:
  title: {ja: 架空の調査, en: A fictional survey}
  asked: {ja: 2024年4月, en: April 2024}
  url: https://survey.example/
header: {code: [団体コード, lgcode], prefecture: [都道府県], name: [市区町村]}
readings:
  done: {affirms: [実施], denies: [未実施], silent: [調査無し]}
  used: {percent_above: 0}
items:
  - {id: rpa, columns: [業務 / RPAの導入], criterion: ops-01, how: same, reading: done, note: *note}
  - {id: plan, columns: [体制 / 方針, 体制 / 計画], criterion: policy-01, how: narrower, reading: done, note: *note}
  - {id: booking, columns: [手続 / 施設の予約], criterion: ops-02, how: broader, reading: used, note: *note}
  - {id: ai, columns: [業務 / AIの導入], criterion: resident-01, how: related, reading: done, note: *note}
unmapped:
  - {columns: [住民 / *], why: {ja: 項目がない, en: no criterion}}
""".replace("*note", "{ja: 問いの違い, en: they differ}")
HEADER = (
    "団体コード",
    "都道府県",
    "市区町村",
    "業務 / RPAの導入",
    "体制 / 方針",
    "体制 / 計画",
    "手続 / 施設の予約",
    "業務 / AIの導入",
)


def mapping(folder: Path, text: str = MAPPING) -> Mapping:
    path = folder / "fictional.yaml"
    path.write_text(text, encoding="utf-8")
    return load(str(path))


def csv_of(folder: Path, *rows: Sequence[str], header: Sequence[str] = HEADER, encoding: str = "utf-8-sig") -> Path:
    """A file of the rows; cells with commas or quotes are quoted."""
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (header, *rows)]
    path = folder / "survey.csv"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def result(*judged: Judgement, place: Municipality = CITY, confirmed: str = "") -> Result:
    """A survey with these judgements, or a `met` on every criterion. confirmed: steps on ops-01, as in "A approve"."""
    from queue_data import decided, item

    asked = criteria()
    known = {one.criterion: one for one in judged}
    of = run(city=place)
    items = []
    for number, one in enumerate(asked.criteria, start=1):
        judged_ = known.get(one.id, judgement(one.id))
        made = item(judged_, number=number, run_id=of.id).model_copy(
            update={"municipality": place, "digest": digest(place.code, judged_)}
        )
        for step in filter(None, confirmed.split(", ") if one.id == "ops-01" else []):
            made = decided(made, told(made, step))
        items.append(made)
    return Result(of, asked, tuple(items), score(of, items, asked))


__all__ = ["Verdict", "csv_of", "mapping", "result"]
