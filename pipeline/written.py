"""Data files that people write: YAML in, a checked value out, every problem named with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BYTES = 1_000_000  # a set of 31 criteria takes 60 KB; what is far larger is not a file of ours

Text = Annotated[str, Field(min_length=1)]
# The way from the top of a file to a value in it: keys and numbers.
Place = tuple[Any, ...]


class Written(BaseModel):
    """Base of the files' shapes: strict types, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Both(Written):
    ja: Text
    en: Text


W = TypeVar("W", bound=Written)


class _Loader(yaml.SafeLoader):
    """YAML without tags, aliases and repeated keys, remembering the line of every path."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=self.get_mark())
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tags are not allowed", problem_mark=self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = Counter(key.value for key, _ in node.value)
        for key, _ in node.value:
            if seen[key.value] > 1:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read(
    path: Path, shape: type[W], problems: Callable[[W], Iterable[tuple[Place, str]]]
) -> tuple[bytes, W | None, list[str]]:
    """The file's bytes, its value where it has the shape, and every problem, one line each with its place.

    problems: what is wrong with a value of that shape, each with where it stands in the file.
    """
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return b"", None, [f"cannot be read: {error.strerror or error}"]
    if len(body) > MAX_BYTES:
        return body, None, [f"larger than {MAX_BYTES} bytes"]
    try:
        value, lines = parse(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return body, None, [f"not UTF-8 (byte {error.start})"]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return body, None, [_yaml_problem(error)]
    return body, *_validate(value, lines, shape, problems)


def repeated(name: str, ids: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """The ids of the list of that name that stand in it before."""
    for number, one in enumerate(ids):
        if one in ids[:number]:
            yield (name, number, "id"), f"{one} is given twice"


def parse(text: str) -> tuple[Any, dict[Place, int]]:
    """The value of a YAML text, and the line of each of its places. Raises YAMLError, RecursionError or ValueError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(_lines(node, ()))
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: Place) -> Iterator[tuple[Place, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _lines(item, (*path, number))


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {said}" if mark else f"not YAML: {said}"


def _validate(
    value: Any, lines: Mapping[Place, int], shape: type[W], problems: Callable[[W], Iterable[tuple[Place, str]]]
) -> tuple[W | None, list[str]]:
    try:
        file = shape.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return None, [_say(lines, _place(one["loc"]), one["msg"]) for one in found]
    return file, [_say(lines, path, said) for path, said in problems(file)]


def _place(loc: Sequence[int | str]) -> Place:
    return tuple(part for part in loc if part != "[key]")


def _say(lines: Mapping[Place, int], path: Place, said: str) -> str:
    near = path
    while near and near not in lines:
        near = near[:-1]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"line {lines.get(near, 1)}: {name or 'the file'}: {said}"
