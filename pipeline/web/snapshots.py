"""Archived pages as they were received, in a sandbox: no script runs, no form is sent, nothing is loaded."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from pipeline.charset import decode
from pipeline.web.visit import Person

router = APIRouter()
# `sandbox` without any allowance: an origin of its own, no scripts, forms, popups, downloads or navigation of others.
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
# No policy holds back rel=preconnect and rel=dns-prefetch, by which a page would learn who reads it and when. In place
# of a <link>, a browser reads an element that does nothing.
_LINK = re.compile(r"<link(?=[\s/>])", re.IGNORECASE)


@router.get("/snapshots/{sha256}")
def snapshot(asked: Person, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
    """The archived body. HTML and text are shown; everything else is handed out as a file."""
    pages = asked.office.desk.pages
    found, body = pages.snapshot(sha256), pages.body(sha256)
    if found is None or body is None:
        raise HTTPException(404, "この写しは保存されていません。")
    media = found.header("content-type").partition(";")[0].strip().lower()
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "private, no-cache"}
    if b"%PDF-" in body[:1024]:
        name = quote(found.final_url.rpartition("/")[2] or f"{sha256[:12]}.pdf", safe="")
        disposition = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(body, media_type="application/pdf", headers=headers | disposition)
    text = decode(body, found.header("content-type")).text
    kind = "text/plain" if media in ("text/plain", "application/json") else "text/html"
    if kind == "text/html":
        text = _LINK.sub("<basefont", text)
    return Response(text.encode("utf-8", "replace"), media_type=f"{kind}; charset=utf-8", headers=headers)
