"""The desk of a workspace, and the person who types."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.settings import Settings

Reviewer = Annotated[str, typer.Option(envvar="CLASSIFY_REVIEWER", help="Who decides; default: your login name.")]
Note = Annotated[str, typer.Option(help="Why, for whoever reads the log.")]


@contextmanager
def opened(settings: Settings) -> Iterator[Desk]:
    """The desk over the workspace's store and archive."""
    from pipeline.desk import Desk
    from pipeline.desk.pages import Pages
    from pipeline.store.store import Store
    from pipeline.workspace import Workspace, open_archive

    workspace = Workspace(settings.home)
    with Store(settings.database_url) as store, open_archive(settings) as archive:
        yield Desk(store, Pages(archive), cache(workspace.criteria), settings.double_share)


def name_of(reviewer: str) -> str:
    return reviewer or getpass.getuser()
