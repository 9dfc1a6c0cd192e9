"""Commands that bring data and runs in, and take them out: imported datasets, and runs as zip files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfcore.cli.output import TrainingProgress, print_json, print_table, say
from mfcore.cli.remarks import complain, note
from mfcore.errors import UnusableRequest
from mfcore.paths import reason
from mfcore.runs.store import RunStore
from mfcore.validate import integer, number, require

TEXT = "Bring a file of ratings in, as a dataset that everything else then knows by its name."
_ROLES = {
    "user": "column of the user",
    "item": "column of the item",
    "rating": 'column of the rating or count; "" for none: each row counts as chosen',
    "time": 'column of the time; "" for none',
    "part": "column that says train, valid or test",
    "title": "column with titles of items",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of ``import``."""
    from mfcore.data.importing.plan import REPEATS, UNRATED
    from mfcore.data.interactions import FEEDBACK
    from mfcore.data.times import UNITS

    parser.add_argument("files", metavar="FILE", nargs="+", help="a file, folder or archive; or the files of one dataset")
    parser.add_argument("--name", help="what to call it (default: as the file)")
    parser.add_argument("--items", metavar="FILE", help="a second file, with titles of the items")
    for role, text in _ROLES.items():
        parser.add_argument(f"--{role}", metavar="COLUMN", help=text)
    parser.add_argument("--unit", metavar="UNIT", help=f"of the time: {', '.join(UNITS)}")
    parser.add_argument("--separator", help="between cells: a letter, tab, or blanks")
    parser.add_argument("--encoding", help="of text, such as utf-8 or cp1252")
    parser.add_argument("--header", choices=("yes", "no"), help="whether the first row names the columns")
    parser.add_argument("--table", help="which sheet of a workbook, or file of an archive")
    parser.add_argument("--feedback", help=f"what the numbers are: {', '.join(FEEDBACK)}")
    parser.add_argument("--scale", metavar="LOW,HIGH", help="lowest and highest rating")
    parser.add_argument("--repeats", help=f"what becomes of rows with the same user and item: {', '.join(REPEATS)}")
    parser.add_argument("--zeros", help=f"what 0 (or --unrated) is taken for: {', '.join(UNRATED)}")
    parser.add_argument("--unrated", metavar="VALUE", help="the value that may mean: not rated")
    parser.add_argument("--kcore", metavar="N", help="leave out users and items with fewer interactions, until none has fewer")
    parser.add_argument("--description", default="", help="a sentence on it")
    parser.add_argument("--rejected", metavar="FILE.csv", help="where to write the rows that were not taken, with their lines")
    parser.add_argument("--dry-run", action="store_true", help="only tell how it is understood")


def run_import(options: argparse.Namespace) -> int:
    """Bring a file of ratings in."""
    from mfcore.data.importing import Cancelled, look

    paths = [Path(one) for one in options.files]
    source: Any = paths[0] if len(paths) == 1 else paths
    preview = look(source, _plan(options), items=options.items)
    if not options.json:
        _tell(preview)
    if options.dry_run:
        if options.json:
            print_json(_facts(preview))
        return 0
    try:
        found = _keep(options, preview, paths[0])
    except (Cancelled, KeyboardInterrupt):
        complain("called off; nothing has been imported")
        return 130
    report = found.report
    if options.rejected:
        _write(report.save, options.rejected)
    name = found.interactions.name
    if options.json:
        data = found.interactions
        print_json(
            {
                "dataset": name,
                "interactions": len(data),
                "users": data.num_users,
                "items": data.num_items,
                "report": report.to_dict(),
                **_facts(preview),
            }
        )
        return 0
    for sentence in report.sentences():
        say(sentence)
    if report.left_out and not options.rejected:
        first = report.left_out[0]
        note(f"the first row left out is line {first.line}: {first.reason}; --rejected FILE.csv writes them all")
    say(f"dataset {name} is here; train on it with: python -m mfcore train --dataset {name}")
    return 0


def _keep(options: argparse.Namespace, preview: Any, path: Path) -> Any:
    from mfcore.data.importing.store import import_dataset

    title = options.name or path.name.split(".")[0]
    with TrainingProgress() as progress:
        return import_dataset(
            preview, title, description=options.description, file=path.name, home=options.home, progress=progress.fetching
        )


def _plan(options: argparse.Namespace) -> Any:
    from mfcore.data.importing import ImportPlan
    from mfcore.data.importing.text import BLANKS

    core = integer("kcore", options.kcore, low=0) if options.kcore is not None else 0
    separators = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "blank": BLANKS, "blanks": BLANKS}
    unrated = None if options.unrated is None else number("unrated", options.unrated)
    if options.zeros is not None and unrated is None:
        unrated = 0.0
    return ImportPlan(
        **{role: getattr(options, role) for role in _ROLES},
        time_unit=options.unit,
        separator=separators.get(options.separator, options.separator),
        encoding=options.encoding,
        header=None if options.header is None else options.header == "yes",
        table=options.table,
        feedback=options.feedback,
        scale=None if options.scale is None else _scale(options.scale),
        repeats=options.repeats,
        unrated=unrated,
        unrated_as=options.zeros,
        user_core=core,
        item_core=core,
    )


def _scale(text: str) -> tuple[float, float]:
    ends = text.replace(":", ",").split(",")
    require(len(ends) == 2, f"scale must be its lowest and highest rating, such as 1,5; got {text!r}")
    return number("scale", ends[0]), number("scale", ends[1])


def _tell(preview: Any) -> None:
    """How the file is understood: each choice with its reason, then the first rows."""
    shown = {name: value for name, value in preview.plan.to_dict().items() if name in preview.reasons and value != ""}
    rows = [
        [name.replace("_", " "), repr(value) if name == "separator" else value, preview.reasons[name]]
        for name, value in shown.items()
    ]
    print_table(["", "is", "because"], rows)
    first = preview.rows() if preview.ready else []
    if first:
        print_table(list(first[0]), [list(row.values()) for row in first])
    for warning in preview.warnings:
        note(warning)


def _word(name: str, value: Any) -> Any:
    return repr(value) if name == "separator" else value


def _facts(preview: Any) -> dict[str, Any]:
    return {"plan": preview.plan.to_dict(), "reasons": dict(preview.reasons), "warnings": list(preview.warnings)}


def _write(write: Callable[[Path], Any], path: str) -> None:
    try:
        write(Path(path).expanduser())
    except OSError as error:
        raise UnusableRequest(f"cannot write {path} ({reason(error)})") from error


# --- imported datasets --------------------------------------------------------------------------------------------------------


def rename(options: argparse.Namespace) -> int:
    """Another title; the name that flags and runs know stays."""
    return _describe(options, title=options.title)


def describe(options: argparse.Namespace) -> int:
    """Another description."""
    return _describe(options, description=options.text)


def _describe(options: argparse.Namespace, **changes: str) -> int:
    from mfcore.data.importing.store import about_dataset, describe_dataset

    describe_dataset(options.dataset, options.home, **changes)
    about = about_dataset(options.dataset, options.home)
    if options.json:
        print_json({"dataset": about})
    else:
        say(f"{options.dataset}: {about['title']}. {about.get('description', '')}".strip())
    return 0


def export_data(options: argparse.Namespace) -> int:
    """Write a dataset as CSV or Parquet."""
    from mfcore.data import load_dataset
    from mfcore.data.importing.store import export_dataset

    data = load_dataset(options.dataset, home=options.home)
    path = export_dataset(data, options.file)
    if options.json:
        print_json({"dataset": options.dataset, "file": str(path), "interactions": len(data)})
    else:
        say(f"wrote {len(data):,} interactions to {path}")
    return 0


def delete_data(options: argparse.Namespace) -> int:
    """Delete an imported dataset; with runs on it only after a word."""
    from mfcore.data.importing.store import about_dataset, delete_dataset

    about_dataset(options.dataset, options.home)
    runs = [run.run_id for run in RunStore(options.home).list() if run.dataset == options.dataset]
    require(
        options.yes or not runs,
        f"{len(runs)} run{'s' if len(runs) != 1 else ''} could not be opened any more without {options.dataset}: "
        f"{', '.join(runs[:5])}{' …' if len(runs) > 5 else ''}; add --yes to delete it all the same",
    )
    delete_dataset(options.dataset, options.home)
    if options.json:
        print_json({"deleted": options.dataset, "runs": runs})
    else:
        say(f"deleted {options.dataset}")
    return 0


# --- runs as files ------------------------------------------------------------------------------------------------------------


def export_run(options: argparse.Namespace) -> int:
    """A run as a zip file, to be imported here or elsewhere."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    target = Path(options.file or f"{run_id}.zip").expanduser()
    content = store.export_zip(run_id)
    _write(lambda path: path.write_bytes(content), str(target))
    if options.json:
        print_json({"run_id": run_id, "file": str(target), "bytes": len(content)})
    else:
        say(f"wrote {target} ({len(content) / 1e6:.1f} MB)")
    return 0


def import_run(options: argparse.Namespace) -> int:
    """Add a run that was exported."""
    path = Path(options.file).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableRequest(f"{path} cannot be read ({reason(error)})") from error
    run_id = RunStore(options.home).import_zip(content)
    if options.json:
        print_json({"run_id": run_id})
    else:
        say(f"run {run_id} is here")
    return 0
