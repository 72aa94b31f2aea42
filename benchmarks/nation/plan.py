"""What every part of a simulated nation must agree on without asking: hosts, addresses, sizes and troubles, drawn from
the seed by arithmetic alone. Imports the standard library only: processes under test load it at their start."""

from __future__ import annotations

import re
from typing import NamedTuple

DOMAIN = "nation.test"  # .test never resolves (RFC 6761)
VARIABLE = "AKASHI_NATION"
# What may be wrong with a municipality's server, all equally likely.
TROUBLES = (
    "dns",  # its name does not resolve
    "reset",  # it closes every connection once asked
    "silent",  # it takes the request and says nothing
    "unavailable",  # 503 with Retry-After to everything
    "forbidden",  # 403 to everything
    "robots",  # its robots.txt forbids everything
    "failing",  # it has no robots.txt and answers 500 to every page
    "stalling",  # it has no robots.txt and takes requests for pages without a word
)
_HOST = re.compile(rf"(?:www\.)?city-([0-9]{{4,6}})\.{re.escape(DOMAIN)}\.?", re.I)
_WORD = (1 << 64) - 1
_OWN, _SHARED = 10, 9  # second byte of the addresses: one of its own, or a vendor's
_PER_BYTE = 254  # 1 to 254: neither .0 nor .255
_SKEW = 2.5  # sizes between the smallest and the largest site: most are small, few are large


class Nation(NamedTuple):
    """Municipalities 1 to `cities`. shared: share of them that sit on one of `vendors` addresses; trouble: share whose
    server refuses; smallest, largest: pages of a site; retry_after_s: what servers that answer 503 ask for."""

    seed: int = 1
    cities: int = 1741
    shared: float = 0.3
    vendors: int = 12
    trouble: float = 0.0
    smallest: int = 8
    largest: int = 40
    retry_after_s: int = 1

    @classmethod
    def of(cls, spec: str) -> Nation:
        """The nation that `spec` wrote. Raises ValueError for anything else."""
        values = dict(part.split("=", 1) for part in spec.split())
        if set(values) != set(cls._fields):
            raise ValueError(f"{VARIABLE} {spec!r} does not describe a nation")
        kinds = {name: type(default) for name, default in cls._field_defaults.items()}
        return cls(**{name: kinds[name](value) for name, value in values.items()})

    @property
    def spec(self) -> str:
        """One line that processes of its own are given."""
        return " ".join(f"{name}={value}" for name, value in self._asdict().items())

    def host(self, number: int) -> str:
        return f"www.city-{number:04}.{DOMAIN}"

    def number(self, host: str) -> int | None:
        """Which municipality's host it is, with or without `www.`; None where there is none."""
        found = _HOST.fullmatch(host)
        number = int(found[1]) if found else 0
        return number if 1 <= number <= self.cities else None

    def address(self, number: int) -> str:
        """Where the host is: an address of its own within 127/8, or one that it shares with others."""
        if self.vendors and self.draw(number, "shared") < self.shared:
            return _dotted(_SHARED, int(self.draw(number, "vendor") * self.vendors))
        return _dotted(_OWN, number - 1)

    def trouble_of(self, number: int) -> str:
        """One of TROUBLES, or an empty string."""
        if self.draw(number, "trouble") >= self.trouble:
            return ""
        return TROUBLES[int(self.draw(number, "kind") * len(TROUBLES))]

    def pages(self, number: int) -> int:
        """How many pages and files the site has."""
        return self.smallest + round((self.largest - self.smallest) * self.draw(number, "pages") ** _SKEW)

    def resolved(self, host: str) -> str | None:
        """The address that a name has; None where it does not resolve."""
        number = self.number(host)
        return None if number is None or self.trouble_of(number) == "dns" else self.address(number)

    def draw(self, number: int, what: str) -> float:
        """A value in [0, 1) for this municipality and question, the same in every process (splitmix64)."""
        mixed = self.seed & _WORD
        for part in (number, int.from_bytes(what.encode(), "big")):
            mixed = (mixed + 0x9E3779B97F4A7C15 + part) & _WORD
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
            mixed ^= mixed >> 31
        return (mixed >> 11) / (1 << 53)


def _dotted(block: int, place: int) -> str:
    rest, last = divmod(place, _PER_BYTE)
    more, third = divmod(rest, _PER_BYTE)
    return f"127.{block + more}.{third + 1}.{last + 1}"
