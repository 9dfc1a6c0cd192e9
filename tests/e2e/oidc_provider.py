"""An OpenID Connect provider on this machine, for tests: whoever comes chooses on its page who they are.

Discovery, authorization with PKCE, tokens signed with RS256, keys, userinfo and the end of a session; loopback HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "mf-explorer", "a-secret-between-the-two-of-them"
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"sub": "1001", "name": "Ann Example", "email": "ann@example.org", "email_verified": True},
    "bob": {"sub": "1002", "name": "Bob Example", "email": "bob@example.org", "email_verified": True},
    "eve": {"sub": "1003", "name": "Ann Example", "email": "ann@example.org", "email_verified": False},
}


class Provider(ThreadingHTTPServer):
    """Use as a context manager; ``issuer`` has no slash at its end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def secrets_toml(self, app_url: str) -> str:
        """The section [auth] of an app at ``app_url``."""
        lines = {
            "redirect_uri": f"{app_url}/oauth2callback",
            "cookie_secret": secrets.token_urlsafe(32),
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
        }
        return "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())

    def configuration(self) -> dict[str, Any]:
        endpoints = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "logout"}
        return {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in endpoints.items()},
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }

    def id_token(self, who: str, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": asked["nonce"], **PEOPLE[who]}
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/.well-known/openid-configuration":
            self._json(self.server.configuration())
        elif url.path == "/jwks":
            self._json({"keys": [self.server.key.as_dict(private=False)]})
        elif url.path == "/authorize":
            self._authorize(query)
        elif url.path == "/userinfo":
            who = self.server.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            self._json(PEOPLE[who] if who else {}, 200 if who else 401)
        elif url.path == "/logout":
            self._redirect(query["post_logout_redirect_uri"])
        else:
            self._json({}, 404)

    def _authorize(self, query: dict[str, str]) -> None:
        """Without ``who`` the page that asks who one is; with it, back to the app with a code."""
        assert query["client_id"] == CLIENT and query["code_challenge_method"] == "S256"
        who = query.pop("who", None)
        if who is None:
            links = (f'<p><a href="?{urlencode({**query, "who": name})}">{name}</a></p>' for name in PEOPLE)
            self._send(f"<!doctype html><title>Who are you?</title>{''.join(links)}".encode(), "text/html")
            return
        code = secrets.token_urlsafe(16)
        self.server.codes[code] = {**query, "who": who}
        self._redirect(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.server.codes.pop(form.get("code", [""])[0], None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or self.headers.get("Authorization") != f"Basic {basic}":
            self._json({"error": "invalid_grant"}, 400)
            return
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        token = secrets.token_urlsafe(16)
        self.server.tokens[token] = asked["who"]
        id_token = self.server.id_token(asked["who"], asked)
        self._json({"access_token": token, "token_type": "Bearer", "expires_in": 600, "id_token": id_token})

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
