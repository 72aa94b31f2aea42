"""Runs all checks side by side, each within its time: one that crashes or hangs is a row of its own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from urllib.parse import unquote, urlsplit

from pipeline.doctor import machine, model, network, workers, workspace
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient
from pipeline.settings import Settings

LOCAL_S = 20.0
# A model on the machine's own processor may read the judge's question for a minute.
MODEL_S = 120.0
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")

Check = Callable[[Patient], Iterable[Finding]]


def examine(patient: Patient, *, limit_s: float | None = None) -> list[Finding]:
    """What every check found, in a fixed order. limit_s: for each check, instead of its own. Raises nothing; holds no
    key or password."""
    checks = [(name, check, limit_s or seconds) for name, check, seconds in _checks(patient)]
    outcomes: list[list[Finding]] = [[] for _ in checks]
    threads = [
        threading.Thread(target=partial(_into, outcome, name, check, patient), daemon=True)
        for outcome, (name, check, _) in zip(outcomes, checks, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread, outcome, (name, _, seconds) in zip(threads, outcomes, checks, strict=True):
        thread.join(seconds)
        if thread.is_alive():
            outcome[:] = [Finding(check=name, state=State.FAIL, found=f"no outcome within {seconds:g} s")]
    secrets = _secrets(patient.settings)
    return [_safe(found, secrets) for outcome in outcomes for found in outcome]


def _checks(patient: Patient) -> Iterable[tuple[str, Check, float]]:
    yield from ((name, check, LOCAL_S) for name, check in (*machine.FIRST, *workspace.CHECKS, *workers.CHECKS))
    if not patient.offline:
        seconds = 3 * patient.settings.deadline_s
        yield from ((name, check, seconds) for name, check in network.CHECKS)
        yield "model", model.check, min(MODEL_S, patient.settings.model_timeout_s) + 5
    yield from ((name, check, LOCAL_S) for name, check in machine.LAST)


def _into(outcome: list[Finding], name: str, check: Check, patient: Patient) -> None:
    try:
        found = list(check(patient))
    except Exception as error:  # a check that breaks is a finding, whatever broke it
        found = [Finding(check=name, state=State.FAIL, found=f"{type(error).__name__}: {error}")]
    outcome[:] = found


def _secrets(settings: Settings) -> Sequence[str]:
    kept = (settings.openai_api_key.get_secret_value(), settings.proxy_secret.get_secret_value())
    try:
        password = urlsplit(settings.db).password or ""
    except ValueError:
        password = ""
    return [secret for secret in (*kept, password, unquote(password)) if secret]


def _safe(found: Finding, secrets: Sequence[str]) -> Finding:
    """Servers and drivers repeat in their errors what they were sent."""

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "…")
        return _USERINFO.sub("…@", text)

    return found.model_copy(update={"found": clean(found.found), "advice": clean(found.advice)})
