"""Which waiting address is worth most now: what its link promises the hungry criteria, times what its sections pay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.crawl.learned import Learned

# How strongly a section's yield moves links that speak of a criterion, and those that speak of none.
SPOKEN_POWER, SILENT_POWER = 0.5, 1.0
WEIGHTS, SECTIONS, FAMILY = 4, 6, 2
_COLUMNS = ("_number", "_alive", "_loops", "_host", "_section", "_of", "_weight", "_base", "_fixed")


@dataclass(frozen=True)
class Offer:
    """A waiting address. sections: six, as scope.sections names them; weights: criterion id to what its link
    promises for it, best first, at most four; base: worth without any; fixed: worth that nothing moves; loops: whether
    the link stood on a page of the same family."""

    host: str
    sections: tuple[str, ...]
    weights: tuple[tuple[str, float], ...] = ()
    base: float = 0.0
    fixed: float = 0.0
    loops: bool = False


class Choice:
    """The waiting addresses in memory, built from the frontier's file.

    Worth is computed for all of them at once and anew after whatever changes it, so that what is chosen never depends
    on what happened before a crash; 20,000 addresses take about a millisecond.
    """

    def __init__(self) -> None:
        self.learned = Learned()
        self._criteria: dict[str, int] = {"": 0}
        self._hosts: dict[str, int] = {}
        self._rows: dict[int, int] = {}
        self._worths: NDArray[np.float64] | None = None
        self._clear(1024)

    def _clear(self, room: int) -> None:
        self._used = 0
        self._number = np.zeros(room, np.int64)
        self._alive = np.zeros(room, bool)
        self._loops = np.zeros(room, bool)
        self._host = np.zeros(room, np.int32)
        self._section = np.zeros((room, SECTIONS), np.int32)
        self._of = np.zeros((room, WEIGHTS), np.int32)
        self._weight = np.zeros((room, WEIGHTS))
        self._base = np.zeros(room)
        self._fixed = np.zeros(room)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, number: int, offer: Offer) -> None:
        """Offers an address, or offers it again with a better promise."""
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = self._new_row()
        weights = (*offer.weights[:WEIGHTS], *(("", 0.0),) * (WEIGHTS - len(offer.weights)))
        self._number[row], self._alive[row], self._loops[row] = number, True, offer.loops
        self._host[row] = self._hosts.setdefault(offer.host, len(self._hosts))
        self._section[row] = [self.learned.number(name) for name in offer.sections]
        self._of[row] = [self._criteria.setdefault(criterion, len(self._criteria)) for criterion, _ in weights]
        self._weight[row] = [weight for _, weight in weights]
        self._base[row], self._fixed[row] = offer.base, offer.fixed
        self._worths = None

    def drop(self, number: int) -> None:
        row = self._rows.pop(number, None)
        if row is not None:
            self._alive[row] = False

    def changed(self) -> None:
        """To be called when something was learned."""
        self._worths = None

    def _new_row(self) -> int:
        if self._used == len(self._number):
            self._make_room()
        self._used += 1
        return self._used - 1

    def _make_room(self) -> None:
        """Closes the gaps that taken addresses left, and doubles what is then too small."""
        kept = np.flatnonzero(self._alive)
        columns = [getattr(self, name)[kept] for name in _COLUMNS]
        self._clear(max(1024, 2 * len(kept)))
        for name, column in zip(_COLUMNS, columns, strict=True):
            getattr(self, name)[: len(kept)] = column
        self._used = len(kept)
        self._rows = {int(number): row for row, number in enumerate(self._number[: self._used])}

    def hosts(self) -> tuple[str, ...]:
        """Hosts with an address that may still be taken."""
        present = set(np.unique(self._host[: self._used][self._open()]).tolist())
        return tuple(host for host, number in self._hosts.items() if number in present)

    def take(self, hosts: Iterable[str]) -> int | None:
        """The best address of these hosts, no longer offered; None where there is none. Of two equals the older."""
        wanted = [self._hosts[host] for host in hosts if host in self._hosts]
        rows = np.flatnonzero(self._open() & np.isin(self._host[: self._used], wanted))
        if not len(rows):
            return None
        worth = self._worth()[rows]
        number = int(self._number[rows[worth == worth.max()]].min())
        self.drop(number)
        return number

    def _open(self) -> NDArray[np.bool_]:
        return self._alive[: self._used] & (self._worth() > 0)

    def _worth(self) -> NDArray[np.float64]:
        """Of each row: (promise for hungry criteria x yield of its sections + base x yield) x appetite + fixed."""
        if self._worths is None or len(self._worths) != self._used:
            used = slice(0, self._used)
            hunger = np.array([self.learned.hunger(criterion) for criterion in self._criteria])
            spoken: NDArray[np.float64] = (self._weight[used] * hunger[self._of[used]]).sum(axis=1)
            pays = self.learned.yields(self._section[used])
            moved = spoken * pays**SPOKEN_POWER + self._base[used] * pays**SILENT_POWER
            trapped = self._loops[used] & self.learned.given_up(self._section[used, FAMILY], spoken > 0)
            fresh = self.learned.freshness(self._section[used, -1])
            self._worths = np.where(trapped, 0.0, moved * fresh) + self._fixed[used]
        return self._worths
