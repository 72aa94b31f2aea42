"""Builders of cases and of labelled sites for the tests of the eval suite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.nouns import Case

SLUG = "shino"
CODE = "x0123456789"
HEAD = (
    '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{0}</title></head><body><h1>{0}</h1>{1}</body>'
)
RPA = "令和7年度からRPAを導入し、給与計算の入力作業を自動化しています。"
CASHLESS = "市民課の窓口では、手数料の支払いにキャッシュレス決済をご利用いただけます。"
NO_CHATBOT = "チャットボットは導入していません。"
# name of the file -> title and body
PAGES = {
    "index.html": ("試野市", '<p><a href="/digital.html">デジタル</a> <a href="/madoguchi.html">窓口</a></p>'),
    "digital.html": ("デジタルの取り組み", f"<p>{RPA}</p><p>{NO_CHATBOT}</p>"),
    "madoguchi.html": ("窓口", f"<p>{CASHLESS}</p>"),
}


def case(told: str = "met met", **changes: Any) -> Case:
    """The case of a label and a verdict, as in "met no_evidence"."""
    gold, said = told.split()
    values = {"site": "a", "criterion": "ops-01", "viewpoint": "ops", "confidence": 0.5, "gold": gold, "said": said}
    return Case(**(values | changes))


def cases(counts: Mapping[str, int], **changes: Any) -> list[Case]:
    """So many cases of each label and verdict, as in {"met no_evidence": 3}."""
    return [case(told, **changes) for told, count in counts.items() for _ in range(count)]


def label(criterion: str, verdict: str, path: str = "", quote: str = "", **more: Any) -> dict[str, Any]:
    evidence = [{"path": path, "quote": quote}] if path else []
    return {"criterion": criterion, "verdict": verdict, "evidence": evidence, **more}


# The rules agree with five of these six.
LABELS = (
    label("ops-08", "met", "/digital.html", RPA),
    label("resident-06", "not_met", "/digital.html", NO_CHATBOT),
    label("resident-07", "met", "/madoguchi.html", CASHLESS),
    label("policy-03", "no_evidence"),
    label("resident-09", "no_evidence"),
    label("ops-09", "met", "/madoguchi.html", "自由に席を選べます", hard=True, trap="says nothing of desks"),
)


def labelled_site(
    folder: Path,
    labels: Sequence[Mapping[str, Any]] = LABELS,
    pages: Mapping[str, tuple[str, str]] | None = None,
    **manifest: Any,
) -> Path:
    """Writes a labelled site with three pages (or those) into the folder; returns it."""
    (folder / "site").mkdir(parents=True)
    for name, (title, body) in (PAGES if pages is None else pages).items():
        (folder / "site" / name).write_text(HEAD.format(title, body), encoding="utf-8")
    told = {"slug": SLUG, "name": "試野市", "code": CODE, "as_of": "2026-11-20"} | manifest
    (folder / "manifest.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    write_labels(folder, labels)
    return folder


def write_labels(folder: Path, labels: Sequence[Mapping[str, Any]]) -> None:
    lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in labels)
    (folder / "labels.jsonl").write_text("".join(lines), encoding="utf-8")
