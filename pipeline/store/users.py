"""The people whom this database knows, with their roles and the hashes of their passwords."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from pipeline.errors import InputError
from pipeline.models import Role, User
from pipeline.store.database import Database
from pipeline.store.tables import users

MAX_NAME_CHARS = 64


class Users:
    """People by name. Every method raises StoreError where the database cannot be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, role: Role, *, password: str = "") -> User:
        """A new person. password: its hash, or empty. Raises InputError where the name is taken or cannot be one."""
        name = name_of(name)
        if any(one.name.casefold() == name.casefold() for one in self.all()):
            raise InputError(f"{name}: there is a user of that name already; `classify users list` shows them.")
        values = {"name": name, "role": role.value, "password": password, "active": True, "epoch": 0}
        with self._database.writing(f"add the user {name}") as connection:
            connection.execute(insert(users).values(added=datetime.now(UTC), **values))
        return self._known(name)

    def find(self, name: str) -> User | None:
        """The person of that name, or None."""
        with self._database.reading("read the users") as connection:
            row = connection.execute(select(users).where(users.c.name == _kept(name))).one_or_none()
        return _user(row) if row else None

    def all(self) -> list[User]:
        """Everybody, in the order in which they were added."""
        with self._database.reading("read the users") as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.added, users.c.name))]

    def password(self, name: str) -> str:
        """The hash of the person's password, or an empty text where there is no such person or none was set."""
        query = select(users.c.password).where(users.c.name == _kept(name), users.c.active)
        with self._database.reading("read the users") as connection:
            return connection.execute(query).scalar() or ""

    def change(
        self, name: str, *, role: Role | None = None, active: bool | None = None, password: str | None = None
    ) -> User:
        """Changes the person and ends their sessions. Raises InputError where there is none of that name."""
        name = self._known(name).name
        given = {"role": role and role.value, "active": active, "password": password}
        values = {key: value for key, value in given.items() if value is not None}
        with self._database.writing(f"change the user {name}") as connection:
            change = update(users).where(users.c.name == name)
            connection.execute(change.values(epoch=users.c.epoch + 1, **values))
        return self._known(name)

    def rehash(self, name: str, password: str) -> None:
        """The same password under newer parameters: sessions go on."""
        with self._database.writing(f"change the user {name}") as connection:
            connection.execute(update(users).where(users.c.name == _kept(name)).values(password=password))

    def _known(self, name: str) -> User:
        user = self.find(name)
        if user is None:
            raise InputError(f"{name}: no user of that name; `classify users list` shows them.")
        return user


def name_of(name: str) -> str:
    """A name as it is kept. Raises InputError where it cannot stand in the log."""
    kept = _kept(name)
    if not kept:
        raise InputError(f"{name!r} cannot be a name: 1 to {MAX_NAME_CHARS} printable characters without a comma.")
    return kept


def _kept(name: str) -> str:
    """However it was typed, also with the wide space of a Japanese keyboard; empty where it can be nobody's."""
    kept = unicodedata.normalize("NFC", name.strip().replace("\u3000", " "))
    return kept if kept.isprintable() and len(kept) <= MAX_NAME_CHARS and "," not in kept else ""


def _user(row: Row[Any]) -> User:
    return User(name=row.name, role=Role(row.role), active=row.active, epoch=row.epoch, has_password=bool(row.password))
