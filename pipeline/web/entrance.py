"""Signing in and out, and the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from pipeline.language import LANGUAGES
from pipeline.web import passwords
from pipeline.web.visit import LANGUAGE_COOKIE, Anyone, Person, Posted, Visit, inside

router = APIRouter()
_YEAR_S = 365 * 24 * 3600

To = Annotated[str, Query(max_length=2000)]


@router.get("/sign-in")
def door(asked: Anyone, to: To = "/") -> Response:
    return asked.page("sign_in.html", to=inside(to), name="", problem="")


@router.post("/sign-in")
def enter(
    asked: Posted,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    to: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """With name and password. A wrong one takes as long as a right one, and too many close the door for a while."""
    office, name = asked.office, name.strip()
    if wait := office.guesses.attempt(name):
        response = _again(asked, to, name, "失敗が続いたため、しばらくサインインできません。", 429)
        response.headers["Retry-After"] = str(wait)
        return response
    kept = office.desk.store.users.password(name)
    user = office.desk.store.users.find(name) if passwords.matches(kept, password) else None
    if user is None or not user.active:
        return _again(asked, to, name, "名前またはパスワードが違います。", 401)
    office.guesses.succeeded(name)
    if passwords.outdated(kept):
        office.desk.store.users.rehash(name, passwords.hashed(password))
    return asked.sign_in(user, inside(to))


@router.get("/enter")
def enter_by_link(asked: Anyone, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """By the one-time link that the terminal has printed."""
    name = asked.office.links.use(token)
    user = asked.office.desk.store.users.find(name) if name else None
    if user is None or not user.active:
        return _again(
            asked, "/", "", "このリンクは使用済みか期限切れです。端末で classify review を実行し直してください。", 401
        )
    return asked.sign_in(user)


@router.post("/sign-out")
def leave(asked: Person, _form: Posted) -> Response:
    """Ends all sessions of the person."""
    if asked.user:
        asked.office.desk.store.users.change(asked.user.name)
    return RedirectResponse("/sign-in", status_code=303)


@router.post("/language")
def choose_language(
    asked: Posted,
    language: Annotated[str, Form(max_length=8)],
    to: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    response = RedirectResponse(inside(to), status_code=303)
    chosen = language if language in LANGUAGES else "ja"
    response.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="lax", secure=asked.office.secure
    )
    return response


def _again(asked: Visit, to: str, name: str, problem: str, status: int) -> Response:
    return asked.page("sign_in.html", status=status, to=inside(to), name=name, problem=asked.say(problem))
