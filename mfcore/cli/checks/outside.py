"""Checks of a served address as a browser meets it, whatever stands between. Nothing to say without an address."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from mfcore.cli.checks.asking import OURS, SEE_LOG, Answer, ask, open_web_socket
from mfcore.cli.checks.finding import Circumstances, Finding, note, ok, problem
from mfcore.paths import reason

HEADERS = (
    *("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy"),
    *("Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"),
)
"""Those of ui/api/headers.py; a test holds the two together."""
STREAM = "/_stcore/stream"
"""Where Streamlit's page talks to its server."""
_FORWARD = "let the proxy pass on the headers Upgrade and Connection, by HTTP/1.1: see deploy/nginx.conf"
_PREFIX = "let the proxy strip the prefix, or start the server with --base-url-path and it"


def health(given: Circumstances) -> Iterator[Finding]:
    """What /healthz says there."""
    if given.url is None:
        return
    try:
        answer = ask(given.url, "/healthz")
    except (OSError, ValueError) as error:
        yield problem(f"{given.url} does not answer ({reason(error)})", "is the server started, the name right, the proxy up?")
        return
    told = answer.object()
    if told.get("status") == OURS:
        yield ok(f"{given.url}/healthz: an MF Explorer, which can train")
    elif "why" in told:
        yield problem(f"an MF Explorer answers, and {told.get('status')}: {'; '.join(map(str, told['why']))}", SEE_LOG)
    else:
        yield _no_health(given.url, answer)


def prefix(given: Circumstances) -> Iterator[Finding]:
    """That pages and our own routes both lie below the address, with and without a slash at its end."""
    if given.url is None or not _answers(given.url):
        return
    page, queue = ask(given.url, "/"), ask(given.url, "/api/queue")
    if page.status != 200 or page.kind != "text/html":
        yield problem(f"there is no page at {given.url}/ (status {page.status}, {page.kind or 'no type'})", _PREFIX)
    elif queue.status != 200 or queue.kind != "application/json":
        yield problem(f"the page is there, and {given.url}/api/queue is not (status {queue.status}, {queue.kind})", _PREFIX)
    else:
        yield ok(f"the page and its routes answer below {urlsplit(given.url).path or '/'}")
    if not urlsplit(given.url).path:
        return
    bare = ask(given.url, "")
    goes_to = urljoin(given.url, bare.headers.get("location", ""))
    if not (bare.status == 200 and bare.kind == "text/html") and not (300 <= bare.status < 400 and goes_to == f"{given.url}/"):
        yield note(
            f"without a slash at its end it answers {bare.status}, not a way to {given.url}/", "let the proxy redirect to it"
        )


def headers(given: Circumstances) -> Iterator[Finding]:
    """That the security headers come through, on a page and on a route."""
    if given.url is None or not _answers(given.url):
        return
    for path in ("/", "/healthz"):
        answer = ask(given.url, path)
        missing = [name for name in HEADERS if name.lower() not in answer.headers]
        if missing:
            yield problem(f"{path} comes without {', '.join(missing)}", "let the proxy pass the headers of the answers on")
            return
        if "frame-ancestors" not in answer.headers["content-security-policy"]:
            yield problem(f"{path} has another Content-Security-Policy than ours", "take the proxy's own header away")
            return
    yield ok("all security headers come through")
    if urlsplit(given.url).scheme == "http" and urlsplit(given.url).hostname not in ("localhost", "127.0.0.1", "::1"):
        yield note("the address is not encrypted: whoever is between reads and changes what is sent", "serve it by https")


def web_socket(given: Circumstances) -> Iterator[Finding]:
    """That the connection which pages live on can be opened."""
    if given.url is None or not _answers(given.url):
        return
    try:
        answer = open_web_socket(given.url, STREAM, protocol="streamlit")
    except (OSError, ValueError) as error:
        yield problem(f"{STREAM} cannot be opened ({reason(error)}); pages stay empty", _FORWARD)
        return
    if answer.status == 101:
        yield ok(f"{STREAM} is opened; that it stays open for minutes cannot be seen at once (read timeout of the proxy)")
    elif answer.status == 403:
        cure = "let the proxy pass on the header Host as it came; start the server with --allow-host and this name"
        yield problem(f"{STREAM} is refused (403): the server takes it for another site's; pages stay empty", cure)
    else:
        yield problem(f"{STREAM} answers {answer.status} and is not opened; pages stay empty", _FORWARD)


def other_names(given: Circumstances) -> Iterator[Finding]:
    """That a name which is not this server's is not answered."""
    if given.url is None or not _answers(given.url):
        return
    answer = ask(given.url, "/healthz", host="doctor.invalid")
    if answer.status == 200 and answer.object():
        cure = "start the server with --allow-host and its names alone; let the proxy pass on the header Host as it came"
        yield problem("it answers to any name: another site can take it for its own (DNS rebinding)", cure)
    else:
        yield ok(f"another name gets nothing from it (status {answer.status})")


def _no_health(url: str, answer: Answer) -> Finding:
    if answer.status == 421:
        name = urlsplit(url).hostname
        return problem(f"the server does not answer to {name}", f"start it with --allow-host {name}")
    if 300 <= answer.status < 400:
        return problem(f"it sends one to {answer.headers.get('location', 'nowhere')}", "give that address to --url")
    if answer.status in (502, 503, 504):
        return problem(
            f"a proxy answers, and reaches no server ({answer.status})", "start the server; look at the proxy's address for it"
        )
    if answer.status in (401, 403):
        return note(f"something in front asks who one is ({answer.status})", "look from behind it: --url http://localhost:8501")
    kind = answer.kind or "no type"
    return problem(f"{url}/healthz is not this app's (status {answer.status}, {kind})", _PREFIX)


def _answers(url: str) -> bool:
    """Whether there is something to look at; what is wrong else, the first check has told."""
    try:
        told = ask(url, "/healthz").object()
    except (OSError, ValueError):
        return False
    return "status" in told
