"""The grammar of the command line. Values are checked by the configs they end up in, not here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mfcore.cli import doctor, importing, inspect, train
from mfcore.cli.remarks import OneLineParser
from mfcore.cli.serve import serve
from mfcore.runs.commands import COMMANDS
from mfcore.runs.export.command import FLAGS
from mfcore.settings import SETTINGS


def build_parser() -> argparse.ArgumentParser:
    """``options.run`` is the function of the chosen command."""
    shared, nested = _shared(None, False), _shared(argparse.SUPPRESS, argparse.SUPPRESS)
    parser = OneLineParser(prog=_called(), description="Train and inspect matrix-factorization recommenders.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Any, text: str, where: Any = commands) -> argparse.ArgumentParser:
        parents = [shared if where is commands else nested]
        made: argparse.ArgumentParser = where.add_parser(name, help=text, description=text, parents=parents)
        made.set_defaults(run=run)
        return made

    importing.add_flags(
        command("import", importing.import_file, "Read anybody's ratings from a file, and keep them as a dataset.")
    )
    _add_datasets(command)
    command("fetch", inspect.fetch, "Download, check and keep a dataset.").add_argument("dataset")
    command("presets", inspect.presets, "Recipes for train --preset.")
    _add_train_flags(command("train", train.train, "Train a run and score it on test."))
    command("evaluate", inspect.evaluate, "Every metric of a stored run.").add_argument("run_id", metavar="RUN")
    recommend = command("recommend", inspect.recommend, "What a stored run would recommend to a user.")
    recommend.add_argument("run_id", metavar="RUN")
    recommend.add_argument("--user", required=True, help="user id, as in the dataset")
    recommend.add_argument("-n", default="10", help="how many items (default 10)")
    recommend.add_argument("--include-seen", action="store_true", help="also items the user has rated")
    _add_export(
        command("export-vectors", inspect.export_vectors, "Write a run's vectors as tables for the Embedding Projector.")
    )
    _add_steering(command)
    _add_runs(command)
    _add_archives(command)
    doctor.add_flags(command("doctor", doctor.doctor, doctor.TEXT))
    _add_serve(command("serve", serve, "Serve the app to browsers, until it is stopped with Ctrl-C."))
    return parser


def _called() -> str:
    """As whoever reads the help has called it."""
    return "mf-explorer" if Path(sys.argv[0]).stem == "mf-explorer" else "python -m mfcore"


def _shared(home: Any, as_json: Any) -> argparse.ArgumentParser:
    """Flags of every command. A nested command has no defaults: they would undo what was said before its name."""
    shared = OneLineParser(add_help=False)
    shared.add_argument("--home", metavar="DIR", default=home, help="where data and runs are kept (else MF_EXPLORER_HOME)")
    text = "print one JSON object as the last line of standard output"
    shared.add_argument("--json", action="store_true", default=as_json, help=text)
    return shared


def _add_train_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", help="a whole recipe by name; see the command presets")
    parser.add_argument("--config", metavar="FILE", help="settings from a JSON file, such as a run's config.json")
    for key, flag in FLAGS.items():
        parser.add_argument(flag, dest=key, metavar=flag[2:].upper(), help=SETTINGS[key].help.replace("%", "%%"))
    others = ", ".join(key for key in SETTINGS if key not in FLAGS)
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help=f"any other setting: {others}, dataset.OPTION")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder for vectors.tsv and metadata.tsv, made if need be")
    parser.add_argument("--what", default="items", help="items or users (default items)")
    parser.add_argument("--epoch", help="a snapshot of this epoch (default: the model that stands for the run)")


def _add_steering(command: Any) -> None:
    """``branch``, ``extend`` and ``tell``: what can be done to a run that exists."""
    branch = command("branch", train.branch, "Train a new run that goes on from the end of another's epoch.")
    branch.add_argument("run_id", metavar="RUN")
    branch.add_argument("--epoch", required=True, help="a kept epoch of RUN; 0 is the untrained model")
    branch.add_argument("--name", default="", help="what to call the new run")
    for key in (key for key in FLAGS if SETTINGS[key].in_branch):
        branch.add_argument(FLAGS[key], dest=key, metavar=FLAGS[key][2:].upper(), help=SETTINGS[key].help.replace("%", "%%"))
    branch.add_argument("--set", action="append", metavar="KEY=VALUE", help="any other setting of training")
    extend = command("extend", train.extend, "Train a run for more epochs than planned; one that has ended goes on here.")
    extend.add_argument("run_id", metavar="RUN")
    extend.add_argument("--epochs", required=True, help="how many more")
    tell = command("tell", train.tell, "Steer a run that is being trained, here or by the app.")
    tell.add_argument("run_id", metavar="RUN")
    tell.add_argument(
        "wish",
        metavar="WISH",
        help=" ".join([*(f"{name}: {kind.help}" for name, kind in COMMANDS.items()), *train.WISHES]),
    )
    tell.add_argument("value", nargs="?", help="for wishes with a value")


def _add_runs(command: Any) -> None:
    """``runs`` alone lists; ``runs list | show | resume | next | delete``."""
    runs = command(
        "runs", inspect.list_runs, "List, show, resume, reorder and delete runs. RUN: an id, the beginning of one, or latest."
    )
    actions = runs.add_subparsers(metavar="ACTION")
    command("list", inspect.list_runs, "All runs, newest first.", actions)
    command("show", inspect.show, "One run.", actions).add_argument("run_id", metavar="RUN")
    command("resume", train.resume, "Go on with an interrupted run.", actions).add_argument("run_id", metavar="RUN")
    command("next", inspect.put_next, "Let a queued run begin before the others that wait.", actions).add_argument(
        "run_id", metavar="RUN"
    )
    command("delete", inspect.delete, "Delete runs and all their files.", actions).add_argument(
        "run_ids", metavar="RUN", nargs="+"
    )


def _add_datasets(command: Any) -> None:
    """``datasets`` alone lists; ``datasets list | show | rename | export | delete``: the last four of imported ones."""
    text = "What can be loaded, its size and licence, and whether it is here."
    actions = command("datasets", inspect.datasets, text).add_subparsers(metavar="ACTION")
    command("list", inspect.datasets, text, actions)
    command("show", importing.show, "What is known of an imported dataset.", actions).add_argument("dataset")
    rename = command("rename", importing.rename, "Change the title of an imported dataset; its name stays.", actions)
    rename.add_argument("dataset")
    rename.add_argument("title")
    rename.add_argument("--description", help="a sentence or two on it")
    export = command("export", importing.export, "Write an imported dataset as a table in its own ids.", actions)
    export.add_argument("dataset")
    export.add_argument("file", metavar="FILE", help="ends in .csv or .parquet")
    delete = command("delete", importing.delete, "Delete an imported dataset.", actions)
    delete.add_argument("dataset")
    delete.add_argument("--even-so", action="store_true", help="also when runs need it")


def _add_archives(command: Any) -> None:
    pack = command("export-run", importing.export_run, "Write a run as one zip file, to keep or to send.")
    pack.add_argument("run_id", metavar="RUN")
    pack.add_argument("file", metavar="FILE.zip")
    command("import-run", importing.import_run, "Add a run from a zip file.").add_argument("file", metavar="FILE.zip")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", help="where to listen (default 8501)")
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1: this machine only)")
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="another name under which browsers may ask for it, such as that of a proxy; may be repeated",
    )
    parser.add_argument("--base-url-path", metavar="PATH", help="serve under /PATH instead of /")
    login = "oidc: at the provider that [auth] in secrets.toml names; password: one for all; none (default): nobody is asked"
    parser.add_argument("--login", metavar="HOW", help=login)
    parser.add_argument("--password-file", metavar="FILE", help="its first line is the password for all")
    parser.add_argument("--limits", metavar="LIMITS", help="such as each=5,waiting=50,hours=2,disk=50: see the README")
    parser.add_argument("--read-only", action="store_true", help="everything can be looked at, and nothing changed")
    parser.add_argument("streamlit", metavar="-- OPTION", nargs="*", help="passed on to streamlit run as it is")
