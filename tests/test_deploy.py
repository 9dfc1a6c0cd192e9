"""What deploy/ says about the app is true of it: ports, variables, routes, what is copied, what a proxy has to pass on.

The files themselves are tried by scripts/dockerfile_steps.py, and where nginx, Caddy or systemd is at hand, by those.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mfcore import log
from mfcore.cli.checks import machine
from mfcore.cli.checks.serving import DEFAULT_PORT
from mfcore.cli.parser import build_parser
from mfcore.paths import HOME_VARIABLE
from scripts.dockerfile_steps import Image, in_context, rules, steps
from ui.api.routes import ROUTES

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PORT = str(DEFAULT_PORT)


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def uncommented(name: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", read(name))


def docker() -> dict[str, list[str]]:
    """Arguments of every instruction of the Dockerfile."""
    found: dict[str, list[str]] = {}
    for word, rest in steps(read("Dockerfile")):
        found.setdefault(word, []).append(rest)
    return found


def settings() -> dict[str, Any]:
    stated: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    return stated


# --- the container --------------------------------------------------------------------------------------------------------


def test_the_image_has_all_that_a_wheel_has() -> None:
    """Whatever the wheel holds is needed to serve; a new top-level package has to be in both."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {name.split("/")[0] for name in wheel["only-include"]} | {"app.py", "requirements.txt", "pyproject.toml"}
    copied = {source for rest in docker()["COPY"] for source in rest.split()[:-1]}
    assert copied == needed


def test_what_is_copied_is_sent_to_the_engine_and_nothing_else_is() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    sent = {name for name in listed if in_context(name, rules())}
    app = {name for name in listed if name.split("/")[0] in ("mfcore", "ui", "pages", ".streamlit")}
    assert sent == {name for name in app if not name.endswith(".test.js")} | {"app.py", "requirements.txt", "pyproject.toml"}
    for name in (".git/config", "var/runs/x/config.json", ".venv/bin/python", "mfcore/__pycache__/x.pyc", ".env"):
        assert not in_context(name, rules())


def test_the_image_serves_as_its_own_user_with_its_data_on_a_volume() -> None:
    found = docker()
    order = [word for word, _ in steps(read("Dockerfile"))]
    (user,) = found["USER"]
    assert user not in ("root", "0") and "useradd --system --uid 10001 --user-group --create-home" in found["RUN"][0]
    assert found["RUN"][0].split(" && ")[0].endswith(user)
    assert max(i for i, word in enumerate(order) if word in ("RUN", "COPY")) < order.index("USER"), "the code is not its own"
    assert f"{HOME_VARIABLE}={found['VOLUME'][0]}" in found["ENV"]
    assert found["EXPOSE"] == [PORT] and found["STOPSIGNAL"] == ["SIGTERM"]


def test_the_image_is_built_on_a_python_that_is_tested() -> None:
    (base,) = docker()["FROM"]
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim", base)
    assert version is not None
    assert machine.OLDEST <= (int(version[1]), int(version[2])) <= machine.NEWEST


def test_commands_of_container_and_service_are_ours() -> None:
    found, parser = docker(), build_parser()
    assert json.loads(found["ENTRYPOINT"][0]) == ["python", "-m", "mfcore"]
    options = parser.parse_args(json.loads(found["CMD"][0]))
    assert options.host == "0.0.0.0" and options.port is None and settings()["server"].get("port", DEFAULT_PORT) == DEFAULT_PORT
    compose = re.search(r"command: (\[.*\])", read("compose.yaml"))
    assert compose is not None
    assert parser.parse_args(json.loads(compose[1])).host == "0.0.0.0"
    service = re.search(r"^ExecStart=\S*/mf-explorer (.*)$", read("mf-explorer.service"), re.MULTILINE)
    assert service is not None
    options = parser.parse_args(service[1].split())
    assert (options.host, options.port) == ("127.0.0.1", PORT)


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_health_is_asked_for_where_it_is_told(name: str) -> None:
    assert "/healthz" in {route.path for route in ROUTES}
    (asked,) = re.findall(r"urlopen\('([^']+)', timeout=4\)", uncommented(name))
    assert asked == f"http://127.0.0.1:{PORT}/healthz"


def test_compose_names_what_there_is() -> None:
    text = uncommented("compose.yaml")
    assert f'"127.0.0.1:{PORT}:{PORT}"' in text, "open to this machine alone"
    assert f"{log.VARIABLE}: ${{{log.VARIABLE}:-{log.FORMS[0]}}}" in text
    assert re.search(r"data:(\S+)", text)[1] == docker()["VOLUME"][0]  # type: ignore[index]
    assert "dockerfile: deploy/Dockerfile" in text and "./Caddyfile:" in text
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == {"TORCH_INDEX", "LAB_HOST", "LAB_MEMORY", log.VARIABLE}
    for word in ("restart: unless-stopped", "mem_limit:", "healthcheck:", "read_only: true", "no-new-privileges:true"):
        assert word in text
    if importlib.util.find_spec("yaml") is not None:
        import yaml  # type: ignore[import-untyped,import-not-found,unused-ignore]

        services = yaml.safe_load(read("compose.yaml"))["services"]
        assert set(services) == {"lab", "proxy"} and services["proxy"]["environment"]["LAB_UPSTREAM"] == f"lab:{PORT}"


def test_steps_are_carried_out_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "FROM python\n# a remark\nARG WHO=world\nENV HOME_OF=/data \\\n    TWO=2\nWORKDIR /app\nCOPY app.py ./\n"
        'COPY .streamlit ./.streamlit\nRUN mkdir -p /data && echo "$WHO $TWO" > "$HOME_OF/said"\nCMD ["a", "b"]\n'
    )
    image = Image(tmp_path, {"PATH": "/usr/bin:/bin"})
    for word, rest in steps(text):
        image.step(word, rest)
    assert (tmp_path / "data" / "said").read_text() == "world 2\n"
    assert image.environment["HOME_OF"] == f"{tmp_path}/data" and image.command == ["a", "b"]
    assert (tmp_path / "app" / "app.py").read_bytes() == (ROOT / "app.py").read_bytes()
    assert (tmp_path / "app" / ".streamlit" / "config.toml").is_file()
    with pytest.raises(SystemExit, match="nothing of it is sent"):
        image.step("COPY", "tests ./tests")


# --- the service ----------------------------------------------------------------------------------------------------------


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in uncommented("mf-explorer.service").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def test_the_service_keeps_its_data_where_it_says_and_stops_as_we_do() -> None:
    found = unit()
    assert f"{HOME_VARIABLE}=%S/{found['StateDirectory'][0]}" in found["Environment"]
    assert f"{log.VARIABLE}={log.FORMS[0]}" in found["Environment"]
    wanted = {
        **{"KillSignal": "SIGTERM", "KillMode": "mixed", "Restart": "on-failure", "NoNewPrivileges": "yes"},
        **{"ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "CapabilityBoundingSet": ""},
    }
    assert {key: found[key] for key in wanted} == {key: [value] for key, value in wanted.items()}
    assert int(found["TimeoutStopSec"][0]) >= 15, "the watch over the runs may take ten seconds to end"
    assert "MemoryDenyWriteExecute" not in found, "code is compiled while it trains"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_service(tmp_path: Path) -> None:
    path = tmp_path / "mf-explorer.service"
    path.write_text(read("mf-explorer.service").replace("/opt/mf-explorer/bin/mf-explorer", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- proxies --------------------------------------------------------------------------------------------------------------


def test_nginx_passes_on_what_pages_need() -> None:
    text = uncommented("nginx.conf")
    for directive in (
        "proxy_http_version 1.1;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $connection_upgrade;",
        f"server 127.0.0.1:{PORT};",
        "absolute_redirect off;",
    ):
        assert directive in text
    assert re.search(r"location /lab/ \{\s*proxy_pass http://mf_explorer/;", text), "with the slash that takes the prefix off"
    assert re.search(r"location / \{\s*proxy_pass http://mf_explorer;", text)
    (patience,) = re.findall(r"proxy_read_timeout (\d+)h;", text)
    assert int(patience) >= 1


def test_caddy_passes_on_what_pages_need() -> None:
    text = uncommented("Caddyfile")
    assert f"reverse_proxy {{$LAB_UPSTREAM:127.0.0.1:{PORT}}}" in text and "read_timeout 1h" in text
    assert re.search(r"redir /lab /lab/\s+handle_path /lab/\* \{\s+import lab", text)
    assert "Host" not in text, "Caddy passes it on by itself"


@pytest.mark.parametrize(
    ("name", "pattern"), [("nginx.conf", r"client_max_body_size (\d+)m;"), ("Caddyfile", r"max_size (\d+)MB")]
)
def test_a_proxy_lets_uploads_through_that_the_app_takes(name: str, pattern: str) -> None:
    (most,) = re.findall(pattern, uncommented(name))
    assert settings()["server"]["maxUploadSize"] < int(most) < settings()["server"]["maxUploadSize"] + 10


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx here")
def test_nginx_understands_its_file(tmp_path: Path) -> None:
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    site = tmp_path / "site.conf"
    site.write_text(read("nginx.conf").replace("listen 80;", "listen 127.0.0.1:18080;"))
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {folders} include {site}; }}"
    (tmp_path / "nginx.conf").write_text(whole)
    done = subprocess.run(["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no Caddy here")
def test_caddy_understands_its_file(tmp_path: Path) -> None:
    command = ["caddy", "adapt", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin"}, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["apps"]["http"]["servers"]


def test_commands_of_the_readme_are_ours() -> None:
    shown = re.findall(r"^mf-explorer (.*?)(?: {2,}|$)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {words.split()[0] for words in shown} == {"serve", "doctor"}
    for words in shown:
        build_parser().parse_args(words.split())
