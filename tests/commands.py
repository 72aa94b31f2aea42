"""The command line in a workspace of its own: within this process, or as a process to be interrupted."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from pipeline.cli import main

CLASSIFY = str(Path(sys.executable).with_name("classify"))


def environment(home: Path, **more: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("CLASSIFY_", "OPENAI_"))}
    return clean | {"CLASSIFY_HOME": str(home), "CLASSIFY_CACHE": str(home / "cache"), "COLUMNS": "220"} | more


def start(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """The command, running."""
    return subprocess.Popen(
        [CLASSIFY, *arguments],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def classify(home: Path, *arguments: str, code: int = 0, **more: str) -> str:
    """Run the command within this process and check its exit code; returns all that it wrote."""
    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), redirect_stderr(told):
        for name in set(os.environ) - set(environment(home)):
            patch.delenv(name)
        for name, value in environment(home, **more).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["classify", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == code, told.getvalue()
    return told.getvalue()
