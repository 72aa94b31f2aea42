"""The site's words: Japanese as templates and code write them, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.language import Say, spoken

CATALOGS = Path(__file__).parent / "locale"

# Files of an edition that are not a municipality's report, by the beginning of their path; the first that fits.
DOWNLOADS = (
    ("ranking", "順位表"),
    ("workbook", "全データ（Excel）"),
    ("data", "全データ（CSV）"),
    ("edition.json", "この版の記録（調査番号、判断の記録の要約値、全ファイルの SHA-256）"),
    ("criteria.json", "調査項目"),
    ("populations.csv", "比較に用いた人口"),
)
OTHER = "データ"


def say(language: str) -> Say:
    return spoken(CATALOGS, language)


def download(path: str, _: Say) -> str:
    return next((_(word) for start, word in DOWNLOADS if path.startswith(start)), _(OTHER))


def all_words() -> set[str]:
    """Every Japanese word of the code, for the test that the English catalog is complete."""
    return {OTHER, *(word for _, word in DOWNLOADS)}
