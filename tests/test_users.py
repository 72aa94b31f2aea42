"""The people a database knows: names that can stand in the log, roles, and sessions that end with every change."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator

import pytest

from pipeline.errors import InputError
from pipeline.models import Role, User
from pipeline.store.store import Store
from pipeline.store.users import Users, name_of


@pytest.fixture
def users(database_url: str) -> Iterator[Users]:
    with Store(database_url) as store:
        yield store.users


def test_a_person_is_found_as_added(users: Users) -> None:
    added = users.add(" 佐藤 𠮷子 ", Role.REVIEWER, password="argon2-hash")
    assert added == User(name="佐藤 𠮷子", role=Role.REVIEWER, active=True, epoch=0, has_password=True)
    assert users.find("佐藤 𠮷子") == added
    assert users.password("佐藤 𠮷子") == "argon2-hash"
    assert users.find("佐藤") is None


def test_everybody_is_listed_in_the_order_of_coming(users: Users) -> None:
    for name, role in [("B", Role.ANALYST), ("A", Role.ADJUDICATOR), ("C", Role.REVIEWER)]:
        users.add(name, role)
    assert [(one.name, one.role) for one in users.all()] == [
        ("B", Role.ANALYST),
        ("A", Role.ADJUDICATOR),
        ("C", Role.REVIEWER),
    ]


def test_a_name_that_looks_taken_is_taken(users: Users) -> None:
    before = [users.add("Sato", Role.REVIEWER), users.add("が", Role.REVIEWER)]
    for again in ["Sato", "SATO", " sato ", "が", "か\u3099"]:
        with pytest.raises(InputError, match="there is a user of that name already"):
            users.add(again, Role.ANALYST)
    assert users.all() == before


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_person_is_found_however_the_name_is_typed(users: Users, form: str) -> None:
    added = users.add("ガブリエル", Role.REVIEWER, password="hash")
    typed = unicodedata.normalize(form, " ガブリエル ")
    assert users.find(typed) == added
    assert users.password(typed) == "hash"
    users.rehash(typed, "newer")
    assert users.password("ガブリエル") == "newer"
    assert users.change(typed, active=False) == added.model_copy(update={"active": False, "epoch": 1})


def test_what_cannot_stand_in_the_log_is_no_name(users: Users) -> None:
    for name in ["", "  ", "\u3000", "a\nb", "a\0b", "\u202eb", "\udcff", "佐藤, 鈴木", "あ" * 65]:
        with pytest.raises(InputError, match="cannot be a name: 1 to 64 printable characters without a comma"):
            users.add(name, Role.REVIEWER)
        assert users.find(name) is None  # and a login form may be sent anything
        assert users.password(name) == ""
    assert users.all() == []


@pytest.mark.parametrize(
    ("name", "kept"), [(" A b ", "A b"), ("か\u3099", "が"), ("佐藤\u3000太郎", "佐藤 太郎"), ("あ" * 64, "あ" * 64)]
)
def test_a_name_as_it_is_kept(name: str, kept: str) -> None:
    assert name_of(name) == kept


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": Role.ADJUDICATOR}, {"role": Role.ADJUDICATOR}),
        ({"active": False}, {"active": False}),
        ({"password": ""}, {"has_password": False}),
        ({"password": "new"}, {}),
        ({}, {}),  # signed out everywhere
    ],
)
def test_a_change_changes_that_alone_and_ends_sessions(users: Users, change: dict, expected: dict) -> None:
    before = users.add("A", Role.REVIEWER, password="old")
    other = users.add("B", Role.REVIEWER, password="other")
    assert users.change("A", **change) == before.model_copy(update=expected | {"epoch": 1})
    assert users.find("B") == other
    assert users.password("B") == "other"


def test_who_is_not_active_has_no_password_to_come_in_with(users: Users) -> None:
    users.add("A", Role.REVIEWER, password="hash")
    users.change("A", active=False)
    assert users.password("A") == ""
    assert users.find("A").has_password
    users.change("A", active=True)
    assert users.password("A") == "hash"


def test_a_new_hash_of_the_same_password_ends_no_session(users: Users) -> None:
    before = users.add("A", Role.REVIEWER, password="old")
    users.rehash("A", "new")
    assert users.password("A") == "new"
    assert users.find("A") == before


def test_nobody_is_changed_by_a_wrong_name(users: Users) -> None:
    before = users.add("A", Role.REVIEWER, password="hash")
    with pytest.raises(InputError, match="B: no user of that name"):
        users.change("B", active=False)
    assert users.password("B") == ""
    assert users.all() == [before]


def test_every_change_at_one_moment_ends_the_sessions_before_it(users: Users) -> None:
    """Two changes that counted as one would leave a session of the first valid after the second."""
    users.add("A", Role.REVIEWER)
    workers = [threading.Thread(target=users.change, args=["A"]) for _ in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert users.find("A").epoch == len(workers)
