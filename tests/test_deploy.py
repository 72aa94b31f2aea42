"""The files of docs/deploy: what they start exists, what they set is a setting, and they hold no secret."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from pipeline.cli import app
from pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
SETTINGS = {str(one.validation_alias or f"CLASSIFY_{name.upper()}") for name, one in Settings.model_fields.items()}


def exists(line: str) -> None:
    """Fails where `classify ...` names a command or an option that is not there."""
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert not [word for word in words if word.startswith("--") and word.split("=")[0] not in known], line


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_and_settings_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"\b(?:CLASSIFY|OPENAI)_[A-Z_]+\b", text)) <= SETTINGS
    for line in re.findall(r"\bclassify (?:nation|worker|status|review|cancel)[^\n\"#`\];]*", text):
        exists(line.strip())


def test_the_compose_file_holds_together() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert set(services) == {"postgres", "desk", "review", "worker"}
    for one in services.values():
        assert {volume.split(":")[0] for volume in one["volumes"]} <= set(compose["volumes"])
        assert "/" not in one["image"], "an image of a named host"
        assert one["env_file"] == "akashi.env"
    exists(shlex.join(services["worker"]["command"]))
    assert (DEPLOY / services["worker"]["build"]["context"] / services["worker"]["build"]["dockerfile"]).is_file()
    assert all(str(port).startswith("127.0.0.1:") for port in services["review"]["ports"])


@pytest.mark.parametrize("name", ["akashi-worker@.service", "akashi-review.service"])
def test_units_start_what_is_there_and_may_little(name: str) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / name, "utf-8")
    service = unit["Service"]
    exists(service["ExecStart"].replace("/opt/akashi/bin/", ""))
    assert service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"
    assert service["Restart"] == "always" and service["EnvironmentFile"] == "/etc/akashi/akashi.env"


def test_the_example_holds_no_secret() -> None:
    values = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (DEPLOY / "akashi.env.example").read_text("utf-8"), flags=re.M))
    assert not [name for name, value in values.items() if ("KEY" in name or "PASSWORD" in name) and value]
    assert "PASSWORD@" in values["CLASSIFY_DB"]


def test_what_workers_need_is_locked_with_hashes_in_the_versions_of_the_tests() -> None:
    def pinned(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / name).read_text("utf-8"), flags=re.M))

    locked, tested = pinned("requirements-cluster.txt"), pinned("requirements-dev.txt")
    assert {"procrastinate", "s3fs", "fsspec", "psycopg-pool"} <= set(locked)
    assert all(tested[name] == version for name, version in locked.items() if name in tested)
    lines = (ROOT / "requirements-cluster.txt").read_text("utf-8")
    assert lines.count("--hash=sha256:") > len(locked) and "index" not in lines
