"""The survey of many municipalities: how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.headway import Headway
    from pipeline.store.waves import Waves

# --- classify status --------------------------------------------------------------------------------------------------


def status(
    wave: Annotated[str, typer.Option(help="Id of the survey.  [default: the newest]")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw it anew every 2 seconds until all are settled.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Every municipality that failed, and why.")] = False,
) -> None:
    """Say how far a survey of many municipalities has come: done, failed, at work, pace, expected end, money."""
    if watch and (as_json or failed):
        raise InputError("--watch draws how far it has come; --json and --failed are one look. Choose one.")
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    with Store(Settings().database_url) as store:
        known = store.waves.find(wave).id
        if failed:
            _failed(store.waves, known, as_json)
        elif as_json:
            typer.echo(_look(store.waves, known).model_dump_json(indent=1))
        elif watch:
            from pipeline.terminal.waves import watched

            watched(lambda: _look(store.waves, known))
        else:
            from pipeline.terminal.waves import shown

            shown(_look(store.waves, known))


def _look(waves: Waves, wave_id: str) -> Headway:
    from datetime import UTC, datetime

    from pipeline.headway.looking import look

    return look(waves, wave_id, datetime.now(UTC))


def _failed(waves: Waves, wave_id: str, as_json: bool) -> None:
    from pipeline.headway import failed
    from pipeline.models import CityState

    found = failed(waves.cities(wave_id, [CityState.FAILED]))
    if as_json:
        import json

        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False, indent=1))
    else:
        from pipeline.terminal.waves import troubled

        troubled(found)
