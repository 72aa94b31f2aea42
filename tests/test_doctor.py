"""classify doctor tells what is in place and what is not, over real servers and databases; it never breaks itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from commands import classify
from databases import Cluster
from hostile import Reply, Server, page, redirect, serve
from pydantic import SecretStr
from scripted_server import Reply as Said
from scripted_server import completion, refused, said
from scripted_server import serve as model_server

from pipeline.archive import Archive
from pipeline.crawl import visit
from pipeline.crawl.chromium import find
from pipeline.doctor import machine, model, network, workers, workspace
from pipeline.doctor.examine import examine
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient
from pipeline.models import Municipality, Source
from pipeline.settings import Settings
from pipeline.store.store import Store

KEY = "sk-do-not-print-me"
NAMES = [
    "python", "packages", "workspace", "disk", "archive", "database", "criteria", "prompts", "registry", "network",
    "clock", "proxy", "robots.txt", "model", "browser", "fonts",
]  # fmt: skip


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CLASSIFY_MODEL", "CLASSIFY_CHROMIUM", "CLASSIFY_DB",
                 "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(visit, "_PAUSE_S", 0.05)  # before the second try at a server that fails


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    robots = Reply(b"User-agent: *\nCrawl-delay: 0.3\nDisallow: /private/", media="text/plain")
    with serve({"/": page(title="青空市"), "/robots.txt": robots}) as server:
        yield server


def settings(home: Path, **more: Any) -> Settings:
    return Settings(home=home, cache=home / "cache", delay_s=0.0, **{"deadline_s": 10.0} | more)


def patient(home: Path, url: str = "", **more: Any) -> Patient:
    kept = more.pop("settings", None) or settings(home)
    return Patient(settings=kept, url=url, allow_private=True, **more)


def rows(one: Patient, **more: Any) -> dict[str, Finding]:
    return {found.check: found for found in examine(one, **more)}


LOCAL = (*machine.FIRST, *workspace.CHECKS, *workers.CHECKS)
CHECKS = dict((*LOCAL, *network.CHECKS, ("model", model.check), *machine.LAST))


def row(name: str, one: Patient) -> Finding:
    """What one check alone says."""
    return next(found for found in CHECKS[name](one) if found.check == name)


def city(home_url: str | None) -> Municipality:
    return Municipality(code="112011", name="青空市", kana="あおぞらし", prefecture="埼玉県", home_url=home_url)


def test_a_machine_in_order_has_no_failure_and_makes_nothing(site: Server, tmp_path: Path) -> None:
    found = examine(patient(tmp_path / "home", site.url, city=city(site.url)))
    assert [one.check for one in found] == NAMES
    states = {one.check: one.state for one in found}
    fine = [name for name in NAMES if name not in ("registry", "model", "browser", "fonts", "disk")]
    assert all(states[name] is State.OK for name in fine), found
    assert (states["registry"], states["model"]) == (State.UNSET, State.UNSET)
    assert not (tmp_path / "home").exists()


def test_offline_asks_nobody(site: Server, tmp_path: Path) -> None:
    asked = len(site.log)
    with model_server([said("no_evidence")]) as server:
        one = patient(tmp_path, site.url, city=city(site.url), base_url=server.base_url, offline=True)
        assert {"network", "robots.txt", "model", "proxy"}.isdisjoint(rows(one))
        assert server.asked == []
    assert len(site.log) == asked


# --- workspace, archive, database, criteria, registry -----------------------------------------------------------------


def test_a_file_in_place_of_the_workspace_fails(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    for home in (tmp_path / "home", tmp_path / "home" / "deeper"):
        found = row("workspace", patient(home))
        assert found.state is State.FAIL and "is a file" in found.found and "CLASSIFY_HOME" in found.advice
        assert row("database", patient(home)).state is State.FAIL


def test_a_workspace_open_to_others_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    found = row("workspace", patient(tmp_path / "home"))
    assert (found.state, found.advice) == (State.WARN, f"chmod 700 {tmp_path / 'home'}")
    (tmp_path / "home").chmod(0o700)
    assert row("workspace", patient(tmp_path / "home")).state is State.OK


def test_little_room_is_a_warning_and_none_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "LEAST_FREE_BYTES", 10**18)
    found = row("disk", patient(tmp_path))
    assert found.state is State.WARN and "400 pages" in found.advice
    monkeypatch.setattr(workspace, "NO_ROOM_BYTES", 10**18)
    assert row("disk", patient(tmp_path)).state is State.FAIL


def test_a_damaged_index_is_told_and_left_alone(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive") as archive:
        now = datetime.now(UTC)
        archive.write(code="112011", run_id="r", url="http://x.example/", final_url="http://x.example/", fetched_at=now,
                      status=200, headers=(), body=b"x", source=Source.OFFICIAL)  # fmt: skip
    assert "1 WARC file(s), the index is sound" in row("archive", patient(tmp_path)).found
    (tmp_path / "archive" / "index.db").write_bytes(b"no database at all" * 100)
    for suffix in ("-wal", "-shm"):
        (tmp_path / "archive" / f"index.db{suffix}").unlink(missing_ok=True)
    assert row("archive", patient(tmp_path)).state is State.WARN
    assert (tmp_path / "archive" / "index.db").read_bytes().startswith(b"no database")


def test_shared_storage_is_written_to_and_read_back(tmp_path: Path) -> None:
    def told(storage: Path | str) -> Finding:
        return row("archive", patient(tmp_path, settings=settings(tmp_path, archive=str(storage))))

    (tmp_path / "share").mkdir()
    there = told(tmp_path / "share")
    assert there.state is State.OK and "written, read back and removed" in there.found
    assert list((tmp_path / "share").iterdir()) == []
    missing = told(tmp_path / "not mounted")
    assert missing.state is State.WARN and "is not there" in missing.found and "mount it" in missing.advice
    assert not (tmp_path / "not mounted").exists()
    (tmp_path / "file").write_text("x")
    assert told("nosuch://x").state is State.FAIL
    assert told(tmp_path / "file").state is not State.OK


def test_a_database_is_told_by_its_version(database_url: str, tmp_path: Path) -> None:
    one = patient(tmp_path, settings=settings(tmp_path, db=database_url), offline=True)
    assert row("database", one).state is State.OK
    with Store(database_url) as store:
        wanted = _version(store)
        assert "up to date" in row("database", one).found
        _set_version(store, "0001")
        before = row("database", one)
        assert (before.state, wanted in before.found) == (State.WARN, True)
        assert _version(store) == "0001", "a look migrates nothing"
        _set_version(store, "9999")
        newer = row("database", one)
        assert (newer.state, newer.advice) == (State.FAIL, "update Akashi")


def _version(store: Store) -> str:
    with store._database.reading("look") as connection:  # type: ignore[attr-defined]
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def _set_version(store: Store, version: str) -> None:
    with store._database.writing("change") as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")


def test_databases_that_cannot_be_used(tmp_path: Path, cluster: Cluster, postgresql_url: str) -> None:
    (tmp_path / "text.db").write_text("this is no database at all, but a text" * 10)
    name = postgresql_url.rpartition("/")[2]
    password = postgresql_url.partition("akashi:")[2].partition("@")[0]
    cluster.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    urls = {
        "not a database url": "no database URL",
        f"sqlite:///{tmp_path / 'text.db'}": "not a database",
        f"sqlite:///{tmp_path / 'text.db' / 'akashi.db'}": "no folder",
        postgresql_url: "transaction_read_only",
        postgresql_url.replace(password, "wrong"): "password authentication failed",
        "postgresql+psycopg://akashi:geheim%21@127.0.0.1:1/akashi": "127.0.0.1",
        "nosuch://x": "nosuch",
    }
    for url, said_of_it in urls.items():
        found = row("database", patient(tmp_path, settings=settings(tmp_path, db=url)))
        assert found.state is State.FAIL and said_of_it in found.found, found
        assert password not in found.found and "geheim" not in found.found


def test_a_database_that_another_process_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "DATABASE_S", 0.1)
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}"):
        pass
    holder = sqlite3.connect(tmp_path / "akashi.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        found = row("database", patient(tmp_path))
    finally:
        holder.close()
    assert found.state is State.FAIL and "locked" in found.found


def test_what_workers_need_is_told_where_they_share_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(**more: Any) -> list[Finding]:
        return list(workers.check(patient(tmp_path, settings=settings(tmp_path, **more))))

    postgresql = "postgresql+psycopg://akashi@127.0.0.1:1/akashi"
    assert told() == []
    assert [one.state for one in told(db=postgresql, archive="s3://pages/akashi")] == [State.OK]
    (alone,) = told(db=postgresql)
    assert alone.state is State.WARN and "CLASSIFY_ARCHIVE is not set" in alone.found
    monkeypatch.setattr("pipeline.cluster.link.find_spec", lambda name: None if name == "procrastinate" else name)
    (lacking,) = told(db=postgresql, archive="s3://pages/akashi")
    assert lacking.state is State.WARN and "procrastinate" in lacking.found and "akashi[cluster]" in lacking.advice


def test_criteria_prompts_and_registry_that_do_not_load(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: x\n")
    (tmp_path / "bad.csv").write_text("nothing,here\n")
    bad = settings(tmp_path, criteria=str(tmp_path / "bad.yaml"), prompts=str(tmp_path / "none.yaml"))
    one = patient(tmp_path, settings=bad, registry=tmp_path / "bad.csv")
    assert {row(name, one).state for name in ("criteria", "prompts", "registry")} == {State.FAIL}


def test_an_old_registry_is_warned_of(tmp_path: Path, shared: Path) -> None:
    copy = tmp_path / "r.csv"
    shutil.copyfile(shared / "data" / "localgovjp" / "localgovjp-utf8.csv", copy)
    assert row("registry", patient(tmp_path, registry=copy)).found.startswith("1,741 municipalities, 0 d")
    old = time.time() - 500 * 86_400
    os.utime(copy, (old, old))
    assert row("registry", patient(tmp_path, registry=copy)).state is State.WARN


# --- the network ------------------------------------------------------------------------------------------------------


def test_addresses_that_cannot_be_reached(site: Server, tmp_path: Path) -> None:
    with serve({}) as gone:
        pass
    for url, cause in {
        gone.url: "connect",
        site.url.replace("http:", "https:"): "tls",
        "http://no.such.host.invalid/": "dns",
        "gopher://x/": "no address",
    }.items():
        found = row("network", patient(tmp_path, url))
        assert found.state is State.FAIL and cause in found.found and found.advice, found
    closed = Patient(settings=settings(tmp_path), url=site.url, city=city(site.url))
    found = row("network", closed)
    assert "address: " in found.found and "--allow-private" in found.advice
    assert row("robots.txt", closed).state is State.FAIL


@pytest.mark.parametrize(("off_s", "state"), [(0, State.OK), (240, State.OK), (-3600, State.WARN), (3600, State.WARN)])
def test_the_clock_is_compared_with_the_servers(off_s: int, state: State, tmp_path: Path) -> None:
    def act(handler: Any) -> None:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=off_s), usegmt=True)
        handler.close_connection = True
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nDate: {at}\r\nContent-Length: 2\r\n\r\nok".encode())

    with serve({"/": Reply(act=act)}) as server:
        (clock,) = [one for one in network.reach(patient(tmp_path, server.url)) if one.check == "clock"]
        assert clock.state is state


def test_a_server_that_drips_costs_a_bounded_time(tmp_path: Path) -> None:
    with serve({"/": page()}, slowness_s=3.0) as slow:
        began = time.monotonic()
        found = row("network", patient(tmp_path, slow.url, settings=settings(tmp_path, deadline_s=0.3)))
        assert time.monotonic() - began < 2.5
        assert found.state is State.FAIL and "no complete answer in 0.3 s" in found.found


def test_the_pace_of_a_city_is_told(site: Server, tmp_path: Path) -> None:
    found = row("robots.txt", patient(tmp_path, site.url, city=city(site.url)))
    assert found.state is State.OK
    assert "400 pages at 0.3 s (its Crawl-delay of 0.3 s) take 2 min or more" in found.found
    assert "/" in site.paths() and "/private/" not in site.paths()


@pytest.mark.parametrize(
    ("answers", "state", "said_of_it"),
    [
        ({"/robots.txt": Reply(b"User-agent: Akashi\nDisallow: /", media="text/plain")}, State.FAIL, "robots"),
        ({"/robots.txt": Reply(b"", status=503, headers=(("Retry-After", "0"),))}, State.FAIL, "robots_unreachable"),
        ({"/": redirect("http://stranger.example/")}, State.FAIL, "redirects to http://stranger.example/"),
        ({}, State.WARN, "status 404"),
    ],
)
def test_a_city_that_does_not_let_us_in(
    answers: dict[str, Reply], state: State, said_of_it: str, tmp_path: Path
) -> None:
    with serve(answers) as server:
        found = row("robots.txt", patient(tmp_path, server.url, city=city(server.url)))
        assert "/" not in server.paths() or "/robots.txt" not in answers
    assert (found.state, said_of_it in found.found) == (state, True), found
    assert found.advice


def test_proxies_are_named_without_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:geheim@proxy.example:3128")
    found = row("proxy", patient(tmp_path, "http://no.such.host.invalid/"))
    assert found.state is State.WARN and "HTTPS_PROXY" in found.found
    assert "geheim" not in str(found)


# --- the model --------------------------------------------------------------------------------------------------------


# One criterion is read a hundred times as fast as the 31.
ONE_CRITERION = """\
id: tiny
version: "1"
title: {ja: 題, en: Title}
viewpoints: [{id: ops, name: {ja: 業務, en: Operations}}]
criteria:
  - id: ops-01
    viewpoint: ops
    settled_by: text
    statement: {ja: 予約できる, en: It can be booked}
    counts: {ja: ウェブの予約, en: Booking on the web}
    search_terms: [予約]
    cues: [{all: [[予約]]}]
"""


def asked_model(home: Path, base_url: str, *, criteria: str = "", **more: Any) -> Finding:
    (home / "one.yaml").write_text(ONE_CRITERION, "utf-8")
    asked = criteria or str(home / "one.yaml")
    kept = settings(home, openai_api_key=SecretStr(KEY), model_timeout_s=5.0, criteria=asked)
    one = patient(home, "http://no.such.host.invalid/", settings=kept, base_url=base_url, **{"model": "m"} | more)
    return row("model", one)


def test_a_model_that_keeps_the_schema_is_asked_once(tmp_path: Path) -> None:
    with model_server([said("no_evidence")]) as server:
        found = asked_model(tmp_path, server.base_url, criteria="dx-2024", price="1/2")
        assert len(server.asked) == 1
        body = server.asked[0].body
        assert body["response_format"]["json_schema"]["strict"] is True
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert found.state is State.OK
    assert "kept the schema" in found.found and "1,000 + 100 tokens, $0.0012" in found.found


def test_models_that_cannot_judge(tmp_path: Path) -> None:
    cases = {
        "not_json": [Said(completion("Sure! Here is the answer."))],
        "schema": [Said(completion('{"answer": 1}'))],
        "HTTP 401": [refused(401, message=f"Incorrect API key provided: {KEY}")],
        "HTTP 404": [refused(404, message="no such model")],
        "HTTP 500": [refused(500), said("no_evidence")],
        "no quota": [refused(429, "insufficient_quota")],
        "no answer": [Said("{}", cut=True)],
    }
    for told, replies in cases.items():
        with model_server(replies) as server:
            found = asked_model(tmp_path, server.base_url)
            assert len(server.asked) == 1, told
        assert found.state is State.FAIL and told in found.found and found.advice, found
    assert "no answer" in asked_model(tmp_path, "http://127.0.0.1:1/v1").found


def test_a_model_without_a_known_price_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host in ("model.example", b"model.example") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with model_server([said("no_evidence")]) as server:
        found = asked_model(tmp_path, server.base_url.replace("127.0.0.1", "model.example"))
    assert found.state is State.WARN
    assert "kept the schema" in found.found and "$" not in found.found and "--price" in found.advice


# --- the machine ------------------------------------------------------------------------------------------------------


def test_without_tools_on_the_path_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    one = patient(tmp_path)
    assert (row("fonts", one).state, row("browser", one).state) == (State.UNSET, State.UNSET)
    monkeypatch.setenv("CLASSIFY_CHROMIUM", "/no/such/chromium")
    assert row("browser", patient(tmp_path)).state is State.FAIL


def test_the_browser_of_this_machine_tells_its_version(tmp_path: Path) -> None:
    if find() is None:
        pytest.skip("no Chromium on PATH")
    found = row("browser", patient(tmp_path))
    assert found.state is State.OK and "hrom" in found.found


def test_a_package_that_is_too_old_or_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine.metadata, "requires", lambda _: ["rich>=999", "no-such-package>=1", "typer>=0.1"])
    found = row("packages", patient(tmp_path))
    assert found.state is State.FAIL
    assert "rich" in found.found and "no-such-package is missing" in found.found and "typer" not in found.found


# --- the examination itself -------------------------------------------------------------------------------------------


def test_a_check_that_breaks_or_hangs_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Patient) -> Iterator[Finding]:
        raise KeyError("what a surprise")

    def hangs(_: Patient) -> Iterator[Finding]:
        time.sleep(30)
        yield Finding(check="hangs", state=State.OK, found="")

    monkeypatch.setattr(machine, "FIRST", (("breaks", breaks), ("hangs", hangs)))
    monkeypatch.setattr(machine, "LAST", ())
    monkeypatch.setattr(workspace, "CHECKS", (("disk", workspace.space),))
    began = time.monotonic()
    found = rows(patient(tmp_path, offline=True), limit_s=0.5)
    assert time.monotonic() - began < 10
    assert found["breaks"].state is State.FAIL and "KeyError: 'what a surprise'" in found["breaks"].found
    assert found["hangs"].state is State.FAIL and "no outcome within 0.5 s" in found["hangs"].found
    assert found["disk"].state is not State.FAIL


def test_no_key_or_password_is_told_whatever_others_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers repeat a wrong key in their refusals."""
    monkeypatch.setattr(machine, "FIRST", ())
    monkeypatch.setattr(machine, "LAST", ())
    monkeypatch.setattr(network, "CHECKS", ())
    kept = settings(tmp_path, openai_api_key=SecretStr(KEY), db="postgresql+psycopg://a:geheim%21@127.0.0.1:1/geheim!")
    with model_server([refused(401, message=f"Incorrect API key provided: {KEY}")]) as server:
        found = rows(patient(tmp_path, settings=kept, model="m", base_url=server.base_url))
    assert "Incorrect API key provided: …" in found["model"].found
    assert not any(secret in str(found) for secret in (KEY, "geheim!", "geheim%21"))


def test_the_command_prints_a_table_or_json_and_its_exit_code_tells(site: Server, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "r.csv").write_text(
        f"pref,city,citykana,url,lgcode\n埼玉県,青空市,あおぞらし,{site.url},112011\n", "utf-8"
    )
    ask = ("doctor", "--registry", str(tmp_path / "r.csv"), "--city", "aozora", "--url", site.url, "--allow-private")
    told = classify(home, *ask, "--json", CLASSIFY_DELAY_S="0")
    found = json.loads(told)
    assert [one["check"] for one in found] == NAMES
    assert set(found[0]) == {"check", "state", "found", "advice"}
    table = classify(home, "doctor", "--offline", code=1, CLASSIFY_DB="sqlite:////dev/null/x.db", OPENAI_API_KEY=KEY)
    assert "✕ fail" in table and "→ see CLASSIFY_DB" in table
    assert KEY not in table
    unknown = classify(home, "doctor", "--city", "青空村", "--registry", str(tmp_path / "r.csv"), code=2)
    assert "no municipality is called 青空村" in unknown
