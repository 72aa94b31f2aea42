"""Several small municipalities on loopback, each on an address of its own, and the registry that names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hostile import Reply, Server, page, serve

from pipeline.municipality.naming import check_digit

PAGES = 12


@dataclass(frozen=True)
class Town:
    name: str
    code: str
    server: Server


def code_of(number: int, prefecture: int = 14) -> str:
    digits = f"{prefecture:02d}{101 + number:03d}"
    return digits + check_digit(digits)


def site(name: str) -> dict[str, str]:
    """A home page and pages behind it, each in the words of a criterion or of none."""
    says = (
        "RPAを導入し、年間1,200時間の業務時間を削減しました。",
        "行政手続のオンライン申請ができます。",
        "広報紙を発行しています。",
    )
    paths = [f"/p{number}.html" for number in range(PAGES)]
    pages = {
        path: page(*[(other, f"{other} DXの取り組み") for other in paths[:3]], title=f"{name}のDX {path}",
                   text=f"<p>{name}は{says[number % 3]}</p>")
        for number, path in enumerate(paths)
    }  # fmt: skip
    return pages | {"/": page(*[(path, f"DX推進 {path}") for path in paths], title=name)}


@contextmanager
def towns(count: int, *, refusing: Sequence[int] = (), slowness_s: float = 0.0) -> Iterator[list[Town]]:
    """So many municipalities; those of the numbers in `refusing` answer 403 to everything."""
    with ExitStack() as stack:
        found = []
        for number in range(count):
            name = f"汐凪{'一二三四五六七八九十'[number]}市"
            pages: Mapping[str, str | Reply] = site(name)
            if number in refusing:
                pages = dict.fromkeys([*pages, "/robots.txt"], Reply(b"<p>403 Forbidden</p>", status=403))
            server = stack.enter_context(serve(pages, host=f"127.0.8.{number + 1}", slowness_s=slowness_s))
            found.append(Town(name, code_of(number), server))
        yield found


def registry(folder: Path, known: Sequence[Town], *more: str) -> Path:
    """A registry CSV of them (and of more lines)."""
    lines = [f"神奈川県,{town.name},てすと,{town.server.url},{town.code}" for town in known]
    path = folder / "registry.csv"
    path.write_text("\n".join(["pref,city,citykana,url,lgcode", *lines, *more]) + "\n", "utf-8")
    return path
