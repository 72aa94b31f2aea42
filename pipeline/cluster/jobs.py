"""The jobs that wake workers: put, cancelled, and put again where one was lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipeline.cluster.errand import Errand, Seen
from pipeline.cluster.link import NAMED, Link

if TYPE_CHECKING:
    from psycopg import AsyncConnection

TASK = "akashi.errand"

# Procrastinate's own batch puts nothing at all where one of the jobs is queued already.
_PUT = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT stage, %(task)s, priority, key, jsonb_build_object('wave', wave, 'code', code, 'stage', stage)
FROM unnest(%(waves)s::text[], %(codes)s::text[], %(stages)s::text[], %(priorities)s::int[], %(keys)s::text[])
     AS put (wave, code, stage, priority, key)
WHERE %(also_running)s OR NOT EXISTS (
    SELECT FROM procrastinate_jobs WHERE queueing_lock = key AND status IN ('todo', 'doing')
)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING id
"""
_CANCEL = """
SELECT procrastinate_cancel_job_v1(id, true, true) FROM procrastinate_jobs
WHERE task_name = %(task)s AND status IN ('todo', 'doing') AND args->>'wave' = %(wave)s
  AND (args->>'code' = ANY(%(codes)s) OR %(codes)s::text[] = '{}')
"""
_POSTPONE = """
UPDATE procrastinate_jobs SET args = args || jsonb_build_object('failures', %(failures)s::int)
WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(worker_id)s
RETURNING clock_timestamp() + make_interval(secs => %(wait_s)s) AS at
"""
# Running jobs whose municipality nobody has: of workers without a heartbeat, which counts as a failure (something about
# the municipality may have killed them), or begun so long ago that their end must have been lost.
_REVIVE = """
WITH lost AS (
    SELECT job.id, worker.id IS NULL AS dead
    FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker
      ON worker.id = job.worker_id AND worker.last_heartbeat >= now() - make_interval(secs => %(lease_s)s)
    WHERE job.task_name = %(task)s AND job.status = 'doing'
      AND NOT EXISTS (SELECT FROM holds WHERE code = job.args->>'code' AND until >= clock_timestamp())
      AND (worker.id IS NULL OR now() - make_interval(secs => %(lease_s)s) > (
          SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started'))
), gone AS (
    DELETE FROM procrastinate_jobs job USING lost WHERE job.id = lost.id AND job.status = 'doing'
    RETURNING job.*, lost.dead
)
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT queue_name, task_name, priority, queueing_lock,
       args || jsonb_build_object('failures', coalesce((args->>'failures')::int, 0) + dead::int)
FROM gone WHERE NOT abort_requested
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
# A job whose task was cancelled before its first step: Procrastinate leaves it as it is.
_PUT_BACK = """
WITH gone AS (
    DELETE FROM procrastinate_jobs WHERE id = ANY(%(ids)s) AND status = 'doing' AND worker_id IS NULL RETURNING *
)
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT queue_name, task_name, priority, queueing_lock, args FROM gone WHERE NOT abort_requested
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
_CLEAR = """
WITH ended AS (
    DELETE FROM procrastinate_jobs WHERE task_name = %(task)s AND status NOT IN ('todo', 'doing')
)
SELECT procrastinate_prune_stalled_workers_v1(%(lease_s)s)
"""
_SEEN = """
WITH at AS (
    SELECT split_part(holder, '/', 1) AS name, split_part(holder, '/', 2) AS stage
    FROM holds WHERE until >= clock_timestamp()
    UNION ALL
    SELECT DISTINCT substr(application_name, length(%(named)s) + 1), '' FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, %(named)s)
)
SELECT name, count(*) FILTER (WHERE stage = 'crawl') AS crawls, count(*) FILTER (WHERE stage = 'judge') AS judges
FROM at GROUP BY name ORDER BY name
"""


def put_values(errands: Iterable[Errand], *, also_running: bool) -> dict[str, object]:
    """also_running: puts an errand also where a job for it is running, which may have read too early what to do."""
    listed = list(dict.fromkeys(errands))
    return {
        "task": TASK,
        "waves": [one.wave for one in listed],
        "codes": [one.code for one in listed],
        "stages": [one.stage for one in listed],
        "priorities": [one.priority for one in listed],
        "keys": [one.key for one in listed],
        "also_running": also_running,
    }


async def put(link: Link, errands: Iterable[Errand]) -> int:
    """How many were put; those that are queued already are left alone."""
    return len(await link.rows(_PUT, put_values(errands, also_running=True)))


async def cancel(link: Link, wave: str, codes: Collection[str]) -> int:
    """How many jobs were taken back or told to stop."""
    return len(await link.rows(_CANCEL, {"task": TASK, "wave": wave, "codes": list(codes)}))


async def postpone(link: Link, job_id: int, worker_id: int, wait_s: float, failures: int) -> object:
    """When by the database's clock the job is to be tried again, None where it is not this worker's any more."""
    values = {"job_id": job_id, "worker_id": worker_id, "wait_s": wait_s, "failures": failures}
    rows = await link.rows(_POSTPONE, values)
    return rows[0]["at"] if rows else None


async def put_back(link: Link, ids: Collection[int]) -> None:
    """Puts jobs of workers of this process that have ended back where they came from."""
    if ids:
        await link.rows(_PUT_BACK, {"ids": list(ids)})


async def revive(connection: AsyncConnection, unfinished: Iterable[Errand], lease_s: float) -> None:
    """Puts again what nobody is woken for any more, and clears what is left of jobs and workers that ended."""
    values = {"task": TASK, "lease_s": lease_s}
    await connection.execute(_REVIVE, values)
    await connection.execute(_PUT, put_values(unfinished, also_running=False))
    await connection.execute(_CLEAR, values)


async def seen(link: Link) -> list[Seen]:
    """The workers that are connected or have municipalities, by name."""
    rows = await link.rows(_SEEN, {"named": NAMED})
    return [Seen(name=row["name"], crawls=row["crawls"], judges=row["judges"]) for row in rows]
