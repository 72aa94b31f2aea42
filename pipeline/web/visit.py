"""One request: who asks, in which language, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipeline.desk import Desk
from pipeline.language import LANGUAGES, Say
from pipeline.models import Role, User
from pipeline.web import words
from pipeline.web.counts import Counts
from pipeline.web.passwords import Guesses
from pipeline.web.sessions import COOKIE, SESSION_S, Links, Proxy, Session, Sessions

LANGUAGE_COOKIE = "akashi_language"


@dataclass(frozen=True)
class Office:
    """What the web app is made of. origins: addresses under which people reach it, `http://127.0.0.1:8765`."""

    desk: Desk
    sessions: Sessions
    origins: tuple[str, ...]
    proxy: Proxy = Proxy()
    links: Links = field(default_factory=Links)
    guesses: Guesses = field(default_factory=Guesses)

    @property
    def secure(self) -> bool:
        return any(origin.startswith("https://") for origin in self.origins)


@dataclass(frozen=True)
class Visit:
    """A request with its session. user: None while nobody has signed in."""

    request: Request
    office: Office
    session: Session
    user: User | None
    language: str

    @property
    def say(self) -> Say:
        return words.say(self.language)

    @property
    def here(self) -> str:
        """This address as a path of our own, to come back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template filled in; the session's cookie goes along."""
        response = self.part(template, status=status, **values)
        self._keep(response, self.session)
        return response

    def part(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template filled in for a script that asks by itself: nobody has acted, so the session grows no longer."""
        from pipeline.web.pages import fill

        token = self.office.sessions.token(self.session)
        text = fill(template, visit=self, user=self.user, token=token, language=self.language, **values)
        return HTMLResponse(text, status_code=status)

    def sign_in(self, user: User, to: str = "/") -> Response:
        response = RedirectResponse(to, status_code=303)
        self._keep(response, self.office.sessions.fresh(user.name, user.epoch))
        return response

    def _keep(self, response: Response, session: Session) -> None:
        if self.office.proxy.name(self.request.headers):
            return  # the proxy says at each request who it is
        response.set_cookie(
            COOKIE,
            self.office.sessions.cookie(session),
            max_age=SESSION_S,
            httponly=True,
            samesite="lax",
            secure=self.office.secure,
        )


def visit(request: Request) -> Visit:
    """Whoever asks."""
    office: Office = request.app.state.office
    session = office.sessions.read(request.cookies.get(COOKIE, "")) or office.sessions.fresh()
    vouched = office.proxy.name(request.headers)
    if vouched:
        session = Session(nonce=f"proxy:{vouched}", name=vouched)
    user = office.desk.store.users.find(session.name) if session.name else None
    if user and (not user.active or (user.epoch != session.epoch and not vouched)):
        user = None
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    return Visit(request, office, session, user, language if language in LANGUAGES else "ja")


def person(asked: Annotated[Visit, Depends(visit)]) -> Visit:
    """Somebody who has signed in; others are led to the door."""
    if asked.user is None:
        to = "/sign-in?to=" + quote(asked.here, safe="") if asked.request.method == "GET" else "/sign-in"
        raise HTTPException(303 if asked.request.method == "GET" else 401, headers={"Location": to})
    return asked


def form(asked: Annotated[Visit, Depends(visit)], token: Annotated[str, Form(max_length=128)] = "") -> Visit:
    """A form of our own: it brings back the session's token, and no other site has sent it."""
    origin = asked.request.headers.get("origin")
    if origin is not None and origin not in asked.office.origins:
        raise HTTPException(403, "フォームの送信元が違います。ページを開き直してください。")
    if not asked.office.sessions.genuine(asked.session, token):
        raise HTTPException(403, "フォームの有効期限が切れました。ページを開き直してください。")
    return asked


def deciding(asked: Annotated[Visit, Depends(person)], _form: Annotated[Visit, Depends(form)]) -> Visit:
    """A form by somebody who decides."""
    if asked.user and asked.user.role is Role.ANALYST:
        raise HTTPException(403, "分析者は閲覧と書き出しだけができます。")
    return asked


def exporting(asked: Annotated[Visit, Depends(person)]) -> Visit:
    """Somebody to whom the whole log may be shown: a reviewer would see what they must be blind to."""
    if asked.user and asked.user.role is Role.REVIEWER:
        raise HTTPException(403, "書き出しには独立判定の内容が含まれるため、裁定者と分析者だけができます。")
    return asked


def counts(asked: Annotated[Visit, Depends(person)]) -> Counts:
    found: Counts = asked.request.app.state.counts
    return found


Anyone = Annotated[Visit, Depends(visit)]
Person = Annotated[Visit, Depends(person)]
Posted = Annotated[Visit, Depends(form)]
Deciding = Annotated[Visit, Depends(deciding)]
Exporting = Annotated[Visit, Depends(exporting)]
Counting = Annotated[Counts, Depends(counts)]


def inside(to: str) -> str:
    """A path of ours to go to, or the start page: nobody is sent elsewhere."""
    plain = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if plain else "/"
