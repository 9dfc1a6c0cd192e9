"""What the documents published, what we measure, and what differs, as rows to print."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One line of the table. Empty where a document says nothing."""

    what: str
    published: str
    ours: str
    differs: str


def lines(result: dict[str, Any]) -> Iterator[Line]:
    """Every line, document by document."""
    yield from _rosenthal(result["rosenthal"])
    yield from _takuti(result["takuti"])
    yield from _neumf(result["neumf"])


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(title="The seeds, measured again")
    for heading in ("what", "published", "ours", "what differs, and why"):
        table.add_column(heading, overflow="fold")
    for line in lines(result):
        table.add_row(line.what, line.published or "–", line.ours, line.differs)
    Console(width=180).print(table)


def mean(values: Sequence[float], digits: int = 3) -> str:
    """Mean ± standard deviation; the deviation only where there are several."""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def _rosenthal(found: dict[str, Any]) -> Iterator[Line]:
    for case in found["as_written"]:
        ours = f"RMSE {case['untrained_rmse']:.4f} → {case['rmse']:.4f}"
        moved = f"learns nothing: no number moves by more than {case['largest_change']:.5f} in one pass at 1e-6"
        yield Line(f"{case['preset']}, as written", "", ours, moved)
    for case in found["with_a_step_that_moves"]:
        ours = f"train RMSE {case['train_rmse']:.3f}, test {case['rmse']:.3f}"
        always = found["always_2.5_rmse"]
        why = (
            f"nothing to learn: ratings by heart, never below {case['lowest_rmse_of_any_epoch']:.3f}; always 2.5: {always:.3f}"
        )
        yield Line(f"{case['preset']}, step {case['learning_rate']:g}, {case['num_epochs']} passes", "", ours, why)


def _takuti(found: dict[str, Any]) -> Iterator[Line]:
    for case in found["cases"]:
        what = f"takuti, start {case['start']}, step {case['learning_rate']:g}"
        ours = " · ".join(
            f"{words}: RMSE {mean(case[name]['rmse'])}, MAE {mean(case[name]['mae'])}"
            for name, words in (("by_hand", "by hand"), ("trainer", "trainer"))
        )
        published, all_rmse = case["published"], case["trainer"]["rmse"]
        if published:
            said = f"RMSE {published['rmse']:.4f}, MAE {published['mae']:.4f}"
            spread = f"{len(all_rmse)} runs lie between {min(all_rmse):.3f} and {max(all_rmse):.3f}"
            yield Line(what, said, ours, f"split, start and order drawn anew, no other difference: {spread}")
        else:
            yield Line(what, "", ours, "neither of his runs: start or step swapped, or a small start")
    yield Line("always the mean rating", "", f"RMSE {mean(found['always_the_mean_rmse'])}", "the line to beat")
    gap = found["by_hand_against_trainer"]
    yield Line("by hand against trainer, one epoch", "", f"{gap:.1e}", "largest difference of any factor, same order: rounding")


def _neumf(found: dict[str, Any]) -> Iterator[Line]:
    constant = found["constant_model"]
    by_ties = ", ".join(f"{ties} {value:.0%}" for ties, value in constant["hr@10_by_ties"].items())
    sorts = constant["test_item_listed_first_is_found_by"]
    found_by = ", ".join(f"{name}: {'yes' if hit else 'no'}" for name, hit in sorts.items())
    yield Line("NeuMF, a constant model: HR@10 by ties", "", by_ties, f"test item listed first is found by {found_by}")
    reported = found["as_the_tutorial_reports"]
    ours = f"HR@10 {mean(reported['hr@10'])}, NDCG@10 {mean(reported['ndcg@10'])}"
    yield Line("NeuMF tutorial, as it reports", "", ours, "ML-100K, not 1M; every defect; best epoch on test, one draw of 100")
    for name, case in found["one_defect_at_a_time"].items():
        if "ndcg@10" in case:
            ours = f"HR@10 {mean(case['hr@10'])}, NDCG@10 {mean(case['ndcg@10'])}, full {mean(case['ndcg@10/full'])}"
            yield Line(f"NeuMF, {name}", "", ours, "trained without validation and test; epoch by validation; 20 draws of 99")
        else:
            ours = f"HR@10 {mean(case['hr@10'])}, at validation's choice {mean(case['hr@10_at_validations_choice'])}"
            yield Line(f"NeuMF, {name}", "", ours, "the mended training, one draw of 100: what looking at test adds")
