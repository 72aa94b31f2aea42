"""The gate: floors under a judge's figures and digests of the labels, pinned in a file beside the labels."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from evals.confidence import errors_first
from evals.metrics import figures
from evals.nouns import EvalRun, How
from pipeline.errors import InputError
from pipeline.models import Noun, Sha256

FILE = "floors.yaml"
# How a figure is pinned: rounded down, so that the run that pinned it passes.
DECIMALS = 4
_HEAD = """\
# Floors under the judges, checked by `classify eval gate`, and digests of the labels that they were measured on.
# Raise them, and take over changed labels, with `classify eval gate --pin`; lowering a floor takes `--pin --lower`.
"""


class Floors(Noun):
    """What one judge must reach. digests: of labels and pages by site; floors: lowest figure by name."""

    how: How
    criteria_id: str
    digests: dict[str, Sha256]
    floors: dict[str, float]


class Gate(Noun):
    """The floors of each judge, by its name."""

    judges: dict[str, Floors] = {}


def gate_of(folder: Path) -> Gate:
    """The floors pinned beside the labels; none where there is no file. Raises InputError where it is not valid."""
    path = folder / FILE
    if not path.is_file():
        return Gate()
    try:
        return Gate.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (ValidationError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not valid ({str(error).splitlines()[0]}). Restore it, or pin anew.") from None


def measured(run: EvalRun) -> dict[str, float]:
    """The figures that floors stand under; undefined ones left out."""
    of = figures("pooled", run.cases, with_intervals=False)
    first = errors_first(run.cases)
    found = {
        "agreement": of.agreement.value,
        "kappa": of.kappa.value,
        "point_kappa": of.point_kappa.value,
        "precision_of_met": of.precision.value,
        "recall_of_met": of.recall.value,
        "errors_in_first_30_percent": first.value if first.of else 1.0,
    }
    return {name: value for name, value in found.items() if value is not None}


def failures(run: EvalRun, floors: Floors) -> list[str]:
    """One line for each reason why the run does not pass."""
    changed = _changed(run, floors)
    wrong = [f"{slug}: its labels or pages are not those of the floors" for slug in changed]
    reached = measured(run)
    for name, floor in floors.floors.items():
        value = reached.get(name)
        if value is None or value < floor:
            wrong.append(f"{name}: {'undefined' if value is None else f'{value:.4f}'}, below its floor of {floor:.4f}")
    return wrong


def pinned(run: EvalRun, before: Floors | None, *, lower: bool) -> Floors:
    """Floors at the figures of the run. Raises InputError where that would lower one and `lower` is not said."""
    now = {name: int(value * 10**DECIMALS) / 10**DECIMALS for name, value in measured(run).items()}
    sunk = [
        f"{name} {floor:.4f} -> {now.get(name, 0):.4f}"
        for name, floor in (before.floors.items() if before else ())
        if now.get(name, 0) < floor
    ]
    if sunk and not lower:
        raise InputError(f"{run.judge}: that lowers {', '.join(sunk)}. Mend the judge, or say --lower.")
    return Floors(
        how=run.sites[0].how,
        criteria_id=run.criteria_id,
        digests={site.slug: site.digest for site in run.sites},
        floors=now,
    )


def write(folder: Path, gate: Gate) -> Path:
    """Writes the file beside the labels; returns it."""
    path = folder / FILE
    body = yaml.safe_dump(gate.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path.write_text(_HEAD + body, encoding="utf-8")
    return path


def _changed(run: EvalRun, floors: Floors) -> list[str]:
    now = {site.slug: site.digest for site in run.sites}
    return sorted(slug for slug in now.keys() | floors.digests.keys() if now.get(slug) != floors.digests.get(slug))
