"""The gate: floors under a judge's figures and digests of the labels, pinned in a file beside the labels."""

from __future__ import annotations

from math import floor, isfinite
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, ValidationError

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


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("a floor must be a number")
    return value


class Floors(Noun):
    """What one judge must reach. digests: of labels and pages by site; floors: lowest figure by name."""

    how: How
    criteria_id: str
    digests: dict[str, Sha256]
    floors: dict[str, Annotated[float, AfterValidator(_finite)]]


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
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
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
    wrong = (
        [] if run.criteria_id == floors.criteria_id else [f"judged by {run.criteria_id}, floors {floors.criteria_id}"]
    )
    wrong += [f"{slug}: its labels or pages are not those of the floors" for slug in changed]
    reached = measured(run)
    for name, lowest in floors.floors.items():
        value = reached.get(name)
        if value is None or _rounded(value) < lowest:
            wrong.append(f"{name}: {'undefined' if value is None else f'{value:.4f}'}, below its floor of {lowest:.4f}")
    return wrong


def pinned(run: EvalRun, before: Floors | None, *, lower: bool) -> Floors:
    """Floors at the figures of the run. Raises InputError where that would lower one and `lower` is not said."""
    now = {name: _rounded(value) for name, value in measured(run).items()}
    sunk = [
        f"{name} {lowest:.4f} -> {f'{now[name]:.4f}' if name in now else 'undefined'}"
        for name, lowest in (before.floors.items() if before else ())
        if name not in now or now[name] < lowest
    ]
    if sunk and not lower:
        raise InputError(f"{run.judge}: that lowers {', '.join(sunk)}. Mend the judge, or say --lower.")
    return Floors(
        how=next((site.how for site in run.sites if site.how is not How.ARCHIVED), How.ARCHIVED),
        criteria_id=run.criteria_id,
        digests={site.slug: site.digest for site in run.sites},
        floors=now,
    )


def _rounded(value: float) -> float:
    """Rounded down to DECIMALS; what floating point left a hair below a step counts as that step."""
    return float(floor(value * 10**DECIMALS + 1e-6) / 10**DECIMALS)


def write(folder: Path, gate: Gate) -> Path:
    """Writes the file beside the labels; returns it."""
    path = folder / FILE
    body = yaml.safe_dump(gate.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path.write_text(_HEAD + body, encoding="utf-8")
    return path


def _changed(run: EvalRun, floors: Floors) -> list[str]:
    now = {site.slug: site.digest for site in run.sites}
    return sorted(slug for slug in now.keys() | floors.digests.keys() if now.get(slug) != floors.digests.get(slug))
