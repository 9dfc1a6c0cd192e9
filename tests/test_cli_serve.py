"""The command that serves the app: what it starts, and where it finds it. Browsers test the app itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mfcore.__main__ import main
from mfcore.cli.parser import build_parser
from mfcore.cli.serve import LOOPBACK, access_of, app_path, streamlit_command
from mfcore.errors import UnusableRequest
from tests.runs.tiny_runs import wait_until

ROOT = Path(__file__).resolve().parent.parent


def started(*words: str) -> list[str]:
    return streamlit_command(build_parser().parse_args(["serve", *words]), Path("/there/app.py"))


def test_what_is_not_said_is_left_to_the_settings_beside_the_app() -> None:
    assert started() == [sys.executable, "-m", "streamlit", "run", "/there/app.py"]


def test_options_become_streamlits_and_the_rest_is_passed_on() -> None:
    words = started("--port", "8600", "--base-url-path", "lab", "--", "--server.headless", "true")
    assert words[5:] == [
        *("--server.baseUrlPath", "lab"),
        *("--server.port", "8600"),
        *("--server.headless", "true"),
    ]


def test_it_answers_to_the_names_of_where_it_listens_and_to_those_it_is_given() -> None:
    def names(*words: str) -> list[str]:
        given = started(*words)
        return [given[place + 1] for place, word in enumerate(given) if word == "--server.allowedHosts"]

    assert names() == []  # those of .streamlit/config.toml
    assert names("--host", "192.0.2.7") == [*LOOPBACK, "192.0.2.7"]
    assert names("--allow-host", "lab.example.org", "--allow-host", "*.example.com") == [
        *LOOPBACK,
        "lab.example.org",
        "*.example.com",
    ]
    assert {*LOOPBACK, socket.gethostname()} <= set(names("--host", "0.0.0.0"))
    assert "0.0.0.0" not in names("--host", "0.0.0.0")


def said(*words: str) -> dict[str, str]:
    return access_of(build_parser().parse_args(["serve", *words]))


def test_who_is_let_in_is_said_to_the_app_by_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word.txt").write_text("correct horse\n")
    assert said() == {}, "what the environment says already stays"
    assert said("--read-only") == {"MF_EXPLORER_READ_ONLY": "1"}
    assert said("--login", "oidc") == {"MF_EXPLORER_LOGIN": "oidc"}
    told = {"MF_EXPLORER_LOGIN": "password", "MF_EXPLORER_PASSWORD_FILE": str(tmp_path / "word.txt")}
    assert said("--password-file", "word.txt") == told, "the app is started from another folder"
    with pytest.raises(UnusableRequest, match="login must be one of none, oidc, password"):
        said("--login", "ldap")
    with pytest.raises(UnusableRequest, match=r"there is no file none\.txt"):
        said("--password-file", "none.txt")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnusableRequest, match="needs Authlib"):
        said("--login", "oidc")


def test_half_a_lock_starts_no_server(tmp_path: Path) -> None:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(tmp_path), "MF_EXPLORER_LOGIN": "oidc"}
    done = subprocess.run(
        [sys.executable, "-c", "import app"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "MF Explorer does not start: login oidc needs" in done.stderr


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none_is_refused_in_one_line(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", port]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: port must be") and error.count("\n") == 1


def test_the_app_lies_beside_mfcore_installed_or_in_a_working_tree(tmp_path: Path) -> None:
    assert app_path() == ROOT / "app.py"
    with pytest.raises(UnusableRequest, match="pip install mf-explorer"):
        app_path(tmp_path)
    (tmp_path / "app.py").write_text("")
    assert app_path(tmp_path) == tmp_path / "app.py"
    (tmp_path / "mf_explorer").mkdir()
    (tmp_path / "mf_explorer" / "app.py").write_text("")
    assert app_path(tmp_path) == tmp_path / "mf_explorer" / "app.py"


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_it_serves_from_anywhere_and_stops_when_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mfcore", "serve", "--home", "home", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: server.poll() is not None or answers(f"http://127.0.0.1:{port}/_stcore/health"))
        assert server.poll() is None, (tmp_path / "log").read_text()
        assert (tmp_path / "home").is_dir()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
