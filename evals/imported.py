"""Labels from the review queue: only what coders said without seeing the machine's answer or each other's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.labels import LABELS, MANIFEST, Evidence, Label, LabelVerdict, Manifest
from pipeline.errors import InputError
from pipeline.models import Action, Decision, QueueItem, Quote, Run
from pipeline.store.log import CODERS, codings, standing

ANCHORED = "confirmed with the machine's proposal in view: agreement with it would be agreement with itself"
HALF_CODED = "coded by one person; a label needs two who did not see each other's answer"
UNSETTLED = "two coders differ and no adjudicator has settled it"
RETURNED = "returned to its coders and not decided again"
NOT_CODED = "nobody has coded it"
CHANGED = "changed after two coders had agreed, with the machine's proposal in view"


@dataclass(frozen=True)
class Imported:
    """labels: of the blindly coded items; refused: reason -> criteria that cannot be labels because of it."""

    labels: tuple[Label, ...]
    refused: dict[str, tuple[str, ...]]


def from_queue(items: Sequence[QueueItem]) -> Imported:
    """Labels of a survey's items: the verdict that two blind coders agree on or an adjudicator settled, both codes
    kept."""
    labels: list[Label] = []
    refused: dict[str, list[str]] = {}
    for item in items:
        blind, held = codings(item.decisions), standing(item.decisions)
        why = ANCHORED if _had_seen(blind, item.decisions) else _refusal(blind, held)
        if why or held is None or held.verdict is None:
            refused.setdefault(why, []).append(item.judgement.criterion)
        else:
            labels.append(_label(item.judgement.criterion, blind, held))
    return Imported(tuple(labels), {why: tuple(criteria) for why, criteria in refused.items()})


def write(found: Imported, run: Run, folder: Path) -> Path:
    """Writes manifest.json and labels.jsonl of the surveyed municipality into a folder of its own; returns the labels'
    file. Raises InputError where there is no label, or where the folder holds other ones."""
    if not found.labels:
        raise InputError(
            f"{run.municipality.name}: no item of run {run.id} was coded blind by two people. Add two reviewers and an "
            "adjudicator (`classify users add`) and code in `classify review`; see docs/reviewers.md."
        )
    manifest = Manifest(
        slug=run.municipality.code,
        name=run.municipality.name,
        kana=run.municipality.kana,
        prefecture=run.municipality.prefecture,
        code=run.municipality.code,
        as_of=run.as_of,
        run=run.id,
    )
    own = folder / manifest.slug
    if (own / LABELS).exists():
        raise InputError(f"{own}: there are labels already. Give another --to, or move them away first.")
    own.mkdir(parents=True, exist_ok=True)
    (own / MANIFEST).write_text(manifest.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
    lines = [one.model_dump(mode="json") for one in found.labels]
    text = "".join(_one_line(json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)
    (own / LABELS).write_text(text, encoding="utf-8")
    return own / LABELS


def _had_seen(blind: Sequence[Decision], log: Sequence[Decision]) -> bool:
    """Whether a coder had decided with the proposal in view before, even if that was taken back."""
    coders = {one.reviewer for one in blind}
    first = next((number for number, one in enumerate(log) if one in blind), len(log))
    open_ = (Action.APPROVE, Action.AMEND, Action.REJECT)
    return any(one.reviewer in coders and one.action in open_ for one in log[:first])


def _refusal(blind: Sequence[Decision], held: Decision | None) -> str:
    if len(blind) >= CODERS:
        agreed = len({one.verdict for one in blind}) == 1
        changed = held is not None and agreed and held.action is not Action.CODE
        return CHANGED if changed else ("" if held else RETURNED if agreed else UNSETTLED)
    if held:
        return ANCHORED
    return HALF_CODED if blind else NOT_CODED


def _one_line(text: str) -> str:
    """Line ends that Unicode knows beside the line feed, as JSON escapes: some readers part lines at them."""
    for mark in "\u2028\u2029\u0085":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _label(criterion: str, blind: Sequence[Decision], held: Decision) -> Label:
    return Label(
        criterion=criterion,
        verdict=LabelVerdict(held.verdict or ""),
        evidence=tuple(_evidence(quote) for quote in held.quotes),
        note=held.note,
        codes={one.reviewer: LabelVerdict(one.verdict or "") for one in blind},
    )


def _evidence(quote: Quote) -> Evidence:
    return Evidence(path=quote.url, quote=quote.text, href=quote.href)
