"""One item on the screen: read it, decide it, go on to the next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BeforeValidator

from pipeline.desk import Answer
from pipeline.desk.desk import MAX_NOTE_CHARS
from pipeline.desk.sheet import Place, Reading, Sheet, place_of, read, sheet
from pipeline.errors import DecisionError, StaleError
from pipeline.models import Action, Claim, Flag, Lease, QueueItem, Stage, Verdict
from pipeline.review.team import Sight
from pipeline.store.log import codings, standing
from pipeline.web import words
from pipeline.web.chosen import Choice
from pipeline.web.visit import Counting, Deciding, Person, Visit

router = APIRouter()

MAX_QUOTES = 12
MAX_QUOTE_CHARS = 4000
_CHOICE = r"^(approve|reject|return|undo|note|take:[01]|(amend|code):(met|not_met|no_evidence|unobserved))$"
_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
# Browsers send line ends as CR LF (HTML, form submission); here as everywhere else a line ends in LF.
_LineFeeds = BeforeValidator(lambda given: given.replace("\r\n", "\n") if isinstance(given, str) else given)
_Text = Annotated[str, Form(max_length=MAX_QUOTE_CHARS), _LineFeeds]
_Sha = Annotated[str, Form(pattern=r"^([0-9a-f]{64})?$")]
_Note = Annotated[str, Form(max_length=MAX_NOTE_CHARS), _LineFeeds]


@router.get("/next")
def next_item(asked: Person, counts: Counting, chosen: Choice, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Leases the next item and opens it."""
    desk = asked.office.desk
    lease = desk.next(asked.user, chosen.wanted) if asked.user else None
    if lease is None:
        return asked.page("nothing.html", chosen=chosen, tally=counts.tally(chosen.counted), team=desk.team())
    return RedirectResponse(f"/items/{lease.number}{chosen.suffix}", status_code=303)


@router.get("/items/{number}")
def show(
    asked: Person,
    counts: Counting,
    chosen: Choice,
    number: _Number,
    view: Annotated[str, Query(max_length=12, pattern=r"^([qpsnoa]\d{1,5})?$")] = "",
    whole: bool = False,
) -> Response:
    """The item, with the page of its evidence opened at the quote. view: which quote (q), passage (p), searched page
    (s) or answer (a) is opened, by its number."""
    return _screen(asked, counts, chosen, number, view=view, whole=whole)


@router.post("/items/{number}/decide")
def decide(
    asked: Deciding,
    counts: Counting,
    chosen: Choice,
    number: _Number,
    choice: Annotated[str, Form(pattern=_CHOICE)],
    version: Annotated[str, Form(max_length=64)],
    note: _Note = "",
    quote: Annotated[list[_Text] | None, Form(max_length=MAX_QUOTES)] = None,
    page: Annotated[list[_Sha] | None, Form(max_length=MAX_QUOTES)] = None,
    href: Annotated[list[_Text] | None, Form(max_length=MAX_QUOTES)] = None,
) -> Response:
    """Records the answer and goes on; what cannot be recorded comes back with the reason, and nothing typed is lost."""
    claims = _claims(quote or [], page or [], href or [])
    desk = asked.office.desk
    try:
        answer = _answer(desk.store.item(number), choice, claims, note)
        if asked.user:
            desk.decide(asked.user, number, answer, version=version)
    except DecisionError as error:
        stale = isinstance(error, StaleError)
        problem = (
            "表示した後に、ほかの人の操作などで状態が変わりました。今の状態を確かめてください。"
            if stale
            else error.reason
        )
        problem = words.refused(problem, asked.say)
        kept = [(claim.text, claim.page_sha256 or "", claim.href) for claim in claims]
        return _screen(
            asked, counts, chosen, number, problem=problem, note=note, kept=kept, status=409 if stale else 400
        )
    if answer.action in (Action.NOTE, Action.RETURN, Action.UNDO):
        return RedirectResponse(f"/items/{number}{chosen.suffix}", status_code=303)
    return RedirectResponse(f"/next{chosen.suffix}", status_code=303)


@router.post("/items/{number}/skip")
def skip(asked: Deciding, chosen: Choice, number: _Number, note: _Note = "") -> Response:
    """Puts the item off for this person; a note that was typed is kept."""
    desk = asked.office.desk
    if asked.user:
        if note.strip():
            desk.decide(asked.user, number, Answer(Action.NOTE, note=note))
        desk.skip(asked.user, number)
    return RedirectResponse(f"/next{chosen.suffix}", status_code=303)


@router.post("/items/{number}/lease")
def renew(asked: Deciding, number: _Number) -> JSONResponse:
    """Keeps the item for whoever has it on the screen."""
    desk = asked.office.desk
    item = desk.store.item(number)
    lease = _lease(asked, item)
    mine = lease is not None and asked.user is not None and lease.holder == asked.user.name
    return JSONResponse({"mine": mine, "version": item.version})


@router.post("/items/{number}/quote")
def look_up(asked: Deciding, number: _Number, text: _Text, page: _Sha = "", href: _Text = "") -> JSONResponse:
    """What the verifier makes of a sentence that was picked."""
    desk = asked.office.desk
    item = desk.store.item(number)
    claim = Claim(text=text, page_sha256=page or None, href=href)
    grounded = desk.look_up(item, claim)
    try:
        found = desk.quotes(item, [claim])[0]
    except DecisionError as error:
        return JSONResponse({"found": False, "why": words.refused(error.reason, asked.say)})
    flags = [words.spoken(flag, asked.say) for flag in grounded.flags if flag is not Flag.AMBIGUOUS]
    return JSONResponse(
        {"found": True, "text": found.text, "page": found.page_sha256, "href": found.href, "flags": flags}
    )


@router.post("/undo")
def undo(asked: Deciding, chosen: Choice) -> Response:
    """Takes back the person's own latest step, wherever it was; again and again."""
    undone = asked.office.desk.undo_last(asked.user) if asked.user else None
    if undone is None:
        return RedirectResponse(f"/next{chosen.suffix}", status_code=303)
    return RedirectResponse(f"/items/{undone[0].number}{chosen.suffix}", status_code=303)


def _answer(item: QueueItem, choice: str, claims: tuple[Claim, ...], note: str) -> Answer:
    """What a button says. `take:0` is the first coder's answer, with that coder's quotes."""
    action, _, which = choice.partition(":")
    if action != "take":
        return Answer(Action(action), Verdict(which) if which else None, claims, note)
    coded = codings(item.decisions)
    if int(which) >= len(coded):
        raise StaleError(f"item {item.number} has changed since it was shown")
    taken = coded[int(which)]
    cited = tuple(Claim(text=one.text, page_sha256=one.page_sha256, href=one.href) for one in taken.quotes)
    return Answer(Action.AMEND, taken.verdict, cited, note)


def _claims(texts: list[str], pages: list[str], hrefs: list[str]) -> tuple[Claim, ...]:
    padded = [(text, _at(pages, at), _at(hrefs, at)) for at, text in enumerate(texts)]
    return tuple(Claim(text=text, page_sha256=page or None, href=href) for text, page, href in padded if text.strip())


def _at(found: list[str], at: int) -> str:
    return found[at] if at < len(found) else ""


def _lease(asked: Visit, item: QueueItem) -> Lease | None:
    """The lease on an item that waits for this person: theirs, or whoever has it. None where they only look on."""
    desk, user = asked.office.desk, asked.user
    team = desk.team()
    if user is None or standing(item.decisions) or team.sight(user, item) is Sight.OWN:
        return None
    theirs = any(not team.forbidden(user, action, item) for action in (Action.APPROVE, Action.CODE))
    return desk.hold(user, item) if theirs else None


def _screen(
    asked: Visit,
    counts: Counting,
    chosen: Choice,
    number: int,
    *,
    view: str = "",
    whole: bool = False,
    problem: str = "",
    note: str = "",
    kept: list[tuple[str, str, str]] | None = None,
    status: int = 200,
) -> Response:
    desk, user = asked.office.desk, asked.user
    if user is None:
        raise LookupError("nobody has signed in")
    item, team = desk.store.item(number), desk.team()
    lease = _lease(asked, item)
    shown = sheet(desk, user, item)
    return asked.page(
        "item.html",
        status=status,
        sheet=shown,
        item=item,
        reading=_reading(asked, shown, view, whole=whole),
        view=view,
        whole=whole,
        lease=lease,
        held=lease is not None and lease.holder != user.name,
        may={action: not team.forbidden(user, action, item) for action in Action},
        problem=problem,
        note=note,
        kept=kept or [],
        chosen=chosen,
        tally=counts.tally(chosen.counted),
        pace=counts.pace(user.name),
        Action=Action,
        Stage=Stage,
        Sight=Sight,
        Verdict=Verdict,
        most_note=MAX_NOTE_CHARS,
    )


def _reading(asked: Visit, shown: Sheet, view: str, *, whole: bool) -> Reading | None:
    place = _place(asked, shown, view)
    return read(asked.office.desk, place, whole=whole) if place else None


def _place(asked: Visit, shown: Sheet, view: str) -> Place | None:
    """Which page to open: the one asked for, else that of the first quote, else that of the first passage."""
    judgement = shown.item.judgement
    quotes = shown.proposal.quotes if shown.proposal else ()
    kind, at = view[:1], int(view[1:] or 0)
    if kind == "q" and at < len(quotes):
        return place_of([quotes[at], *(one for one in quotes if one is not quotes[at])])
    if kind == "a" and at < len(shown.answers) and shown.answers[at].quotes:
        return place_of(shown.answers[at].quotes)
    if kind == "p" and at < len(judgement.passages):
        passage = judgement.passages[at]
        return Place(passage.page_sha256, passage.url, ((passage.start, passage.end),))
    if kind == "s" and at < len(judgement.searched):
        url = judgement.searched[at]
        page = asked.office.desk.pages.at(shown.item.run_id, url)
        return Place(page.sha256, url) if page else None
    if quotes:
        return place_of(quotes)
    return _place(asked, shown, "p0") if judgement.passages and view != "p0" else None
