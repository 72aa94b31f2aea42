"""Who may do what, and what a person must not see."""

from __future__ import annotations

import pytest
from queue_data import item, judgement, walked

from pipeline.models import Action, Flag, Role, User, Verdict
from pipeline.review.team import Sight, Team

A, B, C = (User(name=name, role=Role.REVIEWER) for name in "ABC")
J = User(name="J", role=Role.ADJUDICATOR)
N = User(name="N", role=Role.ANALYST)
PEOPLE = {one.name: one for one in (A, B, C, J, N)}
FULL = Team((A, B, C, J, N), share=0.2)
DOUBTFUL = judgement(flags=(Flag.LOW_CONFIDENCE,))  # drawn by any share


@pytest.mark.parametrize(
    ("users", "share", "doubling"),
    [
        ((A, B, J), 0.2, 0.2),
        ((A, B, J, N), 0.0, 0.0),
        ((A, J), 0.2, 0.0),  # nobody to code a second time
        ((A, B), 0.2, 0.0),  # nobody to settle
        ((A, B, N), 0.2, 0.0),
        ((A, B.model_copy(update={"active": False}), J), 0.2, 0.0),
        ((), 1.0, 0.0),
    ],
)
def test_double_coding_needs_two_coders_and_an_adjudicator(
    users: tuple[User, ...], share: float, doubling: float
) -> None:
    assert Team(users, share).doubling == doubling


@pytest.mark.parametrize(
    ("steps", "who", "sight"),
    [
        ("", "A", Sight.BLIND),
        ("", "J", Sight.ALL),
        ("", "N", Sight.ALL),
        ("A code not_met", "A", Sight.OWN),
        ("A code not_met", "B", Sight.BLIND),
        ("A code not_met", "J", Sight.PARTIAL),
        ("A code not_met", "N", Sight.PARTIAL),
        ("A code not_met, A undo", "A", Sight.BLIND),
        ("A approve, A undo", "A", Sight.ALL),  # decided before there was a team: A has seen the proposal
        ("A code not_met, B code met", "A", Sight.ALL),
        ("A code not_met, B code met", "C", Sight.ALL),
        ("A code met, B code met", "C", Sight.ALL),
    ],
)
def test_what_is_seen_of_a_drawn_item(steps: str, who: str, sight: Sight) -> None:
    one = walked(steps, DOUBTFUL)
    assert FULL.sight(PEOPLE[who], one) is sight


def test_what_is_not_drawn_is_seen_by_all() -> None:
    certain = judgement(judge="probe")
    assert all(FULL.sight(one, item(certain)) is Sight.ALL for one in PEOPLE.values())


@pytest.mark.parametrize(
    ("steps", "who", "action", "why"),
    [
        ("", "N", Action.APPROVE, "an analyst reads"),
        ("", "N", Action.NOTE, "an analyst reads"),
        ("", "A", Action.APPROVE, "drawn for double coding"),
        ("", "J", Action.APPROVE, "drawn for double coding"),
        ("", "A", Action.CODE, ""),
        ("A approve, A undo", "A", Action.CODE, "not drawn"),
        ("A approve, A undo", "A", Action.APPROVE, ""),
        ("", "J", Action.CODE, "do not code themselves"),
        ("", "A", Action.NOTE, ""),
        ("A code met", "B", Action.CODE, ""),
        ("A code met", "B", Action.REJECT, "awaits its second"),
        ("A code met", "J", Action.AMEND, "awaits its second"),
        ("A code met", "A", Action.UNDO, ""),
        ("A code met", "B", Action.UNDO, "only the person who took the last step"),
        ("A code met", "J", Action.UNDO, ""),
        ("A code met, B code not_met", "C", Action.APPROVE, "an adjudicator decides"),
        ("A code met, B code not_met", "C", Action.CODE, "nobody is blind"),
        ("A code met, B code not_met", "B", Action.UNDO, "both codings are in"),
        ("A code met, B code not_met", "J", Action.APPROVE, ""),
        ("A code met, B code not_met, J approve", "A", Action.UNDO, "only the person"),
        ("A code met, B code not_met, J approve", "A", Action.RETURN, ""),
    ],
)
def test_who_may_do_what_with_a_drawn_item(steps: str, who: str, action: Action, why: str) -> None:
    one = walked(steps, DOUBTFUL)
    refused = FULL.forbidden(PEOPLE[who], action, one)
    assert why in refused and bool(refused) == bool(why)


@pytest.mark.parametrize(("who", "why"), [("A", ""), ("B", "returned to A"), ("J", "")])
def test_a_returned_item_is_for_whoever_had_decided(who: str, why: str) -> None:
    plain = judgement(judge="probe")
    one = walked("A approve, J return", plain)
    refused = FULL.forbidden(PEOPLE[who], Action.APPROVE, one)
    assert why in refused and bool(refused) == bool(why)


def test_a_disabled_person_does_nothing() -> None:
    gone = A.model_copy(update={"active": False})
    assert FULL.forbidden(gone, Action.APPROVE, item(judgement(judge="probe")))


def test_two_who_agree_decide_together() -> None:
    from pipeline.store.log import standing

    held = standing(walked("A code met, B code met", DOUBTFUL).decisions)
    assert held and (held.verdict, held.reviewer) == (Verdict.MET, "A, B")
