"""Commands: refused when they are made, never lost between two writers, read in order."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mfcore.errors import UnusableRequest
from mfcore.files import write_json
from mfcore.runs.commands import COMMANDS, Command, CommandInbox, last_number, read_commands, write_command


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    return tmp_path / "commands"


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_command_says_what_it_does_and_whether_it_takes_a_value(kind: str) -> None:
    about = COMMANDS[kind]
    assert about.help.endswith(".")
    if about.optional:
        assert Command(kind).value is None
    else:
        with pytest.raises(UnusableRequest, match=f"{kind} takes"):
            Command(kind, 1.0) if about.value is None else Command(kind)
    made = Command(kind) if about.value is None else Command(kind, "2")  # type: ignore[arg-type]  # as from a command line
    assert made.value == (None if about.value is None else 2)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("dance", None, "command must be one of stop, pause"),
        (None, None, "command must be one of"),
        (["stop"], None, "command must be one of"),
        ("pace", -1, "pace must be >= 0"),
        ("learning_rate", 0, "learning_rate must be > 0"),
        ("learning_rate", "abc", "learning_rate must be a number"),
        ("learning_rate", True, "learning_rate must be a finite number"),
        ("weight_decay", {}, "weight_decay must be a finite number"),
        ("batch_size", 0.5, "batch_size must be a whole number"),
        ("batch_size", 0, "batch_size must be >= 1"),
        ("extend", 10**30, "extend must be <="),
        ("step_batch", 0, "step_batch must be >= 1"),
        ("step_batch", 1.5, "step_batch must be a whole number"),
    ],
)
def test_there_is_no_command_that_could_not_be_obeyed(kind: Any, value: Any, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        Command(kind, value)


def test_two_writers_never_overwrite_each_others_commands(commands: Path) -> None:
    def ask(who: int) -> None:
        for turn in range(25):
            write_command(commands, Command("pace", 100 * who + turn))

    writers = [threading.Thread(target=ask, args=(who,)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = read_commands(commands)
    assert [pending.number for pending in found] == list(range(1, 101))
    for who in range(4):
        assert [p.value % 100 for p in found if p.value // 100 == who] == list(range(25))
    assert read_commands(commands, after=98) == found[98:]
    assert last_number(commands) == 100


def test_a_command_being_written_holds_up_the_later_ones_but_not_for_ever(commands: Path) -> None:
    write_command(commands, Command("pause"))
    half = commands / "000002.json"
    half.write_text('{"kind": "pa')
    write_command(commands, Command("stop"))
    assert [pending.number for pending in read_commands(commands)] == [1]
    past = time.time() - 10
    os.utime(half, (past, past))
    assert [pending.kind for pending in read_commands(commands)] == ["pause", "unreadable", "stop"]


def test_what_no_version_writes_is_found_with_the_reason_why_it_is_refused(commands: Path) -> None:
    commands.mkdir()
    for number, written in enumerate(
        [{"kind": "fly"}, {"kind": "pace", "value": [1]}, {"kind": 5}, {"kind": "stop", "who": 1}], 1
    ):
        write_json(commands / f"{number:06d}.json", written)
    found = read_commands(commands)
    assert [(p.kind, p.command) for p in found[:3]] == [("fly", None), ("pace", None), ("5", None)]
    assert all("must be" in p.refused for p in found[:3])
    assert (found[3].command, found[3].refused) == (Command("stop"), "")


def test_an_inbox_hands_out_everything_once_and_nothing_of_before(commands: Path) -> None:
    write_command(commands, Command("stop"))
    inbox = CommandInbox(commands, after=1)
    assert list(inbox.take()) == []
    for value in (1.0, 2.0):
        write_command(commands, Command("pace", value))
    assert next(iter(inbox.take())).value == 1.0
    assert [pending.value for pending in inbox.take()] == [2.0], "what was not handed out is still there"
    assert list(CommandInbox(commands.parent / "none", after=0).take()) == []
