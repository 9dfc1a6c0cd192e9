"""What the documents published, what we measure, and what differs, as rows to print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.measured import Measured, under
from bench.seeds import neumf, rosenthal, takuti

WHO = ("by hand", "trainer")


@dataclass(frozen=True)
class Line:
    """One line of the table. Empty where a document says nothing."""

    what: str
    published: str
    ours: str
    differs: str


def lines(measured: dict[str, Measured]) -> Iterator[Line]:
    """Every line, document by document."""
    yield from _rosenthal(under(measured, "rosenthal"))
    yield from _takuti(under(measured, "takuti"))
    yield from _neumf(under(measured, "neumf"))


def show(measured: dict[str, Measured]) -> None:
    """Print the table."""
    table = Table(title="The seeds, measured again")
    for heading in ("what", "published", "ours", "what differs, and why"):
        table.add_column(heading, overflow="fold")
    for line in lines(measured):
        table.add_row(line.what, line.published or "–", line.ours, line.differs)
    Console(width=180).print(table)


def words(found: Measured, digits: int = 3) -> str:
    """Mean ± standard deviation; the deviation only where there are several."""
    spread = f" ± {found.sd:.{digits}f}" if found.sd is not None else ""
    return f"{found.value:.{digits}f}{spread}"


def _rosenthal(found: dict[str, Measured]) -> Iterator[Line]:
    always = found["always 2.5"].value
    for preset in rosenthal.EXPECTED:
        what = f"{preset}, as written"
        case = {name: one.value for name, one in under(found, what).items()}
        ours = f"RMSE {case['untrained_rmse']:.4f} → {case['rmse']:.4f}"
        yield Line(
            what, "", ours, f"learns nothing: no number moves by more than {case['largest_change']:.5f} in one pass at 1e-6"
        )
    for preset in rosenthal.EXPECTED:
        what = f"{preset}, {rosenthal.MOVING}"
        case = {name: one.value for name, one in under(found, what).items()}
        ours = f"train RMSE {case['train_rmse']:.3f}, test {case['rmse']:.3f}"
        never = f"never below {case['lowest_rmse_of_any_epoch']:.3f}; always 2.5: {always:.3f}"
        yield Line(what, "", ours, f"nothing to learn: ratings by heart, {never}")


def _takuti(found: dict[str, Measured]) -> Iterator[Line]:
    for start in takuti.STARTS:
        for rate in takuti.RATES:
            case, published = under(found, takuti.case(start, rate)), takuti.PUBLISHED.get((start, rate))
            ours = " · ".join(f"{who}: RMSE {words(case[f'{who}/rmse'])}, MAE {words(case[f'{who}/mae'])}" for who in WHO)
            said, differs = "", "neither of his runs: start or step swapped, or a small start"
            if published:
                said, runs = f"RMSE {published['rmse']:.4f}, MAE {published['mae']:.4f}", case["trainer/rmse"]
                spread = f"{runs.n} runs lie between {runs.low:.3f} and {runs.high:.3f}"
                differs = f"split, start and order drawn anew, no other difference: {spread}"
            yield Line(f"takuti, {takuti.case(start, rate)}", said, ours, differs)
    yield Line("always the mean rating", "", f"RMSE {words(found['always the mean rating'])}", "the line to beat")
    what = "by hand against trainer, one epoch"
    yield Line(what, "", f"{found[what].value:.1e}", "largest difference of any factor, same order: rounding")


def _neumf(found: dict[str, Measured]) -> Iterator[Line]:
    constant = {name: one.value for name, one in found.items() if name.startswith("constant model, ")}
    by_ties = ", ".join(f"{name.split(', ties ')[1]} {value:.0%}" for name, value in constant.items() if ", ties " in name)
    sorts = {name.rpartition(", ")[2]: hit for name, hit in constant.items() if ", ties " not in name}
    found_by = ", ".join(f"{name}: {'yes' if hit else 'no'}" for name, hit in sorts.items())
    yield Line("NeuMF, a constant model: HR@10 by ties", "", by_ties, f"test item listed first is found by {found_by}")
    for name in (neumf.AS_REPORTED, *neumf.VARIANTS, neumf.CHOSEN_ON_TEST):
        case = under(found, name)
        ours = f"HR@10 {words(case['hr@10'])}"
        if name == neumf.CHOSEN_ON_TEST:
            ours += f", at validation's choice {words(case['hr@10_at_validations_choice'])}"
            differs = "the mended training, one draw of 100: what looking at test adds"
        elif name == neumf.AS_REPORTED:
            ours += f", NDCG@10 {words(case['ndcg@10'])}"
            differs = "ML-100K, not 1M; every defect; best epoch on test, one draw of 100"
        else:
            ours += f", NDCG@10 {words(case['ndcg@10'])}, full {words(case['ndcg@10/full'])}"
            differs = "trained without validation and test; epoch by validation; 20 draws of 99"
        yield Line(f"NeuMF, {name}", "", ours, differs)
