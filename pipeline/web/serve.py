"""The server process: uvicorn on a socket that is bound already."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI


def serve(app: FastAPI, door: socket.socket) -> None:
    """Serves until it is interrupted; requests under way are finished first. Nothing about the proxy is believed but
    what the app checks itself."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    # Head and body of an answer are sent apart, and asyncio knows this door for no TCP socket: without this the body
    # would wait until the client has acknowledged the head, 40 ms.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    uvicorn.Server(config).run(sockets=[door])
