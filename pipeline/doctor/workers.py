"""What `classify worker` needs on every machine, where the database is one that workers share."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.cluster import lacking
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient


def check(patient: Patient) -> Iterator[Finding]:
    """Nothing on SQLite, where `classify nation` does the work itself."""
    if not patient.settings.db.startswith("postgresql"):
        return
    missing = lacking()
    if missing:
        found = f"PostgreSQL is set, and {', '.join(missing)} cannot be imported: no worker starts on this machine"
        advice = "install the extra: pip install 'akashi[cluster]', or requirements-cluster.txt"
        yield Finding(check="workers", state=State.WARN, found=found, advice=advice)
    elif not patient.settings.archive:
        found = "CLASSIFY_ARCHIVE is not set: pages stay on this machine, and only its workers can judge them"
        advice = "with several machines, let it name a folder or store that all of them reach"
        yield Finding(check="workers", state=State.WARN, found=found, advice=advice)
    else:
        yield Finding(check="workers", state=State.OK, found="the extra cluster is installed, the archive is shared")


CHECKS = (("workers", check),)
