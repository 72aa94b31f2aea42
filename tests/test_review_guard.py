"""Every route of the review page, new ones too: nothing without signing in, without the token, or out of role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from reviewing import Person, Served, add_people, database_of, serving_here

from pipeline.models import Role
from pipeline.store.store import Store
from pipeline.web import entrance, exports, items, overview, snapshots, waves

ROUTES = sorted(
    (method, route.path)
    for room in (entrance, exports, items, overview, snapshots, waves)
    for route in room.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)
OPEN = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/enter"), ("POST", "/language")}
FIELDS = {"choice": "approve", "version": "x", "text": "文", "name": "佐藤", "password": "x", "language": "en"}
SECURE = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


@pytest.fixture(scope="module")
def home(surveyed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from reviewing import copied

    made = copied(surveyed, tmp_path_factory.mktemp("guard") / "workspace")
    add_people(database_of(made), 佐藤=Role.REVIEWER, 伊藤=Role.ANALYST, 高橋=Role.ADJUDICATOR)
    return made


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with serving_here(home) as running:
        yield running


def address(path: str) -> str:
    return re.sub(r"\{sha256\}", "a" * 64, re.sub(r"\{(number|wave)\}", "1", path))


def log(home: Path) -> int:
    with Store(database_of(home)) as store:
        return len(store.log())


def test_all_routes_are_known() -> None:
    assert len(ROUTES) >= 18
    assert set(ROUTES) >= OPEN


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one not in OPEN])
def test_strangers_get_nothing(served: Served, home: Path, method: str, path: str) -> None:
    with Person(served.origin) as stranger:
        stranger.get("/sign-in")
        fields = {"token": stranger.token, **FIELDS} if method == "POST" else None
        answer = stranger.http.request(method, address(path), data=fields, follow_redirects=False)
    assert answer.status_code in (303, 401)
    assert "汐凪市" not in answer.text
    assert all(name in answer.headers for name in SECURE)
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/sign-in?to=%2F")
    assert log(home) == 0


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[0] == "POST"])
@pytest.mark.parametrize("forged", ["no token", "another session's", "another site's"])
def test_forged_forms_do_nothing(served: Served, home: Path, method: str, path: str, forged: str) -> None:
    with Person(served.origin) as victim, Person(served.origin) as attacker:
        victim.sign_in("高橋")
        attacker.get("/sign-in")
        token = {"no token": "", "another session's": attacker.token, "another site's": victim.token}[forged]
        headers = {"origin": "https://evil.example"} if forged == "another site's" else {}
        fields = FIELDS | {"token": token}
        answer = victim.http.request(method, address(path), data=fields, headers=headers, follow_redirects=False)
        assert answer.status_code == 403
        assert "高橋" in victim.get("/").text  # still signed in, under the same name
    assert log(home) == 0


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one not in OPEN and one[0] == "POST"])
def test_an_analyst_decides_nothing(served: Served, home: Path, method: str, path: str) -> None:
    if path == "/sign-out":
        return
    with Person(served.origin) as analyst:
        analyst.sign_in("伊藤")
        assert analyst.post(address(path), **FIELDS).status_code == 403
    assert log(home) == 0


@pytest.mark.parametrize("path", [path for _, path in ROUTES if path.startswith("/export/")])
def test_a_reviewer_exports_nothing(served: Served, path: str) -> None:
    with Person(served.origin) as reviewer, Person(served.origin) as analyst:
        reviewer.sign_in("佐藤")
        assert reviewer.get(path).status_code == 403
        analyst.sign_in("伊藤")
        assert analyst.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/snapshots/..%2f..%2fakashi.db", "/items/0", "/items/99999999999"],
)
def test_odd_addresses_are_refused(served: Served, path: str) -> None:
    with Person(served.origin) as me:
        me.sign_in("高橋")
        assert me.get(path).status_code in (404, 422)


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "\n/x"]
)
def test_nobody_is_sent_elsewhere(served: Served, to: str) -> None:
    with Person(served.origin) as me:
        me.get("/sign-in")
        answer = me.http.post("/language", data={"token": me.token, "language": "en", "to": to}, follow_redirects=False)
        assert answer.headers["location"] == "/"


def test_a_form_that_is_too_large_is_refused(served: Served) -> None:
    with Person(served.origin) as me:
        me.sign_in("高橋")
        assert me.post("/items/1/decide", choice="note", version="x", note="あ" * 600_000).status_code == 413
