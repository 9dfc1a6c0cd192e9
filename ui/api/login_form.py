"""The page on which one password lets a class in: whole in itself, for whoever sees it may load nothing else yet."""

from __future__ import annotations

import html
from functools import cache

from starlette.responses import HTMLResponse

from ui.api.assets import COMPONENTS
from ui.theme import DARK, LIGHT

NO_STORE = {"Cache-Control": "no-store"}
_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
       background: var(--background); color: var(--text); }
main { width: min(22rem, 90vw); display: grid; gap: 1rem; }
svg { height: 2.2rem; width: auto; justify-self: start; }
h1 { font: 600 1.4rem serif; margin: 0; }
form, label { display: grid; gap: .5rem; }
p { margin: 0; }
input, button { font: inherit; padding: .5rem .7rem; border-radius: .5rem; }
input { border: 1px solid var(--field); background: var(--surface); color: inherit; }
button { border: 0; background: var(--primary); color: var(--on-primary); cursor: pointer; }
[role=alert] { color: var(--bad); }
"""


@cache
def _inks() -> str:
    return "".join(f"--{name}: light-dark({light}, {DARK[name]}); " for name, light in LIGHT.items())


@cache
def _mark() -> str:
    return (COMPONENTS.parent / "assets" / "mark.svg").read_text(encoding="utf-8")


def login_form(problem: str = "", status: int = 401, wait: float = 0.0) -> HTMLResponse:
    """One field. It is sent to the address it stands at, and leads back there. ``wait``: seconds before the next attempt."""
    alert = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Log in · MF Explorer</title><style>:root {{ {_inks()}}} {_STYLE}</style></head>
<body><main>{_mark()}<h1>MF Explorer</h1>
<form method="post"><label>Password
<input type="password" name="password" autocomplete="current-password" required autofocus></label>
{alert}<button>Log in</button></form>
<p>Whoever runs this server has told you the password. What you train here belongs to this browser.</p></main></body></html>"""
    more = {"Retry-After": str(max(1, round(wait)))} if wait else {}
    return HTMLResponse(page, status, {**NO_STORE, **more})
