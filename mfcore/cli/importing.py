"""Commands on people's own data: import it, and rename, export and delete what was imported; runs as zip files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mfcore.cli.output import TrainingProgress, print_json, print_table, say
from mfcore.cli.remarks import complain, note
from mfcore.errors import UnusableRequest
from mfcore.paths import reason
from mfcore.runs.store import RunStore
from mfcore.validate import integer, require

PLAN_FLAGS = {
    "user": "column that says who; without a header, columns are 'column 1', 'column 2' and so on",
    "item": "column that says what",
    "rating": "column of ratings or counts; '' for none",
    "time": "column that says when; '' for none",
    "unit": "unit of time, such as s, ms, iso",
    "part": "column that says train, valid or test",
    "title": "column with titles of items",
    "separator": "what lies between cells; 'blanks' for one or more blanks or tabs",
    "encoding": "encoding of text, such as cp1252",
    "table": "which sheet of a workbook, or file of an archive or folder",
    "feedback": "what the numbers are: ratings, counts, or chosen (all alike)",
    "scale": "lowest and highest rating, such as 1,5",
    "repeats": "several rows of a user with an item: last, first, mean, sum or count",
    "unrated": "a value that may mean 'not rated', such as 0",
    "zeros": "what that value, 0 unless told with --unrated, is: rating, chosen, or missing",
}
"""Flag of import → help. Those of other names in the plan: ``_FIELDS``."""
_FIELDS = {"unit": "time_unit", "zeros": "unrated_as"}
_SHOWN_FIELDS = (
    "table",
    "encoding",
    "separator",
    "header",
    "user",
    "item",
    "rating",
    "time",
    "time_unit",
    "part",
    "title",
    "feedback",
    "repeats",
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Of the command import."""
    parser.add_argument(
        "file", metavar="FILE", nargs="+", help="a file, an archive, a folder, or several files that belong together"
    )
    parser.add_argument("--name", help="what train --dataset will know it by (not needed with --dry-run)")
    parser.add_argument("--items", metavar="FILE", help="a second file, with titles")
    parser.add_argument("--words", metavar="TITLE", default="", dest="called", help="title on screen (default: the name)")
    for flag, text in PLAN_FLAGS.items():
        parser.add_argument(f"--{flag}", metavar=flag.upper(), help=text)
    parser.add_argument("--header", action=argparse.BooleanOptionalAction, help="whether the first row names the columns")
    core = "leave out users and items with fewer interactions, again and again, until none has fewer"
    parser.add_argument("--kcore", metavar="N", help=core)
    parser.add_argument("--rejected", metavar="FILE.csv", help="write the rows that were not taken, with line and reason")
    parser.add_argument("--dry-run", action="store_true", help="say how the file is understood, and import nothing")


def plan_of(options: argparse.Namespace) -> Any:
    """The plan that the flags tell.

    Raises:
        UnusableRequest: a value is none of what is accepted.
    """
    from mfcore.data.importing import ImportPlan
    from mfcore.validate import number

    told: dict[str, Any] = {_FIELDS.get(flag, flag): getattr(options, flag) for flag in PLAN_FLAGS}
    if told["scale"] is not None:
        told["scale"] = tuple(number("scale", end) for end in told["scale"].split(","))
    if told["unrated"] is not None or told["unrated_as"] is not None:
        told["unrated"] = number("unrated", told["unrated"] if told["unrated"] is not None else 0)
    core = 0 if options.kcore is None else integer("kcore", options.kcore, low=0)
    return ImportPlan(header=options.header, user_core=core, item_core=core, **told)


def import_file(options: argparse.Namespace) -> int:
    """Read a file, say how it was understood, and keep what is in it."""
    from mfcore.data.imported import check_name, import_dataset
    from mfcore.data.importing import Cancelled, look

    plan = plan_of(options)
    require(options.dry_run or bool(options.name), "an imported dataset needs a name: give --name, such as --name my-books")
    if options.name:
        check_name(options.name, options.home)
    rejected = None if options.rejected is None else Path(options.rejected)
    require(rejected is None or rejected.parent.is_dir(), f"there is no folder {rejected.parent if rejected else ''}")
    source = options.file[0] if len(options.file) == 1 else options.file
    preview = look(source, plan, items=options.items)
    if not options.json:
        _tell(preview)
    if options.dry_run:
        if options.json:
            print_json(_understood(preview))
        return 0
    try:
        with TrainingProgress() as progress:
            found = import_dataset(preview, options.name, title=options.called, home=options.home, progress=progress.fetching)
    except (KeyboardInterrupt, Cancelled):
        complain("stopped; nothing of it is kept")
        return 130
    if rejected is not None:
        _save(found.report, rejected)
    data = found.interactions
    sizes = {"users": data.num_users, "items": data.num_items, "interactions": len(data)}
    if options.json:
        print_json(
            {
                "dataset": options.name,
                **sizes,
                "scale": data.rating_scale,
                **_understood(preview),
                "report": found.report.to_dict(),
            }
        )
        return 0
    for sentence in found.report.sentences():
        say(sentence)
    users, items = f"{data.num_users:,} users", f"{data.num_items:,} items"
    say(f"{options.name}: {len(data):,} interactions of {users} with {items}; train --dataset {options.name}")
    return 0


def _save(report: Any, path: Path) -> None:
    try:
        report.save(path)
    except OSError as error:
        raise UnusableRequest(f"cannot write {path} ({reason(error)})") from error
    if report.num_left_out > len(report.left_out):
        note(f"{path} holds the first {len(report.left_out):,} of {report.num_left_out:,} rows that were not taken")


def _tell(preview: Any) -> None:
    plan = preview.plan.to_dict()
    rows = [[name, _value(plan[name]), preview.reasons.get(name, "")] for name in _SHOWN_FIELDS if name in plan]
    print_table(["", "understood as", "because"], rows)
    first = preview.rows()
    if first:
        print_table(list(first[0]), [list(row.values()) for row in first])
    for sentence in preview.warnings:
        note(sentence)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    # As Python writes it, without the quotes: a tab between cells is to be seen.
    return "none" if value == "" else repr(value)[1:-1] if isinstance(value, str) else str(value)


def _understood(preview: Any) -> dict[str, Any]:
    return {
        "plan": preview.plan.to_dict(),
        "reasons": dict(preview.reasons),
        "warnings": list(preview.warnings),
        "rows": preview.rows(),
        "tables": list(preview.tables),
    }


# --- what was imported --------------------------------------------------------------------------------------------------------


def show(options: argparse.Namespace) -> int:
    """What is known of an imported dataset."""
    from mfcore.data.imported import describe_dataset, disk_use

    meta = describe_dataset(options.dataset, options.home)
    meta.pop("columns", None)
    meta |= {"bytes": disk_use(options.dataset, options.home), "runs": _runs(options)}
    if options.json:
        print_json(meta)
        return 0
    print_table(["", ""], [[name, value] for name, value in meta.items() if not isinstance(value, (dict, list))])
    return 0


def _runs(options: argparse.Namespace) -> list[str]:
    from mfcore.runs.datasets import runs_on

    return [run.run_id for run in runs_on(options.dataset, RunStore(options.home))]


def rename(options: argparse.Namespace) -> int:
    """Give an imported dataset another title; its name stays, by which runs know it."""
    from mfcore.data.imported import rename_dataset

    rename_dataset(options.dataset, title=options.title, description=options.description, home=options.home)
    return _done(options, {"dataset": options.dataset}, f"{options.dataset} is renamed")


def export(options: argparse.Namespace) -> int:
    """Write an imported dataset as CSV or Parquet."""
    from mfcore.data.imported import export_dataset

    path = export_dataset(options.dataset, options.file, options.home)
    return _done(options, {"dataset": options.dataset, "path": str(path)}, f"wrote {path}")


def delete(options: argparse.Namespace) -> int:
    """Delete an imported dataset; with runs that need it only when told to."""
    from mfcore.data.imported import delete_dataset, describe_dataset

    describe_dataset(options.dataset, options.home)
    runs = _runs(options)
    need = f"{len(runs)} run{'s' if len(runs) > 1 else ''} need{'' if len(runs) > 1 else 's'} {options.dataset}"
    require(not runs or options.even_so, f"{need} ({', '.join(runs[:5])}); delete them first, or add --even-so")
    delete_dataset(options.dataset, options.home)
    return _done(options, {"deleted": options.dataset, "runs": runs}, f"deleted {options.dataset}")


def export_run(options: argparse.Namespace) -> int:
    """A run as one zip file."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    path = Path(options.file)
    try:
        path.write_bytes(store.export_zip(run_id))
    except OSError as error:
        raise UnusableRequest(f"cannot write {path} ({reason(error)})") from error
    return _done(options, {"run_id": run_id, "path": str(path)}, f"wrote {path}")


def import_run(options: argparse.Namespace) -> int:
    """Add a run from a zip file that export-run, or the page Runs, has written."""
    path = Path(options.file)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableRequest(f"cannot read {path} ({reason(error)})") from error
    run_id = RunStore(options.home).import_zip(content)
    return _done(options, {"run_id": run_id}, f"added run {run_id}")


def _done(options: argparse.Namespace, found: dict[str, Any], sentence: str) -> int:
    if options.json:
        print_json(found)
    else:
        say(sentence)
    return 0
