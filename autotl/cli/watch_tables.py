"""What `watch` found, as tables for a terminal."""

from rich import box
from rich.table import Table

from autotl.api.watching import Watched
from autotl.report.wording import visible
from autotl.scoring import ESTIMATORS

MOST_CLASSES = 12


def figures_table(watched: Watched) -> Table:
    """A row per figure: what it was when the model was signed off, what it is now, and how to read it."""
    found = watched.found
    table = _table(f"Compared by {watched.features}")
    for title in ("figure", "then", "now", "read as"):
        table.add_column(title, justify="right" if title in ("then", "now") else "left", overflow="fold")
    for name, now in found.now.items():
        then = f"{found.then[name]:.3f}" if name in found.then else ""
        table.add_row(f"accuracy by {ESTIMATORS[name].spoken}", then, f"{now:.3f}", "an estimate; its fall counts")
    if found.accuracy is not None:
        table.add_row("accuracy, measured", f"{found.accuracy:.3f}", "", "with labels, before it was signed off")
    table.add_row(
        "A-distance", "0", _with_error(found.a_distance.value, found.a_distance.error), "2: always told apart"
    )
    unlike = f"{100 * found.unlike.value:.1f} %"
    table.add_row("unlike the training data", "1.0 %", unlike, "above 10 %: the model guesses")
    table.add_row("mean shift", "0", f"{found.mean_shift:.2f}", "in an example's usual distance from the mean")
    if found.mix_now:
        table.add_row("class mix", "0", f"{found.mix_moved:.2f}", f"1: disjoint; by chance {found.mix_chance:.2g}")
    table.add_row("examples", "", f"{found.rows:,}", "that were compared")
    columns = [("answer", each) for each in found.answers[:MOST_CLASSES]]
    for kind, column in [*columns, *(("column", each) for each in found.columns[:MOST_CLASSES])]:
        title = f"{kind} {visible(column.name)}"
        table.add_row(title, f"{column.by_chance:.2f}", f"{column.stability:.2f}", "stability index; above 0.25: moved")
    return table


def mix_table(watched: Watched) -> Table:
    """A row per class, those that moved most first."""
    found = watched.found
    table = _table("Class mix")
    for title in ("class", "then", "now", "95 % interval"):
        table.add_column(title, justify="left" if title == "class" else "right", overflow="fold")
    rows = list(zip(watched.classes, found.mix_then, found.mix_now, found.mix_low, found.mix_high, strict=True))
    for name, then, now, low, high in sorted(rows, key=lambda row: -abs(row[2] - row[1]))[:MOST_CLASSES]:
        table.add_row(visible(name), _percent(then), _percent(now), f"{_percent(low)} to {_percent(high)}")
    if len(rows) > MOST_CLASSES:
        table.caption = f"and {len(rows) - MOST_CLASSES} more, in --json"
    return table


def _table(title: str) -> Table:
    return Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", title=title,
        title_justify="left", caption_justify="left",
    )  # fmt: skip


def _with_error(value: float, error: float) -> str:
    return f"{value:.2f} ± {error:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
