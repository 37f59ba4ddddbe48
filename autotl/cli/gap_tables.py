"""The figures of a domain gap as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from autotl.report.gap_figures import figures
from autotl.report.wording import visible

MOST_COLUMNS = 12


def gap_table(panels: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row per measure, a column per source."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("measure", overflow="fold")
    for name in panels:
        table.add_column(visible(name), justify="right", overflow="fold")
    table.add_column("read as", overflow="fold")
    by_source = [figures(panel) for panel in panels.values()]
    for same in zip(*by_source, strict=True):
        table.add_row(same[0].name, *(figure.value for figure in same), same[0].reading)
    return table


def column_table(source: str, columns: Sequence[Mapping[str, Any]]) -> Table:
    """The columns of a table that moved most."""
    more = len(columns) - MOST_COLUMNS
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        title=f"Columns, {visible(source)} against the target",
        title_justify="left",
        caption=f"and {more} more, in --json" if more > 0 else None,
        caption_justify="left",
    )
    for title in ("column", "distance", "p (Holm)", "stability index", "importance"):
        table.add_column(title, justify="left" if title == "column" else "right", overflow="fold")
    for column in columns[:MOST_COLUMNS]:
        table.add_row(
            visible(column["name"]),
            f"{column['distance']:.3f}",
            f"{column['p_value']:.2g}",
            f"{column['stability']:.2f}",
            f"{column['importance']:.2f}",
        )
    return table
