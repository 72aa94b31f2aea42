"""All that is known of a crawl, in one SQLite file: what to ask next, what was asked, what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.crawl.address import SELECT, Address, State, address_of, columns_of
from pipeline.crawl.choice import Choice
from pipeline.crawl.learned import Learned, Seen
from pipeline.crawl.relevance import Weights
from pipeline.crawl.scope import Kind
from pipeline.models import Cause, Coverage, Pending, Snapshot, Unread

# Pages beyond this many known addresses bring no more than the relevant ones.
MAX_ADDRESSES = 200_000
MAX_PENDING = 500
_DONE = float("inf")
# A file of an older version is begun anew: what its run has archived is taken from there.
_VERSION = 3
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS address (
    number INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT NOT NULL, parent TEXT NOT NULL,
    depth INTEGER NOT NULL, score REAL NOT NULL, base REAL NOT NULL, fixed REAL NOT NULL, weights TEXT NOT NULL,
    word TEXT NOT NULL, form TEXT NOT NULL, state TEXT NOT NULL,
    cause TEXT, detail TEXT NOT NULL DEFAULT '', sha256 TEXT);
CREATE INDEX IF NOT EXISTS address_by_state ON address (state);
CREATE INDEX IF NOT EXISTS address_by_body ON address (sha256) WHERE sha256 IS NOT NULL;
CREATE TABLE IF NOT EXISTS section (
    name TEXT PRIMARY KEY, pages INTEGER NOT NULL, novelty REAL NOT NULL, paid REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fed (criterion TEXT PRIMARY KEY, pages REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS line (hash INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS kept (warc TEXT, place INTEGER, PRIMARY KEY (warc, place)) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_TABLES = ("fact", "address", "family", "section", "fed", "line", "kept")


class Frontier:
    """The file and, in memory, what of it waits.

    Every step (`with frontier.step()`) is one transaction, so the file always tells of whole pages. WAL with
    synchronous=NORMAL leaves committed steps in the system's hands: they outlive kill -9 of this process. Only a power
    cut may lose the last of them, and then some pages are asked again, which the archive bears.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if self._rows("PRAGMA user_version")[0][0] != _VERSION:
            self._db.executescript("".join(f"DROP TABLE IF EXISTS {table};" for table in _TABLES))
        self._db.executescript(_SCHEMA)
        self._db.execute("UPDATE address SET state = ? WHERE state = ?", (State.WAITING, State.TAKEN))
        self._choice = Choice()
        self._counts = {
            State(state): count for state, count in self._rows("SELECT state, count(*) FROM address GROUP BY 1")
        }
        # Of every address known its promise, _DONE once it was taken; hashes of the lines that pages have said.
        self._known: dict[int, float] = {}
        self._lines: set[int] = set()
        self._looped: set[int] = set()
        self._unnamed: set[int] = set()
        # What the addresses promise together that were added since somebody set it back.
        self.promised = 0.0
        self._restore()

    def _restore(self) -> None:
        self._known = {hash(url): _DONE for (url,) in self._rows("SELECT url FROM address")}
        self._lines = {hash_ for (hash_,) in self._rows("SELECT hash FROM line")}
        for row in self._rows(SELECT + "WHERE state = ? ORDER BY number", State.WAITING):
            self._offer(address_of(row))
        for name, *seen in self._rows("SELECT name, pages, novelty, paid FROM section"):
            self.learned.restore(name, Seen(*seen))
        self.learned.fed.update(dict(self._rows("SELECT criterion, pages FROM fed")))

    @property
    def learned(self) -> Learned:
        return self._choice.learned

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _rows(self, sql: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        return self._db.execute(sql, values).fetchall()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One transaction: all of it is kept or, after an error, nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- facts about the crawl as a whole ---

    def fact(self, name: str) -> str:
        """What was noted under that name, or an empty string."""
        rows = self._rows("SELECT value FROM fact WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def note(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def kept(self, answer: Snapshot) -> None:
        """Notes an archived answer of the crawl; one that was noted before is counted once."""
        self._db.execute("INSERT OR IGNORE INTO kept VALUES (?, ?)", (answer.warc, answer.offset))

    # --- addresses in ---

    def add(self, address: Address) -> None:
        """Takes up an address; one already waiting gains the label of a link that promises more."""
        if len(self._choice) >= MAX_ADDRESSES and not address.promise.weights:
            return
        score = self._known.get(hash(address.url))
        if score is None:
            self._insert(address)
        elif address.score > score or (hash(address.url) in self._looped and not address.loops and score < _DONE):
            self._raise(address)

    def refuse(self, url: str, kind: Kind, detail: str) -> None:
        """Notes an address that may not even be asked."""
        self._db.execute(
            "INSERT OR IGNORE INTO address (url, kind, label, parent, depth, score, base, fixed, weights, word, form, "
            "state, cause, detail) VALUES (?, ?, '', '', 0, 0, 0, 0, '', '', '', ?, ?, ?)",
            (url, kind, State.FAILED, Cause.ADDRESS, detail),
        )
        self._count(State.FAILED, 1)
        self._known[hash(url)] = _DONE

    def knows(self, url: str) -> bool:
        return hash(url) in self._known

    def named(self, url: str) -> bool:
        """Whether a link with a label led to the address before."""
        return hash(url) in self._known and hash(url) not in self._unnamed

    def wants(self, url: str) -> bool:
        """Whether the address is new or waits, so that another link to it may still matter."""
        return self._known.get(hash(url), 0.0) < _DONE

    def _insert(self, address: Address) -> None:
        cursor = self._db.execute(
            "INSERT INTO address (url, kind, label, parent, depth, score, base, fixed, weights, word, form, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                address.url,
                address.kind,
                address.label,
                address.parent,
                address.depth,
                *columns_of(address),
                State.WAITING,
            ),
        )
        self._count(State.WAITING, 1)
        self.promised += address.promise.score
        self._offer(address, cursor.lastrowid or 0)

    def _raise(self, address: Address) -> None:
        number = int(self._rows("SELECT number FROM address WHERE url = ?", address.url)[0][0])
        self._db.execute(
            "UPDATE address SET label = ?, parent = ?, score = ?, base = ?, fixed = ?, weights = ?, word = ?, form = ? "
            "WHERE number = ?",
            (address.label, address.parent, *columns_of(address), number),
        )
        self._offer(address, number)

    def _offer(self, address: Address, number: int = 0) -> None:
        self._known[hash(address.url)] = address.score
        (self._looped.add if address.loops else self._looped.discard)(hash(address.url))
        (self._unnamed.discard if address.label else self._unnamed.add)(hash(address.url))
        self._choice.add(number or address.number, address.offer)

    # --- addresses out ---

    def hosts(self) -> tuple[str, ...]:
        """Hosts with an address that may be taken."""
        return self._choice.hosts()

    def take(self, hosts: Iterable[str]) -> Address | None:
        """The best waiting address of these hosts, marked as taken, or None."""
        number = self._choice.take(hosts)
        if number is None:
            return None
        self._set(number, State.TAKEN)
        address = address_of(self._rows(SELECT + "WHERE number = ?", number)[0])
        self._known[hash(address.url)] = _DONE
        return address

    def give_back(self, address: Address) -> None:
        """Puts a taken address back, as if it had never been taken."""
        self._set(address.number, State.WAITING)
        self._offer(address)

    def finish(self, address: Address, state: State, *, sha256: str | None = None) -> None:
        self._set(address.number, state, sha256=sha256)

    def fail(self, address: Address, cause: Cause, detail: str, *, sha256: str | None = None) -> None:
        self._set(address.number, State.FAILED, cause=cause, detail=detail[:300], sha256=sha256)

    def same(self, url: str, address: Address) -> None:
        """Notes that another address leads where this one has been, so that it is not asked again."""
        self._known[hash(url)] = _DONE
        known = self._rows("SELECT number, state FROM address WHERE url = ?", url)
        if known and known[0][1] == State.WAITING:
            self._choice.drop(known[0][0])
            self._set(known[0][0], State.SAME)
        elif not known:
            self._db.execute(
                "INSERT INTO address (url, kind, label, parent, depth, score, base, fixed, weights, word, form, state) "
                "VALUES (?, ?, ?, ?, ?, 0, 0, 0, '', '', '', ?)",
                (url, address.kind, address.label, address.url, address.depth, State.SAME),
            )
            self._count(State.SAME, 1)

    def _set(
        self, number: int, state: State, *, cause: Cause | None = None, detail: str = "", sha256: str | None = None
    ) -> None:
        before = State(self._rows("SELECT state FROM address WHERE number = ?", number)[0][0])
        self._db.execute(
            "UPDATE address SET state = ?, cause = ?, detail = ?, sha256 = ? WHERE number = ?",
            (state, cause, detail, sha256, number),
        )
        self._count(before, -1)
        self._count(state, 1)

    def _count(self, state: State, by: int) -> None:
        self._counts[state] = self._counts.get(state, 0) + by

    # --- what was seen ---

    def count(self, *states: State) -> int:
        return sum(self._counts.get(state, 0) for state in states)

    def was_read(self, url: str) -> bool:
        return bool(
            self._rows("SELECT 1 FROM address WHERE url = ? AND state IN (?, ?)", url, State.READ, State.LISTED)
        )

    def has_body(self, sha256: str) -> bool:
        return bool(self._rows("SELECT 1 FROM address WHERE sha256 = ? AND state = ?", sha256, State.READ))

    def of_kind(self, kind: Kind) -> int:
        return int(self._rows("SELECT count(*) FROM address WHERE kind = ?", kind)[0][0])

    def unseen(self, hashes: Sequence[int]) -> set[int]:
        """Which of these lines no page had before; from now on they are seen."""
        new = set(hashes) - self._lines
        self._lines |= new
        self._db.executemany("INSERT OR IGNORE INTO line VALUES (?)", [(hash_,) for hash_ in new])
        return new

    def learn(self, address: Address, *, novelty: float, paid: float, speaks_of: Weights) -> None:
        """Notes with its sections how much of a page was new and what it paid, 0 to 1, and what it speaks of."""
        seen = [(name, self.learned.read(name, novelty, paid)) for name in dict.fromkeys(address.sections)]
        sections = [(name, one.pages, one.novelty, one.paid) for name, one in seen]
        self._db.executemany("INSERT OR REPLACE INTO section VALUES (?, ?, ?, ?)", sections)
        for criterion, clearness in speaks_of.items():
            self.learned.fed[criterion] += clearness
        rows = [(criterion, self.learned.fed[criterion]) for criterion in speaks_of]
        self._db.executemany("INSERT OR REPLACE INTO fed VALUES (?, ?)", rows)
        self._choice.changed()

    def coverage(self, *, max_pages: int | None) -> Coverage:
        """The account of the crawl so far."""
        home = self._rows("SELECT state FROM address WHERE kind = ?", Kind.HOME)
        found = self._rows(
            "SELECT count(*) FROM address WHERE kind IN (?, ?) AND state != ?", Kind.HOME, Kind.PAGE, State.SAME
        )
        return Coverage(
            home_read=bool(home) and home[0][0] == State.READ,
            found=found[0][0],
            fetched=self._rows("SELECT count(*) FROM kept")[0][0],
            read=self.count(State.READ),
            unread=tuple(self._unread()),
            pending=tuple(self._pending()),
            started=datetime.fromisoformat(self.fact("started")),
            finished=datetime.fromisoformat(self.fact("finished") or datetime.now(UTC).isoformat()),
            max_pages=max_pages,
        )

    def _unread(self) -> Iterator[Unread]:
        sql = "SELECT url, cause, detail, label, sha256, kind FROM address WHERE state = ? ORDER BY number"
        for url, cause, detail, label, sha256, kind in self._rows(sql, State.FAILED):
            source = Kind(kind).source
            yield Unread(url=url, cause=Cause(cause), detail=detail, label=label, sha256=sha256, source=source)

    def _pending(self) -> Iterator[Pending]:
        sql = "SELECT url, label FROM address WHERE state IN (?, ?) ORDER BY score DESC, number LIMIT ?"
        for url, label in self._rows(sql, State.WAITING, State.TAKEN, MAX_PENDING):
            yield Pending(url=url, label=label)
