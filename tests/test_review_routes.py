"""Every way into the review page: who is let in, and that forged or malformed requests leave no trace."""

from __future__ import annotations

import html
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queue_data import NOW
from reviewing import PASSWORD, Person, Served, add_people, copied, database_of, serving
from schemathesis import BaseSchema, Case, GenerationMode
from starlette.testclient import TestClient
from wave_data import WAVE, a_city, a_wave

from pipeline.archive import Archive
from pipeline.desk import Desk
from pipeline.desk.pages import Pages
from pipeline.models import CityState, Filter, Role, Verdict
from pipeline.store.log import lot
from pipeline.store.store import Store
from pipeline.web.app import HEADERS, MAX_BODY_BYTES, create_app
from pipeline.web.sessions import Sessions
from pipeline.web.visit import Office
from pipeline.workspace import Workspace

ORIGIN = "http://testserver"
TEAM = {"佐藤": Role.REVIEWER, "鈴木": Role.REVIEWER, "高橋": Role.ADJUDICATOR, "伊藤": Role.ANALYST}
SHARE = 0.2

# A route that is in none of these fails the first test, and so gets its place and its tests.
OPEN = {"GET /sign-in", "POST /sign-in", "GET /enter", "POST /language"}
READING = {"GET /", "GET /items", "GET /log", "GET /next", "GET /items/{number}", "GET /snapshots/{sha256}"}
READING |= {"GET /waves", "GET /waves/{wave}", "GET /waves/{wave}/figures", "GET /waves/{wave}/cities"}
EXPORTS = {"GET /export/queue.jsonl", "GET /export/log.jsonl", "GET /export/queue.xlsx"}
DECIDING = {f"POST /items/{{number}}/{step}" for step in ("decide", "skip", "lease", "quote")} | {"POST /undo"}
ROUTES = sorted(OPEN | READING | EXPORTS | DECIDING | {"POST /sign-out"})
POSTS = [one for one in ROUTES if one.startswith("POST")]
FORMS: dict[str, dict[str, str]] = {
    "POST /sign-in": {"name": "佐藤", "password": PASSWORD},
    "POST /language": {"language": "en"},
    "POST /sign-out": {},
    "POST /items/{number}/decide": {"choice": "note", "version": "", "note": "メモ"},
    "POST /items/{number}/skip": {"note": "あとで"},
    "POST /items/{number}/lease": {},
    "POST /items/{number}/quote": {"text": "RPA"},
    "POST /undo": {},
}


# Answers as a web server may give them to the crawler, whatever they say of themselves.
STRANGE = {
    "image/svg+xml": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><text>x</text></svg>",
    "application/xhtml+xml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script>x</html>",
    "text/html; charset=utf-7": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "text/html; charset=utf-16": "<script>alert(1)</script>".encode("utf-16"),
    "text/javascript": b"alert(1)",
    "text/css": b"@import 'http://evil.example/'",
    "multipart/x-mixed-replace; boundary=x": b"--x\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "text/plain": b"<script>alert(1)</script>",
    "": b"<script>alert(1)</script> none",
}
ANSWERED = [("Set-Cookie", "akashi=x"), ("Refresh", "0;url=http://evil.example/"), ("Access-Control-Allow-Origin", "*")]
NASTY = "https://city.example/dir/a\";b%0d%0aSet-Cookie:%20x=y;報告'.pdf"


# Answers as a web server may give them to the crawler, whatever they say of themselves.
STRANGE = {
    "image/svg+xml": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><text>x</text></svg>",
    "application/xhtml+xml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script>x</html>",
    "text/html; charset=utf-7": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "text/html; charset=utf-16": "<script>alert(1)</script>".encode("utf-16"),
    "text/javascript": b"alert(1)",
    "text/css": b"@import 'http://evil.example/'",
    "multipart/x-mixed-replace; boundary=x": b"--x\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "text/plain": b"<script>alert(1)</script>",
    "": b"<script>alert(1)</script> none",
}
ANSWERED = [("Set-Cookie", "akashi=x"), ("Refresh", "0;url=http://evil.example/"), ("Access-Control-Allow-Origin", "*")]
NASTY = "https://city.example/dir/a\";b%0d%0aSet-Cookie:%20x=y;報告'.pdf"


@dataclass
class Door:
    """The app of a workspace, in this process. pages: sha256s of the strange ones in its archive, by their type;
    number: of an item without evidence."""

    app: FastAPI
    office: Office
    home: Path
    pages: dict[str, str]
    number: int = 1

    def session(self, name: str = "") -> tuple[str, str]:
        """Cookie and form token of the person, or of a stranger."""
        user = self.office.desk.store.users.find(name)
        return self.ticket(self.office.sessions, name, user.epoch if user else 0)

    @staticmethod
    def ticket(sessions: Sessions, name: str, epoch: int) -> tuple[str, str]:
        session = sessions.fresh(name, epoch)
        return f"akashi={sessions.cookie(session)}", sessions.token(session)

    def ask(self, route: str, ticket: tuple[str, str], **headers: str) -> httpx2.Response:
        """Sends what the route needs, with that cookie and token."""
        method, path = route.split()
        path = self.place(path)
        form = FORMS.get(route, {}) | {"token": ticket[1]}
        if "version" in form:
            form["version"] = self.office.desk.store.item(1).version
        return self.send(method, path, headers={"cookie": ticket[0]} | headers, data=form if route in FORMS else None)

    def place(self, path: str) -> str:
        """The path with everything filled in."""
        return path.replace("{number}", "1").replace("{sha256}", self.pages["text/plain"]).replace("{wave}", WAVE)

    def send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        client = TestClient(self.app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        answer = client.request(method, path, **more)
        assert [name for name in HEADERS if name not in answer.headers] == [], f"{method} {path}"
        return answer

    def database(self) -> str:
        """All that is in the database."""
        with closing(sqlite3.connect(self.home / "akashi.db")) as connection:
            return "\n".join(connection.iterdump())


@pytest.fixture(scope="module")
def door(surveyed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = copied(surveyed, tmp_path_factory.mktemp("routes") / "workspace")
    add_people(database_of(home), **TEAM)
    workspace = Workspace(home)
    with Store(database_of(home)) as store, Archive(workspace.archive) as archive:
        pages = {
            kind: _archived(archive, f"https://city.example/{at}", kind, body)
            for at, (kind, body) in enumerate(STRANGE.items())
        }
        pages["application/pdf"] = _archived(archive, NASTY, "application/pdf", b"%PDF-1.4 <script>alert(1)</script>")
        desk = Desk(store, Pages(archive), cache(workspace.criteria), SHARE)
        office = Office(desk, Sessions(b"k" * 32), (ORIGIN,))
        store.waves.begin(a_wave(), [a_city(at, one, 0, 9, name="汐凪市") for at, one in enumerate(CityState)])
        plain = next(one.number for one in store.listed(Filter()) if one.judgement.verdict is Verdict.NO_EVIDENCE)
        yield Door(create_app(office), office, home, pages, plain)


def _archived(archive: Archive, url: str, kind: str, body: bytes) -> str:
    to: dict[str, Any] = {"code": "131016", "run_id": "strange", "url": url, "final_url": url, "fetched_at": NOW}
    return archive.write(**to, status=200, headers=[("Content-Type", kind), *ANSWERED], body=body).sha256


# --- who is let in ----------------------------------------------------------------------------------------------------


def _declared(app: FastAPI) -> set[str]:
    paths = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def _routed(routes: list[Any]) -> Iterator[str]:
    """The routes as the app has them, also such as are kept out of the schema."""
    for one in routes:
        if inner := getattr(one, "original_router", None):
            yield from _routed(inner.routes)
        elif methods := getattr(one, "methods", None):
            yield from (f"{method} {one.path}" for method in methods)
        else:
            yield f"{type(one).__name__} {one.path}"


def test_every_route_has_its_place_in_these_tests(door: Door) -> None:
    assert _declared(door.app) == set(ROUTES)
    assert set(_routed(door.app.routes)) == {*ROUTES, "Mount /static"}
    assert set(FORMS) == set(POSTS)


@pytest.fixture(scope="module")
def uninvited(door: Door) -> dict[str, tuple[str, str]]:
    """Cookies that let nobody in, each with the form token that belongs to it."""
    users = door.office.desk.store.users
    users.add("退職者", Role.ADJUDICATOR)
    users.change("退職者", active=False)
    epoch = users.change("高橋").epoch
    ours, theirs = door.office.sessions, Sessions(b"x" * 32)
    return {
        "no cookie": ("", ""),
        "a stranger": door.session(),
        "signed out": door.ticket(ours, "高橋", epoch - 1),
        "of a later session": door.ticket(ours, "高橋", epoch + 1),
        "disabled": door.session("退職者"),
        "never known": door.ticket(ours, "誰か", 0),
        "of another key": door.ticket(theirs, "高橋", epoch),
    }


@pytest.mark.parametrize("route", [one for one in ROUTES if one not in OPEN])
def test_who_has_not_signed_in_sees_nothing(door: Door, uninvited: dict[str, tuple[str, str]], route: str) -> None:
    before = door.database()
    for who, ticket in uninvited.items():
        answer = door.ask(route, ticket)
        if route.startswith("GET"):
            assert (answer.status_code, answer.text) == (303, ""), who
            assert answer.headers["location"].startswith("/sign-in?to=%2F")
        else:
            assert answer.status_code == 401, who
            assert [one for one in ("汐凪", "data-item", *TEAM) if one in answer.text] == []
    assert door.database() == before


@pytest.mark.parametrize("route", POSTS)
def test_a_form_that_is_not_our_own_is_refused_and_leaves_no_trace(door: Door, route: str) -> None:
    cookie, token = door.session("" if route in OPEN else "鈴木")
    forged = {
        "no token": ("", {}),
        "a token of another session": (door.session("鈴木")[1], {}),
        "a token of another person": (door.session("高橋")[1], {}),
        "another site": (token, {"origin": "http://evil.example"}),
        "another port": (token, {"origin": "http://testserver:8080"}),
        "a sandbox": (token, {"origin": "null"}),
        "an origin that begins like ours": (token, {"origin": f"{ORIGIN}.evil.example"}),
        "no origin at all": (token, {"origin": ""}),
    }
    before = door.database()
    for how, (other, headers) in forged.items():
        answer = door.ask(route, (cookie, other), **headers)
        assert answer.status_code == 403, how
        assert "location" not in answer.headers
    assert door.database() == before
    assert door.ask(route, (cookie, token), origin=ORIGIN).status_code in (200, 303)


@pytest.mark.parametrize("route", sorted(DECIDING))
def test_an_analyst_decides_nothing(door: Door, route: str) -> None:
    before = door.database()
    answer = door.ask(route, door.session("伊藤"))
    assert (answer.status_code, "分析者は閲覧と書き出しだけ" in answer.text) == (403, True)
    assert door.database() == before


def test_what_an_analyst_opens_is_reserved_for_nobody(door: Door) -> None:
    before = door.database()
    for route in READING:
        answer = door.ask(route, door.session("伊藤"))
        assert answer.status_code == 200
        assert "/decide" not in answer.text or 'name="choice"' not in answer.text
    assert door.database() == before


@pytest.mark.parametrize("route", sorted(EXPORTS))
def test_a_reviewer_exports_nothing_and_others_do(door: Door, route: str) -> None:
    assert door.ask(route, door.session("佐藤")).status_code == 403
    for name in ("高橋", "伊藤"):
        answer = door.ask(route, door.session(name))
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment; ")


def test_a_filter_tells_a_blind_coder_nothing(door: Door) -> None:
    """A count of one item by verdict or judge would say what is proposed."""
    item = next(
        one for one in door.office.desk.store.listed(Filter()) if lot(one.municipality.code, one.judgement) < SHARE
    )
    place = f"code={item.municipality.code}&criterion={item.judgement.criterion}"
    told: dict[str, set[str]] = {}
    for name in ("佐藤", "高橋"):
        for by in [f"verdict={one}" for one in Verdict] + ["judge=rules", "judge=other"]:
            for path in (f"/?{place}&{by}", f"/items/{item.number}?{place}&{by}"):
                page = door.send("GET", path, headers={"cookie": door.session(name)[0]}).text
                told.setdefault(name + path.partition("?")[0], set()).add(re.findall(r"\d+(?:</b>)? / \d+", page)[0])
    assert [len(one) for one in told.values()] == [1, 1, 2, 2]


# --- what is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_other_method_is_answered(door: Door, method: str) -> None:
    before = door.database()
    for path in {one.split()[1] for one in ROUTES}:
        path = door.place(path)
        assert door.send(method, path, headers={"cookie": door.session("高橋")[0]}).status_code == 405
    assert door.database() == before


def test_our_own_pages_load_only_what_is_ours(door: Door) -> None:
    for route in ("GET /sign-in", "GET /items/{number}", "GET /log", "GET /export/log.jsonl"):
        headers = door.ask(route, door.session("高橋")).headers
        rules = [one.split() for one in headers["content-security-policy"].split("; ")]
        allowed = {source for _, *sources in rules for source in sources}
        assert (rules[0], allowed) == (["default-src", "'none'"], {"'none'", "'self'"})
        assert {"form-action", "base-uri", "frame-ancestors"} <= {name for name, *_ in rules}
        assert (headers["x-frame-options"], headers["cache-control"]) == ("DENY", "no-store")
        assert headers["referrer-policy"] in ("same-origin", "no-referrer")


@pytest.mark.parametrize("kind", [*STRANGE, "application/pdf"])
def test_an_archived_page_is_handed_out_in_its_sandbox(door: Door, kind: str) -> None:
    cookie = door.session("佐藤")[0]
    answer = door.send("GET", f"/snapshots/{door.pages[kind]}", headers={"cookie": cookie})
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';") and "allow-" not in policy and "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    plain = {"text/plain": "text/plain; charset=utf-8", "application/pdf": "application/pdf"}
    assert answer.headers["content-type"] == plain.get(kind, "text/html; charset=utf-8")
    assert [name for name, _ in ANSWERED if name in answer.headers] == []
    if kind == "application/pdf":
        name = answer.headers["content-disposition"].removeprefix("attachment; filename*=UTF-8''")
        assert re.fullmatch(r"[\w%.-]+", name)


OUTSIDE = [
    "//evil.example/", "///evil.example/", "/\\evil.example/", "\\\\evil.example", "http://evil.example/",
    "evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example",
    "/\n/evil.example", "@evil.example", "\t//evil.example", " //evil.example", "/\r\nSet-Cookie: x=y",
    "/\r\n\r\n<script>", "/\u2028/evil.example", "/a\\b", "", "/\0/evil.example", "/%5cevil.example/\\..",
    "?", "#", "/\u202emoc.live", "//testserver@evil.example/", "////",
]  # fmt: skip
WITHIN = [
    "/",
    "/items/1?view=q0&whole=true#evidence",
    "/%0d%0aSet-Cookie:%20x=y",
    "/.//evil.example/",
    "/@evil.example",
    "/記録",
]


@pytest.mark.parametrize("to", [*OUTSIDE, *WITHIN])
def test_nobody_is_sent_elsewhere(door: Door, to: str) -> None:
    cookie, token = door.session()
    form = {"language": "en", "token": token, "to": to}
    answer = door.send("POST", "/language", headers={"cookie": cookie}, data=form)
    assert answer.status_code == 303
    assert [one for one in answer.headers.get_list("set-cookie") if not one.startswith("akashi_language=en;")] == []
    _check_inside(answer.headers["location"], to)
    page = door.send("GET", "/sign-in", params={"to": to}).text
    _check_inside(html.unescape(re.findall(r'name="to" value="(.*?)"', page)[-1]), to)


def _check_inside(address: str, to: str) -> None:
    assert re.match(r"/(?![/\\])", address) and not re.search(r"[\s\0]", address)
    assert urlsplit(urljoin(f"{ORIGIN}/sign-in", address))[:2] == ("http", "testserver")
    assert (address == "/") == (to in ("/", *OUTSIDE))


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example", "/%5cevil.example", "/%2f%2fevil.example", "/items/1/", "/static"]
)
def test_no_address_is_corrected_by_a_redirect(door: Door, path: str) -> None:
    for name in ("", "高橋"):
        answer = door.send("GET", f"{ORIGIN}{path}", headers={"cookie": door.session(name)[0]})
        assert (answer.status_code, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize("judge", ["%00", "a%00b", "%ff", "%ed%a0%80", "%F0%9F%98%80", "'%20OR%201=1--", "%25"])
def test_no_judge_in_an_address_breaks_a_database(database_url: str, tmp_path: Path, judge: str) -> None:
    with Store(database_url) as store, Archive(tmp_path / "archive") as archive:
        store.users.add("高橋", Role.ADJUDICATOR)
        office = Office(Desk(store, Pages(archive), Workspace(tmp_path).criteria, 0), Sessions(b"k" * 32), (ORIGIN,))
        door = Door(create_app(office), office, tmp_path, {})
        for path in ("/", "/items", "/next", "/log"):
            assert (
                door.send("GET", f"{path}?judge={judge}", headers={"cookie": door.session("高橋")[0]}).status_code
                == 200
            )


NUMBERS = ["0", "-1", "2147483648", "9" * 30, "9" * 5000, "1e3", "0x1", "１", "NaN", "%00", "null", "1;2", " "]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_none_is_refused(door: Door, number: str) -> None:
    before = door.database()
    looks_on = {"cookie": door.session("伊藤")[0]}  # for whom nothing is reserved
    for path in (f"/items/{number}", f"/items?page={number}", f"/next?after={number}", f"/items/1?view=q{number}"):
        assert door.send("GET", path, headers=looks_on).status_code in (200, 400, 422)
    cookie, token = door.session("高橋")
    for step in ("decide", "skip", "lease", "quote"):
        form = FORMS[f"POST /items/{{number}}/{step}"] | {"token": token, "version": "x"}
        answer = door.send("POST", f"/items/{number}/{step}", headers={"cookie": cookie}, data=form)
        assert answer.status_code in (400, 422)
    assert door.database() == before


# --- forms ------------------------------------------------------------------------------------------------------------

NOT_TEXT = ["%00", "a%00b", "%ed%a0%80", "%ff%fe", "%c0%af", "%u0000", "%", "%f4%90%80%80", "%e2%80%ae", "%0d%0a%00"]


@pytest.mark.parametrize("text", NOT_TEXT)
@pytest.mark.parametrize("field", ["note", "quote", "href", "page", "choice", "version", "token", "name%00"])
def test_bytes_that_are_no_text_break_nothing(door: Door, field: str, text: str) -> None:
    answer = _decided(door, f"quote=架空&{field}={text}", choice="amend:met")
    assert answer.status_code in (400, 403, 409, 422)


def test_what_is_recorded_of_strange_bytes_can_be_read_back(door: Door) -> None:
    for text in NOT_TEXT:
        assert _decided(door, f"note={text}x", choice="note").status_code == 303
    for route in [*READING, *EXPORTS]:
        assert door.ask(route, door.session("高橋")).status_code in (200, 303)


def _decided(door: Door, more: str, choice: str, kind: str = "application/x-www-form-urlencoded") -> httpx2.Response:
    """That button on the item without evidence, with its version and a valid token, and what is written after them."""
    cookie, token = door.session("高橋")
    version = door.office.desk.store.item(door.number).version
    body = f"choice={choice}&version={version}&token={token}&{more}"
    headers = {"cookie": cookie, "content-type": kind}
    return door.send("POST", f"/items/{door.number}/decide", headers=headers, content=body)


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw_unicode_escape", "utf-7", "utf-16", "hex", "undefined", "x\0"]
)
@pytest.mark.parametrize("text", [r"\ud800", r"\x00\udfff", "+2AA-", "%00"])
def test_a_form_in_an_encoding_of_the_sender_s_choice_breaks_nothing(door: Door, charset: str, text: str) -> None:
    cookie, token = door.session("高橋")
    fields = {"token": token, "choice": "note", "version": "x", "note": text, "quote": text, "href": text}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{one}\r\n' for name, one in fields.items()
    )
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    answer = door.send(
        "POST", "/items/2/decide", headers={"cookie": cookie, "content-type": kind}, content=f"{parts}--b--"
    )
    assert answer.status_code in (400, 403, 409, 422)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("token=wrong", 403),  # the last one counts
        ("choice=reject", 400),
        ("version=x", 409),
        ("choice=approve&choice=nonsense", 422),
        ("&".join(["quote=x"] * 13), 422),
        ("&".join(["note=x"] * 1001), 400),
        ("note=" + "x" * 4001, 422),
        ("quote=" + "x" * 4001, 422),
        ("choice=code:not_judged", 422),
        ("choice=take:2", 422),
        ("choice=take:0", 409),
        ("choice=amend:met&quote=" + quote("あ" * 4000), 400),
    ],
)
def test_a_field_too_many_or_too_long_is_refused(door: Door, more: str, status: int) -> None:
    before = door.office.desk.store.log()
    assert _decided(door, more, choice="amend:unobserved").status_code == status
    assert door.office.desk.store.log() == before


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_another_kind_of_body_is_no_form(door: Door, kind: str) -> None:
    before = door.office.desk.store.log()
    assert _decided(door, "note=x", choice="note", kind=kind).status_code in (400, 403)
    assert door.office.desk.store.log() == before


def test_a_file_is_no_text(door: Door) -> None:
    cookie, token = door.session("高橋")
    form = {"token": token, "choice": "note", "version": door.office.desk.store.item(2).version}
    answer = door.send("POST", "/items/2/decide", headers={"cookie": cookie}, data=form, files={"note": b"x"})
    assert answer.status_code == 422


# --- all of it, generated ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["", "高橋"])
def test_whatever_is_sent_is_answered_and_only_what_is_valid_recorded(door: Door, route: str, name: str) -> None:
    method, path = route.split()
    operation = _schema(door.app)[path][method]
    cases = st.sampled_from(list(GenerationMode)).flatmap(lambda mode: operation.as_strategy(generation_mode=mode))

    most = 15 if name else 5  # a stranger is turned away whatever they send
    unhurried = list(HealthCheck)

    @settings(max_examples=most, derandomize=True, database=None, deadline=None, suppress_health_check=unhurried)
    @given(cases, st.sampled_from([None, 1, 3, 31]))
    def sends(case: Case, number: int | None) -> None:
        _send(door, route, name, case, number)

    sends()


@cache
def _schema(app: FastAPI) -> BaseSchema:
    return schemathesis.openapi.from_dict(app.openapi())


def _send(door: Door, route: str, name: str, case: Case, number: int | None) -> None:
    before, users = door.office.desk.store.log(newest=1), door.office.desk.store.users.all()
    cookie, token = door.session(name)
    if "number" in case.path_parameters and number:
        case.path_parameters["number"] = number
    if "wave" in case.path_parameters and number == 1:
        case.path_parameters["wave"] = WAVE
    if isinstance(case.body, dict):
        case.body["token"] = token
    answer = case.call(app=door.app, base_url=ORIGIN, headers={"cookie": cookie}, allow_redirects=False)
    assert answer.status_code < 500
    assert [one for one in HEADERS if one.lower() not in answer.headers] == []
    if not name and route not in OPEN:
        assert answer.status_code in (303, 401, 422) and "汐凪" not in answer.text
    if not name or answer.status_code != 303:
        assert door.office.desk.store.log(newest=1) == before
        assert door.office.desk.store.users.all() == users


# --- over the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(surveyed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = copied(surveyed, tmp_path_factory.mktemp("wire") / "workspace")
    add_people(database_of(home), **TEAM)
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(served: Served) -> str:
    """Of the adjudicator, who may see everything."""
    with Person(served.origin) as person:
        assert person.sign_in("高橋").status_code == 200
        return f"akashi={person.http.cookies['akashi']}"


def _raw(served: Served, request: bytes) -> tuple[int, bytes]:
    """The status and the whole answer to these very bytes."""
    host, port = served.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(request)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer


def _get(served: Served, path: str, headers: str, cookie: str = "") -> tuple[int, bytes]:
    host = served.origin.removeprefix("http://")
    head = f"GET {path} HTTP/1.1\r\n{headers.replace('HOST', host)}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    return _raw(served, head.encode("latin-1"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: HOST", 200),
        ("Host: HOST\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example", 200),
        ("Host: evil.example", 421),
        ("Host: HOST.evil.example", 421),
        ("Host: evil.example#HOST", 421),
        ("Host: user@HOST", 421),
        ("Host: 127.0.0.1", 421),
        ("Host: 0.0.0.0:1", 421),
        ("Host: [::1]:1", 421),
        ("Host:", 421),
        ("Host: evil.example\r\nX-Forwarded-Host: HOST", 421),
        ("Host: HOST\r\nHost: evil.example", 400),
        ("Host: evil.example\r\nHost: HOST", 400),
        ("X: y", 400),
    ],
)
def test_only_our_own_host_is_answered(served: Served, cookie: str, headers: str, status: int) -> None:
    """A name that an attacker lets point at 127.0.0.1 makes a browser send the request, but not our name."""
    answered, answer = _get(served, "/log", headers, cookie)
    assert answered == status
    assert ("判断の記録".encode() in answer) == (status == 200)
    assert b"evil.example" not in answer


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (f"Content-Length: {MAX_BODY_BYTES + 1}", b"", 413),
        ("Content-Length: 9999999999999999999", b"", 413),
        ("Content-Length: " + "9" * 5000, b"", 400),
        ("Content-Length: -1", b"", 400),
        ("Content-Length: 1, 2", b"a", 400),
        ("Content-Length: 1\r\nContent-Length: 2", b"a", 400),
        ("Transfer-Encoding: chunked", b"1\r\na\r\n0\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1", b"0\r\n\r\n", 413),
        ("Transfer-Encoding: gzip, chunked", b"0\r\n\r\n", 400),
        (f"Content-Length: {MAX_BODY_BYTES}", b"token=".ljust(MAX_BODY_BYTES, b"x"), 422),
    ],
    ids=lambda one: repr(one)[:30],
)
def test_a_body_too_large_or_of_unknown_size_is_refused(served: Served, headers: str, body: bytes, status: int) -> None:
    host = served.origin.removeprefix("http://")
    head = f"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n"
    assert _raw(served, f"{head}Connection: close\r\n\r\n".encode() + body)[0] == status


STRAY = [
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/..%5capp.py", "/static/%00",
    "/static/CON", "/static/%2e%2e%2f%2e%2e/errors.py", "/static//etc/passwd", "/static/%2fetc%2fpasswd",
    "/static/....//app.py", "/static/%252e%252e/app.py", "/static/review.css%00.html", "/static/.",
    "/static/..", "/snapshots/..%2f..%2fsession.key", "/snapshots/../sign-in",
    "/snapshots/%2e%2e%2fsession.key", "/snapshots/%00", "/%", "/%zz", "/%ff", "/%c0%ae%c0%ae/", "/items/%ff",
    "/items/1%00", "/items/1%2f..%2f2", "/[", "/items/[", "*", "/;x=1", "/?%", "http://evil.example/log",
    "//evil.example/log", "/%0d%0aSet-Cookie:%20x=y", "/log%23", "/log%3fx", "/.git/config", "/openapi.json",
    "/docs", "/redoc", "/export/queue.jsonl/..", "/export/..%2flog", "/session.key", "/akashi.db",
    "/enter?token=%00", "/LOG", *(f"/static/{one}" for one in ("a" * 5000, "a/" * 2000)),
    "/waves/x", "/waves/%00", "/waves/..%2fsign-in", "/waves/x/figures", "/waves/" + "a" * 5000,
    *(f"/snapshots/{one}" for one in ("A" * 64, "0" * 63, "0" * 64, "0" * 65, "0" * 64 + "%0a")),
]  # fmt: skip


@pytest.mark.parametrize("path", STRAY)
def test_a_stray_path_finds_nothing(served: Served, cookie: str, path: str) -> None:
    status, answer = _get(served, path, "Host: HOST", cookie)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status in (400, 401, 404, 422) or (path == "/?%" and status == 200)
    assert b"\r\ncontent-security-policy:" in head.lower() and b"location:" not in head.lower()
    assert not re.search(rb"\nset-cookie: (?!akashi=)", head, re.IGNORECASE)
    assert not re.search(rb"from __future__|root:|SQLite|Traceback", body)


def test_a_sign_in_leads_within_and_its_cookie_holds_no_form(served: Served) -> None:
    with Person(served.origin) as person:
        person.http.follow_redirects = False
        for to, place in (("//evil.example/", "/"), ("/log?code=1", "/log?code=1")):
            person.get("/sign-in")
            answer = person.post("/sign-in", name="伊藤", password=PASSWORD, to=to)
            assert (answer.status_code, answer.headers["location"]) == (303, place)
            assert person.token not in answer.headers["set-cookie"]
