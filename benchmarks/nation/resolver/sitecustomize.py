"""Resolves the names of a simulated nation in any Python process that has this folder on PYTHONPATH; all other names
are left to the system."""

from __future__ import annotations

import os
import runpy
import socket
from pathlib import Path
from typing import Any

_PLAN = runpy.run_path(str(Path(__file__).parent.parent / "plan.py"))
_SYSTEM = socket.getaddrinfo


def install(spec: str) -> None:
    """Answers for *.nation.test from now on, as that nation says."""
    nation, ending = _PLAN["Nation"].of(spec), "." + _PLAN["DOMAIN"]

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if not isinstance(name, str) or not name.rstrip(".").lower().endswith(ending):
            return _SYSTEM(host, port, family, type, proto, flags)
        address = nation.resolved(name)
        if address is None or family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _SYSTEM(address, port, socket.AF_INET, type, proto, flags)

    socket.getaddrinfo = getaddrinfo


if os.environ.get(_PLAN["VARIABLE"]):
    install(os.environ[_PLAN["VARIABLE"]])
