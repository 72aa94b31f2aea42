"""The web app put together: routes, headers that keep a browser strict, and errors as pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipeline.errors import AkashiError, DecisionError
from pipeline.web import entrance, exports, items, overview, snapshots, waves
from pipeline.web.counts import Counts
from pipeline.web.visit import Office, visit
from pipeline.web.words import refused

STATIC = Path(__file__).parent / "static"
# No form of ours is near this; a note has at most 4,000 characters.
MAX_BODY_BYTES = 1_000_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

Next = Callable[[Request], Awaitable[Response]]


def create_app(office: Office) -> FastAPI:
    """The app of one workspace. It answers only under the office's own addresses."""
    app = FastAPI(title="Akashi review", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.office = office
    app.state.counts = Counts(office.desk)
    for room in (entrance, overview, items, snapshots, exports, waves):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.middleware("http")(_guarded(office))
    app.exception_handler(StarletteHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(AkashiError)(_failed)
    return app


def _guarded(office: Office) -> Callable[[Request, Next], Awaitable[Response]]:
    hosts = {urlsplit(origin).netloc for origin in office.origins}

    async def guard(request: Request, go_on: Next) -> Response:
        # A name that an attacker points at 127.0.0.1 (DNS rebinding) is not one of ours.
        if request.headers.get("host", "") not in hosts:
            response: Response = PlainTextResponse("This address is not served here.", status_code=421)
        elif not _small(request):
            response = PlainTextResponse("The form is too large.", status_code=413)
        else:
            response = await go_on(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return guard


def _small(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    chunked = "transfer-encoding" in request.headers
    return not chunked and length.isdecimal() and int(length) <= MAX_BODY_BYTES


def _refused(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException | StarletteHTTPException) else 500
    headers = getattr(error, "headers", None) or {}
    if code == 303:
        return RedirectResponse(headers["Location"], status_code=303)
    detail = str(getattr(error, "detail", ""))
    response = _told(request, code, detail)
    response.headers.update({name: value for name, value in headers.items() if name.lower() != "location"})
    return response


def _malformed(request: Request, error: Exception) -> Response:
    return _told(request, 422, "入力を読み取れませんでした。ページを開き直してください。")


def _failed(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, DecisionError) else 500
    return _told(request, status, getattr(error, "reason", str(error)))


def _told(request: Request, status: int, message: str) -> Response:
    asked = visit(request)
    return asked.page("error.html", status=status, code=status, message=refused(message, asked.say))
