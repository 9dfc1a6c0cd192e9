"""How people are let in is read in one place; what makes no sense keeps the server from starting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mfcore.errors import UnusableRequest
from tests.ui.conftest import SetAccess
from ui import access as module
from ui.access import Access, access, read_access


def test_nothing_is_asked_unless_somebody_says_so() -> None:
    assert read_access({}, {}) == Access() == Access("none", read_only=False)
    assert not Access().accounts


def test_a_password_alone_means_that_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\nand a remark\n")
    for environment in ({"MF_EXPLORER_PASSWORD": "correct horse"}, {"MF_EXPLORER_PASSWORD_FILE": str(file)}):
        found = read_access(environment, {})
        assert (found.login, found.password, found.accounts) == ("password", "correct horse", True)
        assert "correct horse" not in repr(found), "settings may be printed"


def test_the_environment_goes_before_the_secrets() -> None:
    secrets = {"login": "oidc", "admins": ["ann@example.org", " 1002 "], "members": "@example.org, x@y.z", "read_only": True}
    found = read_access({}, secrets)
    assert found == Access("oidc", "", "", frozenset({"ann@example.org", "1002"}), frozenset({"@example.org", "x@y.z"}), True)
    assert not read_access({"MF_EXPLORER_READ_ONLY": "0"}, secrets).read_only
    assert read_access({"MF_EXPLORER_ADMINS": "eve@example.org"}, secrets).admins == {"eve@example.org"}


@pytest.mark.parametrize(
    ("environment", "secrets", "why"),
    [
        ({"LOGIN": "oicd"}, {}, "login must be one of"),
        ({"LOGIN": "password"}, {}, "at least 8 characters"),
        ({"PASSWORD": "short"}, {}, "at least 8 characters"),
        ({"PASSWORD": "correct horse", "ADMIN_PASSWORD": "short"}, {}, "admin_password must have at least 8"),
        ({"PASSWORD": "correct horse", "ADMIN_PASSWORD": "correct horse"}, {}, "must differ"),
        ({"PASSWORD": "correct horse", "LOGIN": "oidc"}, {}, "login is not password"),
        ({"PASSWORD": "correct horse", "LOGIN": "none"}, {}, "login is not password"),
        ({"PASSWORD": "correct horse", "PASSWORD_FILE": "x"}, {}, "not both"),
        ({"PASSWORD_FILE": "/nowhere/at/all"}, {}, "cannot be read"),
        ({"READ_ONLY": "perhaps"}, {}, "read_only must be true or false"),
        ({"MEMBERS": "@example.org"}, {}, "for login oidc only"),
        ({}, {"passwort": "x"}, "passwort not understood"),
        ({}, {"admins": 5}, "admins must be a list of names"),
        ({}, {"password": 12345678}, "password must be text"),
    ],
)
def test_what_makes_no_sense_is_refused(environment: dict[str, str], secrets: dict[str, Any], why: str) -> None:
    with pytest.raises(UnusableRequest, match=why):
        read_access({f"MF_EXPLORER_{name}": value for name, value in environment.items()}, secrets)


AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x" * 32, "client_id": "a", "client_secret": "b",
    "server_metadata_url": "https://example.org/.well-known/openid-configuration",
}  # fmt: skip


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({}, "needs redirect_uri"),
        ({**AUTH, "cookie_secret": "short"}, "cookie_secret in .* at least 32"),
        ({name: AUTH[name] for name in ("redirect_uri", "cookie_secret")}, "needs client_id"),
        (AUTH, ""),
        ({"redirect_uri": AUTH["redirect_uri"], "cookie_secret": "x" * 32, "school": {"client_id": "a"}}, ""),
    ],
)
def test_a_provider_has_to_be_described(
    auth: dict[str, Any], why: str, set_access: SetAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_access(login="oidc")
    monkeypatch.setattr(module, "_secrets", lambda section: auth if section == "auth" else {})
    if why:
        with pytest.raises(UnusableRequest, match=why):
            access()
    else:
        assert access().login == "oidc"
        assert module.providers() == ([""] if "client_id" in auth else ["school"])


def test_a_provider_takes_authlib(set_access: SetAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    set_access(login="oidc")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnusableRequest, match=r"pip install 'mf-explorer\[login\]'"):
        access()
