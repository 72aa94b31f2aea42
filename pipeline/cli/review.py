"""classify review and classify users: the queue as a web page, and the people who may use it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from pipeline.cli.desks import Reviewer, name_of, opened
from pipeline.errors import InputError

if TYPE_CHECKING:
    import socket

    from pipeline.desk import Desk
    from pipeline.models import Role, User

HOST = "127.0.0.1"
DEFAULT_PORT = 8765

users_app = typer.Typer(help="The people who may use the review page.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name, as it stands in the log.")]
RoleName = Annotated[
    str, typer.Option("--role", help="reviewer (decides, codes blind), adjudicator (settles) or analyst (reads).")
]
NoPassword = Annotated[bool, typer.Option("--no-password", help="Signs in by a proxy or a one-time link only.")]


def review(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = DEFAULT_PORT,
    public_url: Annotated[
        str, typer.Option(help="Address under which a reverse proxy offers it, such as https://review.example.")
    ] = "",
    reviewer: Reviewer = "",
) -> None:
    """Open the review queue as a web page on this machine, and print a one-time sign-in link."""
    from pipeline.settings import Settings
    from pipeline.web.app import create_app
    from pipeline.web.serve import serve
    from pipeline.web.sessions import Links, Proxy, Sessions, key
    from pipeline.web.visit import Office
    from pipeline.workspace import Workspace

    settings = Settings()
    with _listen(port) as door, opened(settings) as desk:
        origins = _origins(door.getsockname()[1], public_url)
        owner = _owner(desk, name_of(reviewer))
        links, secret = Links(), settings.proxy_secret.get_secret_value()
        sessions = Sessions(key(Workspace(settings.home).session_key))
        office = Office(desk, sessions, origins, Proxy(secret), links)
        _greet(origins[0], owner, links.make(owner.name))
        serve(create_app(office), door)


def _listen(port: int) -> socket.socket:
    import socket

    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
    except OSError as error:
        door.close()
        raise InputError(
            f"port {port} of {HOST} cannot be used ({error.strerror}). Give another with --port."
        ) from None
    return door


def _origins(port: int, public_url: str) -> tuple[str, ...]:
    own = tuple(f"http://{host}:{port}" for host in (HOST, "localhost"))
    if not public_url:
        return own
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise InputError(f"--public-url {public_url}: give scheme and host only, as in https://review.example.")
    return (*own, f"{parts.scheme}://{parts.netloc}")


def _owner(desk: Desk, name: str) -> User:
    """Whoever runs this owns the database: an adjudicator, unless known under another role."""
    from pipeline.models import Role

    _refuse_reserved(name)
    user = desk.store.users.find(name) or desk.store.users.add(name, Role.ADJUDICATOR)
    if not user.active:
        raise InputError(f"{name} is disabled; `classify users enable {name}` lets them in again.")
    return user


def _greet(origin: str, owner: User, token: str) -> None:
    typer.echo(f"Review queue: {origin}/")
    typer.echo(f"Sign in as {owner.name} ({owner.role}), once, within 10 minutes:")
    typer.echo(f"  {origin}/enter?token={token}")
    typer.echo("Ctrl-C ends it; nothing is lost.")
    sys.stdout.flush()


@users_app.command("add")
def users_add(name: Name, role: RoleName = "reviewer", no_password: NoPassword = False) -> None:
    """Add a person; the password is asked for, or read from standard input where that is no terminal."""
    from pipeline.settings import Settings

    kind = _role(role)
    with opened(Settings()) as desk:
        _refuse_taken(desk, name)
        user = desk.store.users.add(name, kind, password="" if no_password else _password())
        typer.echo(f"{user.name}: added as {user.role}")
        _tell_of_doubling(desk)


@users_app.command("list")
def users_list() -> None:
    """Who may use the review page, and in which role."""
    from pipeline.settings import Settings

    with opened(Settings()) as desk:
        for user in desk.store.users.all():
            state = "" if user.active else "  disabled"
            typer.echo(f"{user.name}  {user.role}  {'password' if user.has_password else 'no password'}{state}")


@users_app.command("password")
def users_password(name: Name) -> None:
    """Set a new password; the person's sessions end."""
    from pipeline.settings import Settings

    with opened(Settings()) as desk:
        _known(desk, name)
        desk.store.users.change(name, password=_password())
        typer.echo(f"{name}: password changed, sessions ended")


@users_app.command("role")
def users_role(name: Name, role: RoleName) -> None:
    """Give a person another role; their sessions end."""
    from pipeline.settings import Settings

    kind = _role(role)
    with opened(Settings()) as desk:
        typer.echo(f"{name}: {desk.store.users.change(name, role=kind).role}, sessions ended")
        _tell_of_doubling(desk)


@users_app.command("disable")
def users_disable(name: Name) -> None:
    """Shut a person out; what they decided stays."""
    _set_active(name, False)


@users_app.command("enable")
def users_enable(name: Name) -> None:
    """Let a person in again."""
    _set_active(name, True)


def _set_active(name: str, active: bool) -> None:
    from pipeline.settings import Settings

    with opened(Settings()) as desk:
        desk.store.users.change(name, active=active)
        typer.echo(f"{name}: {'enabled' if active else 'disabled, sessions ended'}")


def _role(role: str) -> Role:
    from pipeline.models import Role

    try:
        return Role(role)
    except ValueError:
        raise InputError(f"--role {role}: choose one of {', '.join(Role)}.") from None


def _refuse_taken(desk: Desk, name: str) -> None:
    """Before a password is asked for."""
    _refuse_reserved(name)
    if desk.store.users.find(name.strip()):
        raise InputError(f"{name}: there is a user of that name already; `classify users list` shows them.")


def _refuse_reserved(name: str) -> None:
    from pipeline.review.team import AKASHI

    if name.strip().casefold() == AKASHI.casefold():
        raise InputError(f"{name}: Akashi writes in the log under this name itself; choose another.")


def _known(desk: Desk, name: str) -> None:
    if desk.store.users.find(name) is None:
        raise InputError(f"{name}: no user of that name; `classify users list` shows them.")


def _password() -> str:
    from pipeline.web.passwords import hashed

    if sys.stdin.isatty():
        return hashed(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return hashed(sys.stdin.readline().rstrip("\r\n"))


def _tell_of_doubling(desk: Desk) -> None:
    team = desk.team()
    if team.share and not team.doubling:
        typer.echo(
            f"Double coding begins with two reviewers and an adjudicator; now {len(team.coders)} and "
            f"{len(team.adjudicators)}."
        )
