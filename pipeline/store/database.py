"""A database that is open: reading and writing it, with errors that say what was tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreError
from pipeline.models import Noun
from pipeline.store.opening import open_database, writing

N = TypeVar("N", bound=Noun)

# A process that is stopped within a transaction, or its machine, would keep everybody else from what it locked.
_UNFREEZE = text("SET LOCAL idle_in_transaction_session_timeout = '30s'")


class Database:
    """The database at a SQLAlchemy URL, created and migrated on opening. Raises StoreError where it cannot be used."""

    def __init__(self, database_url: str) -> None:
        self._engine = open_database(database_url)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self, purpose: str) -> Iterator[Connection]:
        """A connection to read with."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"could not {purpose}: {getattr(error, 'orig', error)}") from error

    @contextmanager
    def writing(self, purpose: str) -> Iterator[Connection]:
        """A connection within one transaction: all of it is kept, or nothing."""
        try:
            with writing(self._engine) as connection, connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(_UNFREEZE)
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"could not {purpose}: {getattr(error, 'orig', error)}") from error


def stored(noun: Noun, what: str) -> str:
    """The noun as JSON that gives back an equal noun. Raises StoreError: not valid, or text that is not Unicode."""
    try:
        body = noun.model_dump_json(warnings="error")
        same = type(noun).model_validate_json(body) == noun
    except ValueError as error:
        raise StoreError(f"{what} cannot be stored: {error}") from error
    if not same:
        raise StoreError(f"{what} cannot be stored: it would not be read back as it is")
    return body


def restored(kind: type[N], body: str, what: str) -> N:
    """The noun that `stored` made JSON of. Raises StoreError where it is not valid."""
    try:
        return kind.model_validate_json(body)
    except ValueError as error:
        raise StoreError(f"{what} in the database is not valid: {error}") from error
