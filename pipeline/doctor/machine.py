"""The machine: Python, packages, a browser, fonts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from pipeline.crawl.chromium import INSTALL, find, lacking
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient

LEAST_PYTHON = (3, 11)
COMMAND_S = 15.0
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:>=([0-9.]+))?\s*$")


def python(patient: Patient) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        yield Finding(check="python", state=State.FAIL, found=version, advice=f"install Python {least} or later")
    else:
        yield Finding(check="python", state=State.OK, found=version)


def packages(patient: Patient) -> Iterator[Finding]:
    """What pyproject.toml asks for, against what is installed."""
    parsed = [_REQUIREMENT.match(each) for each in metadata.requires("akashi") or () if ";" not in each]
    problems = [problem for match in parsed if match and (problem := _problem(match[1], match[2] or ""))]
    found = f"akashi {metadata.version('akashi')}, {len(parsed)} packages"
    if problems:
        advice = "install them anew: make demo, or pip install --require-hashes -r requirements.txt"
        yield Finding(check="packages", state=State.FAIL, found=f"{found}; wrong: {', '.join(problems)}", advice=advice)
    else:
        yield Finding(check="packages", state=State.OK, found=found)


def _problem(name: str, least: str) -> str:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    return f"{name} {installed} (needs {least})" if _numbers(installed) < _numbers(least) else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4])


def browser(patient: Patient) -> Iterator[Finding]:
    """Optional: display speed and pages that only a script fills want one."""
    chromium = patient.settings.chromium
    path, missing = find(chromium), lacking(chromium)
    if path is None:
        state = State.FAIL if chromium else State.UNSET
        yield Finding(check="browser", state=state, found=missing, advice=f"for display speed and scripts: {INSTALL}")
        return
    version = _output(path, "--version").strip() or "does not tell its version"
    state, advice = (State.WARN, INSTALL) if missing else (State.OK, "")
    yield Finding(
        check="browser", state=state, found=f"{path}: {version}" + (f"; {missing}" if missing else ""), advice=advice
    )


def fonts(patient: Patient) -> Iterator[Finding]:
    if not shutil.which("fc-list"):
        advice = "install fontconfig and a Japanese font, such as Noto CJK, for screenshots and PDF"
        yield Finding(check="fonts", state=State.UNSET, found="there is no fc-list to ask", advice=advice)
        return
    families = sorted({line.split(",")[0].strip() for line in _output("fc-list", ":lang=ja", "family").splitlines()})
    if families:
        shown = next((family for family in families if "JP" in family), families[0])
        yield Finding(check="fonts", state=State.OK, found=f"{len(families)} families with Japanese, such as {shown}")
    else:
        advice = "install a Japanese font, such as Noto CJK: without one screenshots and PDF show boxes"
        yield Finding(check="fonts", state=State.WARN, found="no Japanese font", advice=advice)


def _output(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  (programs found on PATH, no shell)
        command, capture_output=True, text=True, errors="replace", timeout=COMMAND_S, check=False
    )
    return done.stdout


FIRST = (("python", python), ("packages", packages))
LAST = (("browser", browser), ("fonts", fonts))
