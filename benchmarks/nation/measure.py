"""Runs a command and samples what it and the processes below it take, once a second (Linux)."""

from __future__ import annotations

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 1.0
_LOOK_S = 0.05
_PROC = Path("/proc")
_ENOUGH = 25  # cities, below which the growth is that of a start
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """at_s: monotonic clock; rss_mib, peak_mib: of the process itself, now and at most so far; tree_mib: PSS of it and
    all below it, so that what they share counts once; cpu_s: by process, used so far."""

    at_s: float
    rss_mib: float
    peak_mib: float
    tree_mib: float
    cpu_s: Mapping[int, float]


@dataclass(frozen=True)
class Measured:
    """code: of the process; cpu_s: of it and all below it."""

    code: int
    began_s: float
    wall_s: float
    cpu_s: float
    samples: tuple[Sample, ...]

    @property
    def peak_rss_mib(self) -> float:
        return max((one.peak_mib for one in self.samples), default=0.0)

    @property
    def peak_tree_mib(self) -> float:
        return max((one.tree_mib for one in self.samples), default=0.0)


def run(command: Sequence[str], environment: Mapping[str, str], output: Path) -> Measured:
    """Runs it to its end, its words in a file. An interrupt ends it too."""
    began, samples = time.monotonic(), list[Sample]()
    with output.open("w") as out:
        process = subprocess.Popen(command, env=dict(environment), stdout=out, stderr=subprocess.STDOUT)
    try:
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if not samples or time.monotonic() - samples[-1].at_s >= _EVERY_S:
                samples.append(sample(process.pid))
            time.sleep(_LOOK_S)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - began
    cpu_s = max(used.ru_utime + used.ru_stime, _sampled_cpu_s(samples))
    return Measured(process.returncode, began, wall_s, cpu_s, tuple(samples))


def sample(pid: int) -> Sample:
    """What a process and those below it take now."""
    tree = below(pid)
    cpu = {one: used for one in tree if (used := cpu_s(one)) is not None}
    return Sample(
        time.monotonic(),
        _mib(pid, "status", "VmRSS"),
        _mib(pid, "status", "VmHWM"),
        sum(_mib(one, "smaps_rollup", "Pss") for one in tree),
        cpu,
    )


def below(pid: int) -> list[int]:
    """The process and all that it started, directly or not."""
    children = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and (fields := _stat(int(folder.name))):
            children[int(fields[1])].append(int(folder.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


def cpu_s(pid: int) -> float | None:
    """CPU seconds of a process alone, None where there is none."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else None


def course(measured: Measured, crawled: Sequence[float]) -> list[tuple[float, int, float, float]]:
    """Sample by sample: seconds since the start, cities crawled, MiB of the process and with all below it."""
    return [
        (one.at_s - measured.began_s, sum(at <= one.at_s for at in crawled), one.rss_mib, one.tree_mib)
        for one in measured.samples
    ]


def growth(samples: Sequence[Sample], crawled: Sequence[float], *, tree: bool) -> float | None:
    """By how many MiB the memory grew per 100 cities over the second half of the samples (least squares). crawled:
    when each city was asked last, by the same clock. None where there is too little to tell."""
    half = samples[len(samples) // 2 :]
    cities = [sum(at <= one.at_s for at in crawled) / 100 for one in half]
    memory = [one.tree_mib if tree else one.rss_mib for one in half]
    if len(half) < 4 or (cities[-1] - cities[0]) * 100 < _ENOUGH:
        return None
    mean_cities, mean_memory = sum(cities) / len(cities), sum(memory) / len(memory)
    both = sum((x - mean_cities) * (y - mean_memory) for x, y in zip(cities, memory, strict=True))
    return both / sum((x - mean_cities) ** 2 for x in cities)


def _sampled_cpu_s(samples: Sequence[Sample]) -> float:
    """What the processes had used when last seen: some end without anybody waiting for them."""
    last: dict[int, float] = {}
    for one in samples:
        last |= one.cpu_s
    return sum(last.values())


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; none where the process has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _mib(pid: int, file: str, field: str) -> float:
    try:
        lines = (_PROC / str(pid) / file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return 0.0
    found = next((line for line in lines if line.startswith(field + ":")), "")
    return int(found.split()[1]) * 1024 / _MIB if found else 0.0
