"""Who is who on the review page: cookies, keys, links, passwords, proxies, and the people that the terminal manages."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from commands import classify, environment
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from reviewing import PASSWORD
from starlette.testclient import TestClient

from pipeline.archive import Archive
from pipeline.cli.review import _origins
from pipeline.desk import Desk
from pipeline.desk.pages import Pages
from pipeline.errors import InputError, StoreError
from pipeline.models import Role
from pipeline.store.store import Store
from pipeline.web import passwords
from pipeline.web.app import create_app
from pipeline.web.passwords import MAX_FAILURES, MAX_FAILURES_OF_ALL, WINDOW_S, Guesses, hashed
from pipeline.web.sessions import LINK_S, SESSION_S, Links, Proxy, Sessions, key
from pipeline.web.visit import Office
from pipeline.workspace import Workspace

ORIGIN = "http://testserver"
KEY = b"k" * 32
SECRET = "the proxy's secret"
HASH = hashed(PASSWORD)


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Of an empty workspace with two people who have passwords."""
    workspace = Workspace(tmp_path)
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store, Archive(workspace.archive) as archive:
        store.users.add("佐藤", Role.REVIEWER, password=HASH)
        store.users.add("高橋", Role.ADJUDICATOR, password=HASH)
        desk = Desk(store, Pages(archive), workspace.criteria, 0)
        yield Office(desk, Sessions(KEY), (ORIGIN,), Proxy(SECRET), Links(Clock()), Guesses(Clock()))


app_of = cache(create_app)


def visitor(office: Office, cookie: str = "", **headers: str) -> TestClient:
    """Somebody at a browser of their own."""
    client = TestClient(app_of(office), base_url=office.origins[0], follow_redirects=False)
    client.headers.update(headers)
    if cookie:
        client.cookies.set("akashi", cookie)
    return client


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> int:
    form = {"token": token(client), "name": name, "password": password}
    return client.post("/sign-in", data=form).status_code


def token(client: TestClient) -> str:
    return re.findall(r'name="token" value="(\w+)"', client.get("/sign-in").text)[0]


def inside(client: TestClient) -> bool:
    """Whether the start page lets them in; else they are led to the door."""
    answer = client.get("/")
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def member(office: Office, name: str = "佐藤") -> str:
    """The cookie of a session that is good now."""
    user = office.desk.store.users.find(name)
    return office.sessions.cookie(office.sessions.fresh(name, user.epoch))


# --- cookies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origins", [(ORIGIN,), ("https://review.example", ORIGIN)])
def test_cookies_are_for_this_server_alone_and_secure_behind_https(office: Office, origins: tuple[str, ...]) -> None:
    client = visitor(replace(office, origins=origins))
    form = {"token": token(client), "name": "佐藤", "password": PASSWORD}
    entered = client.post("/sign-in", data=form).headers["set-cookie"]
    language = client.post("/language", data={"token": token(client), "language": "en"}).headers["set-cookie"]
    for cookie in (entered, language):
        _, *words = cookie.split("; ")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(words)
        assert ("Secure" in words) == (len(origins) == 2)
        assert not [word for word in words if word.startswith("Domain")]
    assert f"Max-Age={SESSION_S}" in entered


class _Dated(TimestampSigner):
    """Signs as if it were that many seconds ago."""

    ago_s = 0

    def get_timestamp(self) -> int:
        return int(time.time()) - self.ago_s


def _dated(content: object, ago_s: int = 0, *, secret: bytes = KEY, salt: str = "akashi.session.v1") -> str:
    signer = type("Signer", (_Dated,), {"ago_s": ago_s})
    made = URLSafeTimedSerializer(secret, salt=salt, signer=signer, signer_kwargs={"digest_method": hashlib.sha256})
    return str(made.dumps(content))


GOOD = ["nonce", "佐藤", 0]
OTHER = _dated(["nonce", "高橋", 0])
COOKIES = {
    "fresh": (_dated(GOOD), True),
    "of this morning": (_dated(GOOD, SESSION_S - 600), True),
    "expired": (_dated(GOOD, SESSION_S + 60), False),
    "of the future": (_dated(GOOD, -3600), False),
    "of another key": (_dated(GOOD, secret=b"x" * 32), False),
    "of another use of the key": (_dated(GOOD, salt="akashi.other"), False),
    "cut": (_dated(GOOD)[:-1], False),
    "unsigned": (_dated(GOOD).partition(".")[0], False),
    "another name under a signature": (OTHER.partition(".")[0] + "." + _dated(GOOD).partition(".")[2], False),
    "a later epoch": (_dated(["nonce", "佐藤", 1]), False),
    "an earlier epoch": (_dated(["nonce", "佐藤", -1]), False),
    "no epoch": (_dated(["nonce", "佐藤"]), False),
    "an epoch that is none": (_dated(["nonce", "佐藤", "0x0"]), False),
    "a list for a name": (_dated(["nonce", ["佐藤"], 0]), False),
    "an object": (_dated({"name": "佐藤"}), False),
    "a text": (_dated("佐藤"), False),
    "null": (_dated(None), False),
    "nobody": (_dated(["nonce", "", 0]), False),
    "a NUL": (_dated(["nonce", "佐藤\0", 0]), False),
    "bytes": ("佐藤".encode().decode("latin-1"), False),
    "empty": ("", False),
    "dots": ("." * 4000, False),
}


@pytest.mark.parametrize(("cookie", "let_in"), COOKIES.values(), ids=COOKIES)
def test_only_a_cookie_of_ours_that_is_fresh_lets_in(office: Office, cookie: str, let_in: bool) -> None:
    answer = visitor(office).get("/", headers=[("cookie", f"akashi={cookie}".encode("latin-1"))])
    assert answer.status_code == (200 if let_in else 303)


def test_a_session_before_signing_in_is_not_the_one_after(office: Office) -> None:
    """Who has planted a cookie in somebody's browser knows nothing of what comes after."""
    client = visitor(office)
    before = token(client)
    planted = client.cookies["akashi"]
    assert sign_in(client, "佐藤") == 303
    assert client.cookies["akashi"] != planted
    assert token(client) != before
    assert client.post("/language", data={"token": before, "language": "en"}).status_code == 403
    assert not inside(visitor(office, planted))


# --- the end of a session ---------------------------------------------------------------------------------------------

ENDS: dict[str, Callable[[Office], object]] = {
    "a new password": lambda office: office.desk.store.users.change("佐藤", password=HASH),
    "disabled": lambda office: office.desk.store.users.change("佐藤", active=False),
    "another role": lambda office: office.desk.store.users.change("佐藤", role=Role.ANALYST),
    "signed out elsewhere": lambda office: _sign_out(visitor(office, member(office))),
}


def _sign_out(client: TestClient) -> None:
    assert client.post("/sign-out", data={"token": token(client)}).headers["location"] == "/sign-in"
    assert not inside(client)


@pytest.mark.parametrize("how", ENDS)
def test_all_sessions_of_a_person_end_and_nobody_else_s(office: Office, how: str) -> None:
    clients = [visitor(office, member(office)), visitor(office, member(office))]
    other = visitor(office, member(office, "高橋"))
    assert all(map(inside, [*clients, other]))
    ENDS[how](office)
    assert [inside(one) for one in [*clients, other]] == [False, False, True]
    assert sign_in(visitor(office), "佐藤") == (401 if how == "disabled" else 303)


def test_who_is_let_in_again_signs_in_again(office: Office) -> None:
    client = visitor(office, member(office))
    for active in (False, True):
        office.desk.store.users.change("佐藤", active=active)
        assert not inside(client)
    assert sign_in(client, "佐藤") == 303 and inside(client)


# --- the key ----------------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "session.key"
    made = key(path)
    assert len(made) == 32 and key(path) == made and key(tmp_path / "other.key") != made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["session.key"]


def test_a_key_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key(tmp_path / "session.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "session.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "session.key"
    key(path)
    path.chmod(mode)
    with pytest.raises(StoreError, match="can be read by others, so anybody could sign in: chmod 600 it"):
        key(path)


@pytest.mark.parametrize("body", [b"", b"k" * 31, b"k" * 33])
def test_a_damaged_key_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "session.key"
    path.write_bytes(body)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="is damaged: delete it, and everybody signs in anew"):
        key(path)


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the secret for sessions cannot be kept"):
        key(tmp_path)


KEYS = 150
MAKER = """
import sys
from pathlib import Path
from pipeline.web.sessions import key
print("ready", flush=True)
sys.stdin.readline()
for at in range(int(sys.argv[2])):
    print(key(Path(sys.argv[1]) / f"{at}.key").hex())
"""


def test_processes_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKER, str(tmp_path), str(KEYS)]
    made = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [one.stdout.readline() for one in made] == ["ready\n"] * 3
    for one in made:
        one.stdin.write("go\n")
        one.stdin.flush()
    first, *others = [one.communicate(timeout=60)[0].split() for one in made]
    assert len(set(first)) == KEYS and all(other == first for other in others)
    assert len(list(tmp_path.iterdir())) == KEYS


# --- one-time links ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later_s", "name"), [(0, "佐藤"), (LINK_S - 1, "佐藤"), (LINK_S, None), (LINK_S * 9, None)])
def test_a_link_is_good_for_ten_minutes_and_once(later_s: float, name: str | None) -> None:
    clock = Clock()
    links = Links(clock)
    mine, other = links.make("佐藤"), links.make("高橋")
    assert links.use("") is links.use(mine[:-1]) is links.use(mine + "\ud800") is None
    clock.now += later_s
    assert [links.use(mine), links.use(mine)] == [name, None]
    assert links.use(other) == (name and "高橋")


def test_of_many_who_use_a_link_at_once_one_gets_in(office: Office) -> None:
    path = f"/enter?token={office.links.make('佐藤')}"
    clients = [visitor(office) for _ in range(12)]
    assert not inside(clients[0])
    gate = threading.Barrier(len(clients))

    def enter(client: TestClient) -> int:
        gate.wait()
        return client.get(path).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(enter, clients))
    assert sorted(answers) == [303] + [401] * 11
    assert [inside(client) for client in clients] == [answer == 303 for answer in answers]


def test_a_link_lets_nobody_in_who_was_disabled_meanwhile(office: Office) -> None:
    client, path = visitor(office), f"/enter?token={office.links.make('佐藤')}"
    office.desk.store.users.change("佐藤", active=False)
    assert client.get(path).status_code == 401
    office.desk.store.users.change("佐藤", active=True)
    assert client.get(path).status_code == 401 and not inside(client)  # used up all the same


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_five_tries_in_a_quarter_of_an_hour() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(MAX_FAILURES):
        assert guesses.attempt("佐藤") == 0
        clock.now += 60
    assert guesses.attempt("佐藤") == WINDOW_S - 60 * MAX_FAILURES + 1
    assert guesses.attempt("高橋") == 0  # who is somebody else
    clock.now = 1000 + WINDOW_S - 1
    assert guesses.attempt("佐藤") == 2
    clock.now += 1
    assert guesses.attempt("佐藤") == 0  # the first try is old enough
    assert guesses.attempt("佐藤") == 61  # the second is not


def test_success_gives_the_tries_back() -> None:
    guesses = Guesses(Clock())
    for _ in range(20 * MAX_FAILURES_OF_ALL):
        assert guesses.attempt("佐藤") == 0
        guesses.succeeded("佐藤")


def test_trying_many_names_is_stopped_too() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    assert [guesses.attempt(f"user {at}") for at in range(MAX_FAILURES_OF_ALL)] == [0] * MAX_FAILURES_OF_ALL
    guesses.succeeded("somebody who never tried")
    assert guesses.attempt("another") == WINDOW_S + 1
    clock.now += WINDOW_S
    assert guesses.attempt("another") == 0


@pytest.mark.parametrize(
    "spellings",
    [
        ["Sato", "SATO", "sato", " sato ", "ｓａｔｏ"],
        ["ガギグ", "ｶﾞｷﾞｸﾞ", "カ\u3099ギグ", "ガキ\u3099グ", "ガギク\u3099"],
        ["佐藤 太郎", "佐藤\u3000太郎", "\u3000佐藤 太郎", "佐藤\u00a0太郎", "佐藤 太郎 "],
    ],
)
def test_another_spelling_gives_no_more_tries(spellings: list[str]) -> None:
    guesses = Guesses(Clock())
    assert [guesses.attempt(name) for name in spellings] == [0] * MAX_FAILURES
    assert all(guesses.attempt(name) for name in spellings)


def _slow() -> float:
    """A clock that lets other threads run whenever it is read."""
    time.sleep(0.001)
    return 1000.0


def test_of_many_guesses_at_once_no_more_pass() -> None:
    guesses, gate = Guesses(_slow), threading.Barrier(40)

    def attempt(_: int) -> int:
        gate.wait()
        return guesses.attempt("佐藤")

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(attempt, range(40))).count(0) == MAX_FAILURES


def test_who_guessed_too_often_waits_even_with_the_right_password(office: Office) -> None:
    client = visitor(office)
    for _ in range(MAX_FAILURES):
        assert sign_in(client, "佐藤", "wrong password") == 401
    assert sign_in(client, "佐藤") == sign_in(visitor(office), "佐藤") == 429
    form = {"token": token(client), "name": "佐藤", "password": PASSWORD}
    assert int(client.post("/sign-in", data=form).headers["retry-after"]) == WINDOW_S + 1
    assert sign_in(client, "高橋") == 303


# --- passwords --------------------------------------------------------------------------------------------------------


class Counted(PasswordHasher):
    """The real hasher, which counts what it is asked."""

    verified = 0

    def verify(self, *given: str | bytes) -> bool:
        self.verified += 1
        return super().verify(*given)


def test_no_name_is_told_from_another_by_what_an_answer_says_and_costs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, hasher = office.desk.store.users, Counted()
    users.add("passwordless", Role.REVIEWER)
    users.add("disabled", Role.REVIEWER, password=HASH)
    users.change("disabled", active=False)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    client, pages = visitor(office), set[str]()
    names = ["佐藤", "誰か", "passwordless", "disabled", "佐藤\0", "佐藤, 高橋", "あ" * 200]
    for number, name in enumerate(names, start=1):
        password = PASSWORD if name == "disabled" else "nobody has this password"
        answer = client.post("/sign-in", data={"token": token(client), "name": name, "password": password})
        assert (answer.status_code, hasher.verified) == (401, number), name
        pages.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(pages) == 1
    assert not passwords.outdated(passwords._NOBODY)  # it takes what a password of today takes


def test_a_password_is_taken_exactly(office: Office) -> None:
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), HASH, PASSWORD + "\0"):
        assert sign_in(visitor(replace(office, guesses=Guesses())), "佐藤", wrong) in (401, 422)
    assert sign_in(visitor(office), "佐藤") == 303


def test_an_old_hash_is_renewed_by_signing_in_and_the_session_goes_on(office: Office) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    office.desk.store.users.change("佐藤", password=weak)
    client = visitor(office)
    assert sign_in(client, "佐藤", "a wrong password") == 401
    assert office.desk.store.users.password("佐藤") == weak
    assert sign_in(client, "佐藤") == 303 and inside(client)
    kept = office.desk.store.users.password("佐藤")
    assert passwords.matches(kept, PASSWORD) and not passwords.outdated(kept)


# --- a proxy that has signed people in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"x-akashi-user": "佐藤", "x-akashi-proxy-secret": SECRET}, True),
        ({"x-akashi-user": "佐藤"}, False),
        ({"x-akashi-user": "佐藤", "x-akashi-proxy-secret": ""}, False),
        ({"x-akashi-user": "佐藤", "x-akashi-proxy-secret": SECRET + " x"}, False),
        ({"x-akashi-user": "佐藤", "x-akashi-proxy-secret": SECRET.upper()}, False),
        ({"x-akashi-user": "佐藤", "x-akashi-proxy-secret": "é"}, False),
        ({"x-akashi-proxy-secret": SECRET}, False),
        ({"x-akashi-user": "", "x-akashi-proxy-secret": SECRET}, False),
        ({"x-akashi-user": "誰か", "x-akashi-proxy-secret": SECRET}, False),
        ({"x-akashi-user": "佐藤, 高橋", "x-akashi-proxy-secret": SECRET}, False),
        ({"x-akashi-user": "佐藤\0", "x-akashi-proxy-secret": SECRET}, False),
        ({"x-forwarded-user": "佐藤", "remote-user": "佐藤", "x-akashi-proxy-secret": SECRET}, False),
    ],
)
def test_only_a_proxy_that_knows_the_secret_vouches(office: Office, headers: dict[str, str], let_in: bool) -> None:
    sent = [(name, value.encode()) for name, value in headers.items()]
    assert visitor(office).get("/", headers=sent).status_code == (200 if let_in else 303)


def test_without_a_secret_no_proxy_is_believed(office: Office) -> None:
    believing = visitor(replace(office, proxy=Proxy("")))
    for secret in ("", SECRET):
        sent = [("x-akashi-user", "佐藤".encode()), ("x-akashi-proxy-secret", secret.encode())]
        assert believing.get("/", headers=sent).status_code == 303


def vouched(office: Office, name: str, cookie: str = "") -> TestClient:
    client = visitor(office, cookie)
    client.headers.update({"x-akashi-user": name.encode(), "x-akashi-proxy-secret": SECRET})
    return client


def test_two_names_from_a_proxy_are_nobody_s(office: Office) -> None:
    """A proxy that adds its header to the client's own would hand on a name that anybody can choose."""
    headers = [("x-akashi-user", b"\xe9\xab\x98\xe6\xa9\x8b"), ("x-akashi-user", "佐藤".encode())]
    sent = [*headers, ("x-akashi-proxy-secret", SECRET.encode())]
    assert visitor(office).get("/", headers=sent[1:]).status_code == 200
    assert visitor(office).get("/", headers=sent).status_code == 303


def test_a_proxy_says_each_time_who_it_is(office: Office) -> None:
    client = vouched(office, "佐藤")
    assert "佐藤（確認者）" in client.get("/").text and not client.cookies
    client = vouched(office, "高橋", member(office))
    assert "高橋（裁定者）" in client.get("/").text  # and not whoever an older cookie names
    office.desk.store.users.change("高橋", active=False)
    assert not inside(client)


def test_behind_a_proxy_forms_need_their_token_too(office: Office) -> None:
    mine, other = vouched(office, "佐藤"), vouched(office, "高橋")
    for given, status in ((token(mine), 303), (token(other), 403), ("", 403)):
        assert mine.post("/language", data={"token": given, "language": "en"}).status_code == status


# --- people in the terminal -------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`classify users ...` in an empty workspace, reading what is `given`; gives back what it says."""

    def run(*arguments: str, given: str = "", code: int = 0) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        said = classify(tmp_path, "users", *arguments, code=code)
        assert "Traceback" not in said
        return said

    return run


def people(home: Path) -> list[tuple[str, str, bool, bool]]:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        return [(one.name, one.role.value, one.active, one.has_password) for one in store.users.all()]


def test_people_are_added_with_the_password_from_standard_input(terminal: Callable[..., str], tmp_path: Path) -> None:
    assert "佐藤: added as reviewer" in terminal("add", " 佐藤 ", given=f"{PASSWORD}\r\n")
    assert "高橋: added as adjudicator" in terminal("add", "高橋", "--role", "adjudicator", given=PASSWORD)
    assert "伊藤: added as analyst" in terminal("add", "伊藤", "--role", "analyst", "--no-password")
    assert people(tmp_path) == [
        ("佐藤", "reviewer", True, True),
        ("高橋", "adjudicator", True, True),
        ("伊藤", "analyst", True, False),
    ]
    assert terminal("list").splitlines()[-1].split() == ["伊藤", "analyst", "no", "password"]
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        assert passwords.matches(store.users.password("佐藤"), PASSWORD)
        assert PASSWORD not in (tmp_path / "akashi.db").read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (["add", "鈴木"], "elevenchars", "a password needs 12 to 256 characters; a few words make a good one."),
        (["add", "鈴木"], "", "a password needs 12 to 256 characters"),
        (["add", "鈴木"], "\n" + PASSWORD, "a password needs 12 to 256 characters"),
        (["add", "鈴木"], "x" * 257, "a password needs 12 to 256 characters"),
        (["add", "佐藤"], PASSWORD, "佐藤: there is a user of that name already; `classify users list` shows them."),
        (["add", "\u3000佐藤"], PASSWORD, "there is a user of that name already"),
        (["add", "Akashi"], PASSWORD, "Akashi: Akashi writes in the log under this name itself; choose another."),
        (["add", " aKASHI "], PASSWORD, "writes in the log under this name itself"),
        (["add", "鈴木", "--role", "admin"], PASSWORD, "--role admin: choose one of reviewer, adjudicator, analyst."),
        (["add", "鈴木", "--role", "Reviewer"], PASSWORD, "choose one of"),
        (["add", ""], PASSWORD, "'' cannot be a name: 1 to 64 printable characters without a comma."),
        (["add", "佐藤, 鈴木"], PASSWORD, "cannot be a name"),
        (["add", "鈴木\x1b[2J"], PASSWORD, "cannot be a name"),
        (["add", "鈴" * 65], PASSWORD, "cannot be a name"),
        (["password", "佐藤"], "elevenchars", "a password needs 12 to 256 characters"),
        (["password", "鈴木"], PASSWORD, "鈴木: no user of that name; `classify users list` shows them."),
        (["disable", "鈴木"], "", "鈴木: no user of that name"),
        (["enable", "鈴木"], "", "鈴木: no user of that name"),
        (["role", "鈴木", "--role", "analyst"], "", "鈴木: no user of that name"),
        (["role", "佐藤", "--role", "root"], "", "--role root: choose one of reviewer, adjudicator, analyst."),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_and_changes_nothing(
    terminal: Callable[..., str], tmp_path: Path, arguments: list[str], given: str, sentence: str
) -> None:
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        before = store.users.add("佐藤", Role.REVIEWER, password="kept")
        said = terminal(*arguments, given=given, code=2)
        assert said.startswith("Error: ") and sentence in said and len(said.splitlines()) == 1
        assert "\x1b" not in said and (not given.strip() or given not in said)
        assert store.users.all() == [before] and store.users.password("佐藤") == "kept"


@pytest.mark.parametrize("change", [["password"], ["disable"], ["role", "--role", "analyst"]])
def test_a_change_in_the_terminal_ends_sessions_on_the_page(
    office: Office, terminal: Callable[..., str], change: list[str]
) -> None:
    client = visitor(office, member(office))
    assert inside(client)
    command, *options = change
    assert "sessions ended" in terminal(command, "佐藤", *options, given="another long password")
    assert not inside(client)
    assert sign_in(client, "佐藤") == (303 if change[0] == "role" else 401)


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (f"{PASSWORD}\n".encode(), 0, b""),
        (b"\xff\xfe is not text in UTF-8\n", 2, b"Error: the password is not UTF-8 text;"),
    ],
)
def test_a_password_comes_through_a_pipe(tmp_path: Path, given: bytes, code: int, sentence: bytes) -> None:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "users", "add", "佐藤"]
    piped = subprocess.run(command, env=environment(tmp_path), input=given, capture_output=True)
    assert piped.returncode == code
    assert piped.stderr.startswith(sentence) and piped.stderr.count(b"\n") == bool(sentence)
    assert people(tmp_path) == ([] if code else [("佐藤", "reviewer", True, True)])


# --- classify review --------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = classify(tmp_path, "review", "--port", str(port), code=2)
    assert said.startswith(f"Error: port {port} of 127.0.0.1 cannot be used (") and "Give another with --port" in said
    assert "token=" not in said and not (tmp_path / "session.key").exists()


PUBLIC = [
    "review.example",
    "ftp://review.example",
    "https://",
    "https://review.example/path",
    "https://a.example?x",
    "//a",
]


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(InputError, match=f"--public-url {re.escape(url)}: give scheme and host only, as in https://"):
        _origins(8765, url)


def refused(home: Path, *arguments: str, code: int) -> str:
    """What `classify review` says as it ends, as a process of its own."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "review", "--port", "0", *arguments]
    ended = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (code, "")  # and so no link
    assert ended.stderr.startswith("Error: ") and "Traceback" not in ended.stderr
    return ended.stderr


def test_a_key_that_others_can_read_keeps_the_page_shut(tmp_path: Path) -> None:
    key(tmp_path / "session.key")
    (tmp_path / "session.key").chmod(0o644)
    said = refused(tmp_path, code=1)
    assert "can be read by others, so anybody could sign in: chmod 600 it" in said


def test_who_is_disabled_cannot_open_the_page_for_themselves(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        store.users.add("佐藤", Role.REVIEWER)
        store.users.change("佐藤", active=False)
    said = refused(tmp_path, "--reviewer", "佐藤", code=2)
    assert "佐藤 is disabled; `classify users enable 佐藤` lets them in again." in said
