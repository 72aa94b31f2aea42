"""Procrastinate's way to the database, made to bear what its workers do not.

Seen in Procrastinate 3.10: a worker whose fetch meets a database that is away takes no new job until all that it runs
have ended; without periodic tasks nobody notices a heartbeat that failed; a worker that was stopped and pruned can
fetch no more (its row is gone); and whoever ends a job ends it, also where it is another worker's by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, LiteralString, TypeVar

from procrastinate import PsycopgConnector, exceptions, sql
from procrastinate.connector import Notify
from psycopg import errors

from pipeline.cluster.link import Link, passes

T = TypeVar("T")

_RELISTEN_S = 1.0
_ALIVE = """
INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)
ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()
"""
_OURS: LiteralString = (
    " FROM procrastinate_jobs WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(of_worker)s"
)


class Connector(PsycopgConnector):
    """Waits for a database that is away, keeps the worker's row alive, and ends jobs only where they are ours."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._worker_of: dict[int, int] = {}  # job -> the worker of this process that fetched it

    def unended(self) -> list[int]:
        """Jobs that were fetched here and not ended."""
        return sorted(self._worker_of)

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        ask = super().execute_query_async
        if query == sql.queries["update_heartbeat"]:
            return await self._link.patiently(lambda: ask(_ALIVE, **arguments))
        if query not in (sql.queries["finish_job"], sql.queries["retry_job"]):
            return await self._link.patiently(lambda: ask(query, **arguments))
        arguments["of_worker"] = self._worker_of.pop(arguments["job_id"], None)
        try:
            return await self._link.patiently(lambda: ask(_if_ours(query), **arguments))
        except exceptions.UniqueViolation:  # the same errand was put again meanwhile: that job will do
            end = {**arguments, "status": "aborted", "delete_job": True}
            return await self._link.patiently(lambda: ask(_if_ours(sql.queries["finish_job"]), **end))

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        ask = super().execute_query_one_async
        if query != sql.queries["fetch_job"]:
            return await self._link.patiently(lambda: ask(query, **arguments))
        worker_id = arguments["worker_id"]
        row: dict[str, Any]
        row = await self._link.patiently(lambda: self._registered(lambda: ask(query, **arguments), worker_id))
        if row["id"] is not None:
            self._worker_of[row["id"]] = worker_id
        return row

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        ask = super().execute_query_all_async
        return await self._link.patiently(lambda: ask(query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        while True:
            try:
                await super().listen_notify(on_notification=on_notification, channels=channels)
            except exceptions.ConnectorException as error:
                if not passes(error):
                    raise
            await asyncio.sleep(_RELISTEN_S)  # jobs are polled for meanwhile

    async def _registered(self, fetch: Callable[[], Awaitable[T]], worker_id: int) -> T:
        """The job, for a worker that is registered again where its row is gone."""
        try:
            return await fetch()
        except exceptions.ConnectorException as error:
            if not isinstance(error.__cause__, errors.ForeignKeyViolation):
                raise
            await super().execute_query_async(_ALIVE, worker_id=worker_id)
            return await fetch()


def _if_ours(query: LiteralString) -> LiteralString:
    """The statement, which calls one function, for a job that this worker still has; else it does nothing."""
    return query.rstrip(";") + _OURS
