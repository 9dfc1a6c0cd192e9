"""The command doctor: finds what is wrong, says how to cure it, changes nothing, and needs nothing that may be missing."""

from __future__ import annotations

import errno
import http.server
import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pytest

from mfcore.__main__ import main
from mfcore.cli.checks import CHECKS, machine, outside, place, serving
from mfcore.cli.checks.asking import checked_url
from mfcore.cli.checks.finding import Circumstances, Finding, examine, ok
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.status import this_host
from scripts.app_server import AppServer, free_port
from tests.e2e.stripping_proxy import StrippingProxy
from tests.faults.disk import failing
from tests.runs.tiny_runs import tiny

ROOT = Path(__file__).resolve().parent.parent


def found(check: str, home: Path, **how: Any) -> list[Finding]:
    return list(CHECKS[check](Circumstances(home=str(home), **how)))


def one(check: str, home: Path, **how: Any) -> Finding:
    (finding,) = found(check, home, **how)
    return finding


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- the command ----------------------------------------------------------------------------------------------------------


def test_where_all_is_well_it_says_so_and_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RunFolder.create(tmp_path, tiny())
    before = tree(tmp_path)
    assert main(["doctor", "--home", str(tmp_path), "--port", str(free_port())]) == 0
    out = capsys.readouterr().out
    assert not re.search("^problem", out, re.MULTILINE) and out.splitlines()[-1].startswith("no problem found")
    named = set(CHECKS) - {"address", "prefix", "headers", "WebSocket", "other names"}
    assert {name for name in CHECKS if re.search(rf"^(ok|note) +{name} ", out, re.MULTILINE)} == named
    assert tree(tmp_path) == before


def test_json_is_one_object_on_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "a file" / "home"
    missing.parent.write_text("")
    assert main(["doctor", "--home", str(missing), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = told["checks"]
    assert {row["state"] for row in rows} <= {"ok", "note", "problem"}
    assert told["counts"]["problem"] == sum(row["state"] == "problem" for row in rows) >= 1
    assert all(row.get("cure") for row in rows if row["state"] == "problem")
    assert [row["check"] for row in rows if row["check"] == "data directory"] == ["data directory"]


@pytest.mark.parametrize(
    "words", [("--port", "x"), ("--port", "0"), ("--url", "ftp://x"), ("--url", "http://h:port"), ("--prot", "1"), ("more",)]
)
def test_misuse_is_one_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["doctor", *words])
    except SystemExit as left:
        status = int(left.code or 0)
    error = capsys.readouterr().err
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1


def test_the_help_of_all_commands_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "doctor" in capsys.readouterr().out


WITHOUT = """
import sys
gone = {gone!r}
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in gone:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Gone())
from mfcore.__main__ import main
sys.exit(main({words!r}))
"""


def without(gone: set[str], *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process where these packages are not installed."""
    code = WITHOUT.format(gone=gone, words=list(words))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_torch_streamlit_and_nearly_all_else_it_still_tells(tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "torch.py").write_text("raise ImportError('libtorch.so: cannot open shared object file')")
    (tmp_path / "home" / "runs").mkdir(parents=True)
    gone = {"torch", "streamlit", "numpy", "pandas", "psutil", "rich", "starlette", "packaging", "filelock", "scipy"}
    done = without(gone, "doctor", "--home", str(tmp_path / "home"), PYTHONPATH=f"{tmp_path / 'shadow'}{os.pathsep}{ROOT}")
    assert done.returncode == 1 and done.stderr == ""
    assert "cannot be imported: ImportError: libtorch.so" in done.stdout
    assert re.search(r"problem +memory +cannot be looked at \(No module named 'psutil'\)\n +→ install", done.stdout)
    assert re.search(r"ok +data directory", done.stdout)


def test_other_commands_without_a_package_send_one_to_it() -> None:
    done = without({"numpy"}, "runs")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "No module named 'numpy'" in done.stderr and "python -m mfcore doctor" in done.stderr


def test_a_check_that_fails_is_a_problem_and_stops_no_other() -> None:
    def breaks(given: Circumstances) -> Iterator[Finding]:
        yield ok("so far")
        raise KeyError("unforeseen")

    told = [(name, f.state) for name, f in examine({"a": breaks, "b": lambda given: [ok("fine")]}, Circumstances())]
    assert told == [("a", "ok"), ("a", "problem"), ("b", "ok")]


# --- what is installed ----------------------------------------------------------------------------------------------------


def test_versions_of_python_are_those_of_the_project() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = [tuple(map(int, m[1].split("."))) for c in stated["classifiers"] if (m := re.search(r":: (3\.\d+)$", c))]
    assert (min(known), max(known)) == (machine.OLDEST, machine.NEWEST)
    assert stated["requires-python"] == ">={}.{}".format(*machine.OLDEST)


@pytest.mark.parametrize(("version", "state"), [((3, 10), "problem"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "note")])
def test_a_python_that_is_too_old_or_too_new(version: tuple[int, int], state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, "version_info", (*version, 0, "final", 0))
    assert next(machine.python(Circumstances())).state == state


def test_requirements_are_those_of_pyproject_also_where_it_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = machine.requirements()
    assert here["streamlit"] == ">=1.67,<2" and set(machine.pins()) == set(here)
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    installed = machine.requirements()
    assert set(installed) == set(here) and machine.pins() == {}


def test_ranges_are_read_as_pip_reads_them() -> None:
    from packaging.specifiers import SpecifierSet

    versions = ["1.66.9", "1.67", "1.67.0", "1.68.1", "2", "2.0.0", "2.1", "10.0", "2.13.0+cpu", "3"]
    for wanted in {*machine.requirements().values(), ">=1.67,<2", ">=2.6,<3", ""}:
        for version in versions:
            assert machine.fits(version, wanted) == SpecifierSet(wanted).contains(version), (version, wanted)
    with pytest.raises(ValueError, match="a bound is"):
        machine.fits("1", "<=2")


def test_a_version_out_of_range_missing_or_untested_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    made_up = {"streamlit": "1.66.0", "numpy": "1.26.4", "rich": "99.0"}

    def version(name: str) -> str:
        if name == "psutil":
            raise importlib.metadata.PackageNotFoundError(name)
        return made_up.get(name) or real(name)

    monkeypatch.setattr(machine.importlib.metadata, "version", version)
    (streamlit,) = machine.streamlit(Circumstances())
    assert streamlit.state == "problem" and streamlit.cure == 'pip install "streamlit>=1.67,<2"'
    told = list(machine.packages(Circumstances()))
    assert [f.state for f in told] == ["problem", "problem", "note"]
    assert "numpy 1.26.4" in told[0].found and "psutil is not installed" in told[1].found and "rich 99.0" in told[2].found


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        ({"cuda": False, "cuda_build": None}, "ok", "no CUDA"),
        ({"cuda": False, "cuda_build": "12.8", "why": "Found no NVIDIA driver"}, "note", "Found no NVIDIA driver"),
        ({"cuda": True, "cuda_build": "12.8", "devices": ["H200"]}, "ok", "H200"),
    ],
)
def test_of_a_gpu_that_is_not_there_it_says_why(told: dict[str, Any], state: str, words: str) -> None:
    finding = machine._cuda({"devices": [], "why": "", **told})
    assert finding.state == state and words in finding.found


def test_a_plugin_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MF_EXPLORER_PLUGINS", "json, not_there_at_all")
    assert [f.state for f in machine.plugins(Circumstances())] == ["ok", "problem"]


def test_limits_of_a_container_count(tmp_path: Path) -> None:
    assert machine._quota(tmp_path) is None and machine._limit(tmp_path) is None
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("2000000000\n")
    assert machine._quota(tmp_path) == 1.5 and machine._limit(tmp_path) == 2_000_000_000
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine._quota(tmp_path) is None and machine._limit(tmp_path) is None


# --- the data directory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", ["data directory", "locks", "clock", "disk", "runs", "dataset"])
def test_a_directory_that_is_missing_is_no_problem_and_is_not_made(check: str, tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet"
    assert all(finding.state != "problem" for finding in found(check, home))
    assert not home.parent.exists()


@pytest.mark.parametrize(("error", "words"), [(errno.ENOSPC, "No space left"), (errno.EROFS, "Read-only")])
def test_a_full_or_read_only_directory(error: int, words: str, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, tiny())
    folder.write_status(RunStatus("running", created=1.0, pid=os.getpid(), host=this_host()))
    with failing(tmp_path, error=error):
        told = {name: found(name, tmp_path) for name in ("data directory", "locks", "clock", "disk", "runs", "dataset")}
        missing = one("data directory", tmp_path / "new")
    assert told["data directory"][0].state == "problem" and words in told["data directory"][0].found
    assert missing.state == "problem" and words in missing.found
    assert told["locks"][0].state == told["clock"][0].state == "note"
    assert told["runs"][0] == ok("1 run")


def test_who_chose_the_directory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "from --home" in one("data directory", tmp_path).found
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    assert f"{tmp_path} (from MF_EXPLORER_HOME)" in next(iter(CHECKS["data directory"](Circumstances()))).found


def test_locks_that_do_not_exclude_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one("locks", tmp_path).state == "ok"

    class Idle:
        """As on a share that takes every lock and holds none."""

        def __init__(self, *_: object, **__: object) -> None: ...
        def acquire(self) -> None: ...
        def release(self) -> None: ...
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(filelock, "FileLock", Idle)
    finding = one("locks", tmp_path)
    assert finding.state == "problem" and "two workers could train one run" in finding.found


@pytest.mark.parametrize(("seconds", "state", "way"), [(0, "ok", ""), (4, "note", "behind"), (-60, "problem", "ahead")])
def test_clocks_that_differ(seconds: float, state: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(place.time, "time", lambda: real() + seconds)
    finding = one("clock", tmp_path)
    assert finding.state == state and way in finding.found


def test_runs_that_need_attention_are_named_and_left_alone(tmp_path: Path) -> None:
    fine, damaged, lost, silent = (RunFolder.create(tmp_path, tiny()) for _ in range(4))
    (damaged.path / "config.json").write_text("{")
    lost.write_status(RunStatus("running", created=1.0, pid=None))
    silent.write_status(RunStatus("running", created=1.0, pid=os.getpid(), host=this_host()))
    os.utime(silent.path / "status.json", (1.0, 1.0))
    with silent.lock():
        before = tree(tmp_path)
        count, *notes = found("runs", tmp_path)
        assert tree(tmp_path) == before
    assert count == ok("4 runs")
    assert [finding.state for finding in notes] == ["note"] * 3
    for finding, folder in zip(notes, (damaged, lost, silent), strict=True):
        assert folder.run_id in finding.found and fine.run_id not in finding.found and finding.cure


def test_room_and_what_runs_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "weights").write_bytes(bytes(5_000_000))
    monkeypatch.setattr(place.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100e6})())
    finding = found("disk", tmp_path)[0]
    assert finding == place.problem("100 MB free, runs take 5 MB", finding.cure)


# --- how it is served -----------------------------------------------------------------------------------------------------


def shown_by_streamlit(**environment: str) -> dict[str, Any]:
    """What Streamlit itself makes of files and environment."""
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "config", "show"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    return tomllib.loads(text[text.index("\n[global]") :])["server"]  # type: ignore[no-any-return]


def test_settings_are_read_as_streamlit_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "192.0.2.1"\nport = 8600\n')
    said = {
        "STREAMLIT_SERVER_BASE_URL_PATH": "lab",
        "STREAMLIT_SERVER_ALLOWED_HOSTS": "localhost lab.example.org",
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    ours, theirs = serving.resolved(), shown_by_streamlit(HOME=str(tmp_path), **said)
    for name in ("address", "port", "baseUrlPath", "allowedHosts", "enableXsrfProtection", "enableAgentApi"):
        assert ours[f"server.{name}"] == theirs[name], name
    assert (ours["server.port"], ours["server.address"]) == (8600, "127.0.0.1")
    states = [finding.state for finding in found("settings", tmp_path)]
    assert states == ["ok", "problem"], "without the token of forms it is not safe"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, "ok"),
        ({"ADDRESS": "0.0.0.0"}, "note"),
        ({"ALLOWED_HOSTS": "*"}, "problem"),
        ({"ENABLE_AGENT_API": "true"}, "problem"),
    ],
)
def test_what_opens_the_server_is_told(
    said: dict[str, str], state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"STREAMLIT_SERVER_{name}", value)
    assert found("settings", tmp_path)[-1].state == state


def test_who_is_believed_about_where_a_request_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.state for finding in found("settings", tmp_path)] == ["ok"]
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert [finding.state for finding in found("settings", tmp_path)] == ["ok", "note"]


@contextmanager
def answering(status: int, body: bytes, kind: str = "application/json") -> Iterator[int]:
    """A web server that gives one answer to everything; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_who_answers_at_the_port(tmp_path: Path) -> None:
    with answering(200, b'{"status": "ok"}') as port:
        assert one("port", tmp_path, port=port) == ok(f"an MF Explorer answers at {port}, and can train")
    with answering(503, b'{"status": "cannot train", "why": ["no room\\u001b[2J"]}') as port:
        assert "no room" in one("port", tmp_path, port=port).found
    with answering(200, b"<html>", "text/html") as port:
        assert "another web server" in one("port", tmp_path, port=port).found
    with socket.create_server(("127.0.0.1", 0)) as mute:

        def speak() -> None:
            with mute.accept()[0] as caller:
                caller.sendall(b"SSH-2.0\r\n")
                caller.recv(1000)

        speaker = threading.Thread(target=speak)
        speaker.start()
        finding = one("port", tmp_path, port=mute.getsockname()[1])
        speaker.join()
    assert finding.state == "problem" and "no web server" in finding.found
    assert one("port", tmp_path, port=free_port()).state == "ok"


# --- from outside ---------------------------------------------------------------------------------------------------------

OUTSIDE = ("address", "prefix", "headers", "WebSocket", "other names")


def seen(url: str) -> dict[str, list[Finding]]:
    return {name: list(CHECKS[name](Circumstances(url=url))) for name in OUTSIDE}


def test_the_headers_it_asks_for_are_those_we_send() -> None:
    from ui.api.headers import HEADERS

    assert set(outside.HEADERS) == set(HEADERS)


@pytest.mark.parametrize("text", ["", "example.org", "http://", "http://a b", "https://u:p@x", "http://x/?a=1", "http://x\n"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnusableRequest, match="must be the address of a web server"):
        checked_url(text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    with AppServer(tmp_path_factory.mktemp("served"), base_path="lab") as running:
        yield running


def test_a_served_address_has_all_that_pages_need(server: AppServer) -> None:
    told = seen(server.url)
    assert {name: [f.state for f in told[name]] for name in OUTSIDE} == {name: ["ok"] for name in OUTSIDE}


def test_behind_a_proxy_that_strips_a_prefix_all_is_well_but_the_slash(server: AppServer) -> None:
    """The server sends who leaves out the slash to an address that does not have the prefix."""
    with StrippingProxy(server.port, "/team") as proxy:
        told = seen(f"{proxy.url}/lab")
    assert [f.state for name in OUTSIDE for f in told[name]] == ["ok", "ok", "note", "ok", "ok", "ok"]
    assert "without a slash" in told["prefix"][1].found


class WithoutUpgrade(StrippingProxy):
    """Speaks as proxies do by default: it leaves out what is meant for one connection alone."""

    def altered(self, head: bytes) -> bytes:
        return re.sub(rb"(?i)\r\n(upgrade|connection): [^\r]*", b"", head).replace(
            b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
        )


class WithAnotherHost(StrippingProxy):
    """Asks for the server under the name that it has for it."""

    def altered(self, head: bytes) -> bytes:
        return re.sub(rb"(?i)\r\nhost: [^\r]*", b"\r\nHost: localhost", head)


def test_a_proxy_that_keeps_web_sockets_back_is_found(server: AppServer) -> None:
    with WithoutUpgrade(server.port, "/team") as proxy:
        (finding,) = seen(f"{proxy.url}/lab")["WebSocket"]
    assert finding.state == "problem" and "pages stay empty" in finding.found and "Upgrade" in finding.cure


def test_a_proxy_that_asks_under_its_own_name_is_found(server: AppServer) -> None:
    with WithAnotherHost(server.port, "/team") as proxy:
        told = seen(f"{proxy.url}/lab")
    assert told["other names"][0].state == "problem" and "DNS rebinding" in told["other names"][0].found


def test_what_is_not_there_or_not_ours_is_told() -> None:
    (nobody, *rest) = [f for found in seen(f"http://127.0.0.1:{free_port()}").values() for f in found]
    assert nobody.state == "problem" and "does not answer" in nobody.found and rest == []
    with answering(200, b"<html>a page</html>", "text/html") as port:
        told = seen(f"http://127.0.0.1:{port}/lab")
        assert told["address"][0].state == "problem" and "--base-url-path" in told["address"][0].cure
    with answering(421, b'{"error": "no"}') as port:
        assert "--allow-host 127.0.0.1" in seen(f"http://127.0.0.1:{port}")["address"][0].cure
    with answering(502, b"") as port:
        assert "reaches no server" in seen(f"http://127.0.0.1:{port}")["address"][0].found
