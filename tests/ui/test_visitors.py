"""The one rule of who may see and change what, and whom a provider's claims stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request

from tests.ui.conftest import SetAccess
from ui import visitors
from ui.sessions import Sessions, new_cookie
from ui.visitors import (
    STRANGER,
    Visitor,
    account_id,
    asking,
    called,
    is_member,
    is_named,
    login_of,
    may_change,
    may_see,
    why_not_change,
)


@dataclass(frozen=True)
class Thing:
    owner: str = ""
    shared: bool = False
    shared_by: str = ""


ANN = Visitor("ann", "Ann", let_in=True, may_write=True, account=True)
BOB = Visitor("bob", "Bob", let_in=True, may_write=True, account=True)
ADMIN = Visitor("root", "Root", let_in=True, may_write=True, admin=True, account=True)
GUEST = Visitor("ann", "Ann", let_in=True, account=True)  # of a server for looking only
ANYBODY = Visitor("b-1", let_in=True, may_write=True, admin=True)  # without accounts
WRITELESS = Visitor("b-1", let_in=True, admin=True)
THINGS = {"ann's": Thing("ann"), "ann's, shared": Thing("ann", True), "nobody's": Thing(), "unreadable": Thing("?")}


@pytest.mark.parametrize(
    ("visitor", "sees", "changes"),
    [
        (ANN, {"ann's", "ann's, shared", "nobody's"}, {"ann's", "ann's, shared"}),
        (BOB, {"ann's, shared", "nobody's"}, set()),
        (ADMIN, set(THINGS), set(THINGS)),
        (GUEST, {"ann's", "ann's, shared", "nobody's"}, set()),
        (ANYBODY, set(THINGS), set(THINGS)),
        (WRITELESS, set(THINGS), set()),
        (STRANGER, set(), set()),
    ],
)
def test_the_rule(visitor: Visitor, sees: set[str], changes: set[str]) -> None:
    assert {name for name, thing in THINGS.items() if may_see(visitor, thing)} == sees
    assert {name for name, thing in THINGS.items() if may_change(visitor, thing)} == changes
    for name, thing in THINGS.items():
        assert (why_not_change(visitor, thing) == "") is (name in changes)


def test_what_is_made_belongs_to_nobody_without_accounts() -> None:
    assert (ANYBODY.owner, ANN.owner, STRANGER.owner) == ("", "ann", "")


def request(cookie: str = "") -> Request:
    headers = [(b"cookie", f"mfx_visitor={cookie}".encode())] if cookie else []
    return Request({"type": "http", "headers": headers})


def test_without_accounts_browsers_are_told_apart_and_all_may_do_everything(set_access: SetAccess, sessions: Sessions) -> None:
    set_access()
    first, second = new_cookie(), new_cookie()
    visitor = asking(request(first))
    assert visitor.let_in and visitor.may_write and visitor.admin and not visitor.account and visitor.owner == ""
    assert visitor.id == asking(request(first)).id != asking(request(second)).id
    assert asking(request()).id == asking(request("forged")).id == "" and asking(request()).may_write


def test_read_only_takes_writing_from_all(set_access: SetAccess, sessions: Sessions) -> None:
    set_access(read_only="1")
    assert asking(request(new_cookie())).let_in and not asking(request(new_cookie())).may_write


def test_outside_of_a_page_nobody_looks_at_one(set_access: SetAccess, sessions: Sessions) -> None:
    set_access(password="correct horse")
    assert visitors.me() == STRANGER
    assert asking(request(new_cookie())) == STRANGER


CLAIMS: dict[str, Any] = {
    "iss": "https://a.example", "sub": "Ab1", "name": " Ann\n Example ", "email": "Ann@Example.org", "email_verified": True,
}  # fmt: skip


def test_a_person_is_issuer_and_subject_and_nothing_else() -> None:
    same = {**CLAIMS, "name": "Another", "email": "x@y.z", "iat": 5}
    assert account_id(same) == account_id(CLAIMS)
    others = [{**CLAIMS, "sub": "ab1"}, {**CLAIMS, "iss": "https://b.example"}, {"iss": "https://a.exampleAb1", "sub": ""}]
    assert len({account_id(one) for one in [CLAIMS, *others]}) == 4
    assert login_of(same) != login_of(CLAIMS) == login_of(dict(reversed(CLAIMS.items())))


@pytest.mark.parametrize(
    ("claims", "names", "named"),
    [
        ({}, {"ann@example.org"}, True),
        ({}, {"@EXAMPLE.org"}, True),
        ({}, {"Ab1"}, True),
        ({}, {"ab1"}, False),
        ({}, {"@ample.org", "nn@example.org"}, False),
        ({}, set(), False),
        ({"email_verified": False}, {"ann@example.org", "@example.org"}, False),
        ({"email_verified": "true"}, {"ann@example.org"}, False),
        ({"sub": "root@example.org"}, {"root@example.org"}, False),
        ({"email": ""}, {"", "@"}, False),
        ({"email": "@example.org@evil.example"}, {"@example.org"}, False),
    ],
)
def test_whom_a_list_names(claims: dict[str, Any], names: set[str], named: bool) -> None:
    assert is_named({**CLAIMS, **claims}, frozenset(names)) is named


def test_who_is_let_in() -> None:
    assert is_member(CLAIMS, frozenset()) and is_member(CLAIMS, frozenset({"@example.org"}))
    assert not is_member(CLAIMS, frozenset({"@elsewhere.org"}))
    assert not is_member({"name": "nobody"}, frozenset()), "a log-in without a subject is none"


def test_what_people_are_called() -> None:
    assert called(CLAIMS) == "Ann Example"
    assert called({"email": "a@b.c"}) == "a@b.c" and called({}) == "somebody"
    assert len(called({"name": "x" * 500})) == 60
