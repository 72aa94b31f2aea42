"""classify criteria: write, check and compare criteria sets, and see what a new one does to confirmations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import InputError
from pipeline.text import printable

if TYPE_CHECKING:
    from pipeline.criteria.difference import Change
    from pipeline.store.store import Store
    from pipeline.succession import Carried, Succession

app = typer.Typer(help="Write, check and compare criteria sets.", no_args_is_help=True)

Set = Annotated[str, typer.Argument(help="A criteria file, or the name of a shipped set.")]
Other = Annotated[str, typer.Argument(help="The set that comes after it, named in the same way.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]


@app.command("new")
def new(file: Annotated[Path, typer.Argument(help="File to write; its name becomes the id of the set.")]) -> None:
    """Write a commented, valid criteria file to start from. What is there already is left alone."""
    from pipeline.criteria.template import write

    name = write(file)
    typer.echo(f"{file}: set {name}. Next:")
    typer.echo(f"  classify criteria check {file}")
    typer.echo(f"  classify --city demo --criteria {file}")


@app.command("check")
def check(file: Set) -> None:
    """Say what is wrong with a criteria file, line by line."""
    from pipeline.criteria import load

    found = load(file)
    typer.echo(f"{file}: {len(found.criteria)} criteria in {len(found.viewpoints)} viewpoints, no problem found")


@app.command("list")
def list_() -> None:
    """The shipped sets, with the names that --criteria takes."""
    from pipeline.criteria import load, shipped

    for name in shipped():
        one = load(name)
        typer.echo(f"{one.id}  version {one.version}  {len(one.criteria)} criteria  {one.title_ja} / {one.title_en}")


@app.command("diff")
def diff(old: Set, later: Other, as_json: AsJson = False) -> None:
    """What differs between two sets, criterion by criterion, and what that means for judgements and confirmations."""
    from pipeline.criteria import load
    from pipeline.criteria.difference import Kind, differences

    found = differences(load(old), load(later))
    if as_json:
        also = ("confirmations", "judge")
        _json([one.model_dump(mode="json") | {name: getattr(one, name) for name in also} for one in found])
        return
    told = [one for one in found if one.kind is not Kind.SAME]
    for one in told:
        typer.echo("\n".join(_change(one)))
    counts = {kind: sum(one.kind is kind for one in found) for kind in Kind}
    typer.echo(", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in counts.items() if count))


@app.command("migrate")
def migrate(
    old: Set,
    later: Other,
    map_: Annotated[
        Path | None, typer.Option("--map", help="Mapping file: which id of the old set became which of the new one.")
    ] = None,
    write_map: Annotated[
        Path | None, typer.Option("--write-map", help="Write such a file to start from, and do nothing else.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Leave a note beside each item whose criterion had another id.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which confirmations carry over to another set, which need a new look and which are lost. Nothing is confirmed
    or surveyed."""
    from pipeline import succession
    from pipeline.criteria import load
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    before, after = load(old), load(later)
    if write_map and (map_ or apply):
        raise InputError("--write-map only writes a file; give --map and --apply in the next call.")
    if apply and not map_:
        raise InputError("--apply leaves notes for criteria of another id: name them with --map.")
    if write_map:
        count = succession.write_map(write_map, before, after)
        typer.echo(f"{write_map}: {count} likely renamings. Check each, then give it with --map.")
        return
    sets = succession.Succession(before, after, succession.read_map(map_, before, after) if map_ else {})
    with Store(Settings().database_url) as store:
        found = list(succession.carried(sets, store))
        noted = _noted(sets, store) if apply else 0
    if as_json:
        _json([one.model_dump(mode="json") for one in found])
        return
    _carried(found, before.id)
    if apply:
        typer.echo(f"{noted} notes left in the log. They decide nothing; `classify review` shows them with the item.")
    elif any(one.fate is succession.Fate.CARRIES for one in found):
        typer.echo(f"Next: classify --city CITY --criteria {later}   (pages that have not changed are not sent again)")


def _noted(sets: Succession, store: Store) -> int:
    from datetime import UTC, datetime

    from pipeline.succession import notes

    found = notes(sets, store, now=datetime.now(UTC))
    for item, line in found:
        store.record(line, version=item.version)
    return len(found)


def _change(one: Change) -> Iterator[str]:
    """A criterion in a few lines."""
    name = " -> ".join(dict.fromkeys(part for part in (one.old, one.new) if part))
    like = f" (likeness {one.likeness:.2f})" if one.likeness is not None else ""
    yield printable(f"{one.kind.replace('_', ' '):12} {name}{like}  {one.statement}")
    for field, (before, after) in one.text.items():
        yield printable(f"{'':13}{field}: {before or '(none)'} -> {after or '(none)'}")
    others = [field for field in one.fields if field not in one.text]
    if others:
        yield f"{'':13}changed: {', '.join(others)}"
    if one.old and one.new:
        kept = "confirmations stay where the judge finds the same" if one.confirmations else "confirmations do not stay"
        yield f"{'':13}{kept}{'; judged anew' if one.judge else ''}"


def _carried(found: Sequence[Carried], old: str) -> None:
    from pipeline.succession import Fate

    places = dict.fromkeys((one.code, one.name) for one in found)
    for code, name in places:
        mine = [one for one in found if one.code == code]
        counts = ", ".join(f"{fate} {count}" for fate in Fate if (count := sum(one.fate is fate for one in mine)))
        typer.echo(printable(f"{name} ({code}): {len(mine)} confirmations under {old}: {counts}"))
        for one in mine:
            heir = f" -> {one.new}" if one.new and one.new != one.old else ""
            typer.echo(printable(f"  {one.fate:8} {one.old}{heir}  {one.verdict} by {one.reviewer}  ({one.why})"))
    if not found:
        typer.echo(f"No confirmations under {old} in this workspace.")


def _json(found: Sequence[dict[str, Any]]) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
