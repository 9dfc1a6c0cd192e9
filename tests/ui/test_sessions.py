"""Cookies that tell browsers apart, and the table of those that are let in."""

from __future__ import annotations

import pytest

from ui.sessions import Session, Sessions, browser_id, cookie_in, new_cookie

ANN = Session("b-ann", "Ann", login="ann's first")


def test_a_new_key_keeps_the_visitor_and_a_new_visitor_does_not() -> None:
    cookie = new_cookie()
    again, other = new_cookie(cookie), new_cookie(cookie, same_visitor=False)
    assert len({cookie, again, other, new_cookie()}) == 4
    assert browser_id(again) == browser_id(cookie) != browser_id(other)
    assert cookie.partition(".")[0] not in browser_id(cookie) and browser_id("") == ""


def test_only_what_we_could_have_set_is_read() -> None:
    cookie, other = new_cookie(), new_cookie()
    assert cookie_in([f"a=b; mfx_visitor={cookie}"]) == cookie
    assert cookie_in(["a=b", f"mfx_visitor={cookie}; mfx_visitor={other}"]) == cookie
    for value in ("", "x", f"{cookie}x", cookie.replace(".", ""), f'"{cookie}"', "ü" * 65):
        assert cookie_in([f"mfx_visitor={value}"]) == ""


def test_a_cookie_stands_for_whom_it_was_given_to_and_a_forged_one_for_nobody() -> None:
    sessions, cookie = Sessions(), new_cookie()
    sessions.let_in(cookie, ANN)
    found = sessions.find(cookie)
    assert found is not None and (found.id, found.name) == ("b-ann", "Ann")
    assert sessions.find(new_cookie(cookie)) is None, "the same visitor with a key that was never given out"
    assert sessions.find("") is None


def test_who_is_idle_for_long_is_forgotten() -> None:
    now = [0.0]
    sessions, cookie = Sessions(idle=100, clock=lambda: now[0]), new_cookie()
    sessions.let_in(cookie, ANN)
    for now[0] in (90.0, 180.0, 270.0):
        assert sessions.find(cookie)
    now[0] = 371.0
    assert sessions.find(cookie) is None
    now[0] = 300.0
    assert sessions.find(cookie) is None, "it does not come back"


def test_of_too_many_the_one_seen_longest_ago_goes() -> None:
    sessions, cookies = Sessions(most=3), [new_cookie() for _ in range(4)]
    for cookie in cookies[:3]:
        sessions.let_in(cookie, ANN)
    assert sessions.find(cookies[0])
    sessions.let_in(cookies[3], ANN)
    assert [sessions.find(cookie) is not None for cookie in cookies] == [True, False, True, True]


def test_a_log_out_ends_every_browser_tab_of_that_log_in_and_no_other() -> None:
    sessions, first, second, later = Sessions(), new_cookie(), new_cookie(), new_cookie()
    sessions.let_in(first, ANN)
    sessions.let_in(second, ANN)
    sessions.let_in(later, Session("b-ann", "Ann", login="ann's second"))
    sessions.end(first, ANN.login)
    assert [sessions.find(cookie) is not None for cookie in (first, second, later)] == [False, False, True]
    for cookie in (first, second, new_cookie()):  # a page that stayed open says once more who it is
        sessions.let_in(cookie, ANN)
        assert sessions.find(cookie) is None
    assert sessions.ended(login=ANN.login) and sessions.ended(cookie=first) and not sessions.ended(cookie=later)


def test_log_outs_are_remembered_in_bounded_number() -> None:
    sessions = Sessions(most=5)
    for number in range(50):
        sessions.end(new_cookie(), f"login {number}")
    assert len(sessions._ended) == 5


def test_a_name_stays_when_a_page_says_again_who_it_is() -> None:
    sessions, cookie = Sessions(), new_cookie()
    sessions.let_in(cookie, ANN)
    sessions.rename(cookie, "Annie")
    sessions.let_in(cookie, ANN)
    found = sessions.find(cookie)
    assert found is not None and found.name == "Annie"
    sessions.rename(new_cookie(), "nobody")


@pytest.mark.parametrize("cookie", [""])
def test_without_a_cookie_nobody_is_let_in(cookie: str) -> None:
    sessions = Sessions()
    sessions.let_in(cookie, ANN)
    assert sessions.find(cookie) is None
