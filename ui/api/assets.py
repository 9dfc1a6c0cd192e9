"""What the browser may keep for ever: plotly.js of the installed package and the modules of our components.

``GET /api/assets/<version>/<file>``: the version is a digest of the contents (of plotly.js: its version), so an address never
means anything else. Modules are served as they stand in ``ui/components``; nothing is built.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.api.answers import refusal

COMPONENTS = Path(__file__).resolve().parent.parent / "components"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True)
class Script:
    """JavaScript, gzipped once a process."""

    packed: bytes
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "etag", f'"{hashlib.sha256(self.packed).hexdigest()[:16]}"')

    def answer(self, request: Request) -> Response:
        """Compressed where the browser takes it (all do); nothing but "unchanged" where it has it."""
        headers = {**_FOR_EVER, "ETag": self.etag}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(self.packed), media_type="text/javascript", headers=headers)
        return Response(self.packed, media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"})


def _packed(text: bytes) -> Script:
    return Script(gzip.compress(text, compresslevel=6, mtime=0))


@cache
def plotly_url() -> str:
    """Route of plotly.js of the installed version."""
    return f"/api/assets/plotly-{importlib.metadata.version('plotly')}/plotly.js"


@cache
def plotly_script() -> Script:
    """plotly.js of the installed package (about 1.5 MB instead of 4.8)."""
    from plotly.offline import get_plotlyjs

    return _packed(get_plotlyjs().encode())


@cache
def _modules() -> tuple[str, dict[str, Script]]:
    """A digest of all modules, and each by its path below the components' folder."""
    texts = {path.relative_to(COMPONENTS).as_posix(): path.read_bytes() for path in sorted(COMPONENTS.glob("*/*.js"))}
    digest = hashlib.sha256(b"\0".join(part for name, text in texts.items() for part in (name.encode(), text)))
    return digest.hexdigest()[:16], {name: _packed(text) for name, text in texts.items()}


def module_urls(component: str) -> list[str]:
    """Routes of the modules that a component is made of; the one to import comes first."""
    version, scripts = _modules()
    names = [name for name in scripts if name.startswith((f"{component}/", "shared/"))]
    main = f"{component}/main.js"
    return [f"/api/assets/{version}/{name}" for name in sorted(names, key=lambda name: (name != main, name))]


def asset(request: Request) -> Response:
    """One of the files above; 404 for everything else."""
    path = request.path_params["path"]
    if f"/api/assets/{path}" == plotly_url():
        return plotly_script().answer(request)
    version, scripts = _modules()
    wanted, _, name = path.partition("/")
    script = scripts.get(name) if wanted == version else None
    return script.answer(request) if script else refusal(404, "there is no such file")


ROUTES = [Route("/api/assets/{path:path}", asset, methods=["GET"])]
