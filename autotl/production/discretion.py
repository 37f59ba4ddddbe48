"""What may not leave the house of a source: models that hold examples, and what a schema tells of a few rows."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from autotl.backbones.classical import BAG_OF_WORDS, CLASSICAL, DESCRIPTIONS
from autotl.backbones.hugging_face import NAME as HUGGING_FACE
from autotl.data.exported import FEWEST_EXAMPLES
from autotl.data.joining import join_inputs
from autotl.data.number_text import read_numbers
from autotl.data.records import Records
from autotl.data.schema import CategoricalColumn, DateColumn, NumericColumn, Schema
from autotl.errors import DataError, UsageError
from autotl.plan import Plan

ANY_DAY = "1970-01-01"  # the origin of dates whose distance from it nothing reads
HIDDEN = "\x01"  # behind the name before it: sorts right there, and stands in no cell


def refuse_unless_it_may_leave(plan: Plan, *, trial: int) -> None:
    """Raises a UsageError, with the reason, for a plan whose model holds examples or cannot be written."""
    advice = "Name another trial: --trial N."
    if plan.backbone.origin == CLASSICAL:
        name = plan.backbone.name
        raise UsageError(f"trial {trial} is {name}: {DESCRIPTIONS[name].why_not_exported}. {advice}")
    if plan.join == BAG_OF_WORDS:
        reason = DESCRIPTIONS[BAG_OF_WORDS].why_not_exported
        raise UsageError(f"trial {trial} joins a bag of words: {reason}. {advice}")
    if plan.backbone.origin == HUGGING_FACE:
        raise UsageError(f"trial {trial} runs an encoder on PyTorch, which a Keras file cannot hold. {advice}")
    if plan.backbone.trusted:
        raise UsageError(f"trial {trial} runs a SavedModel, which a Keras file cannot hold. {advice}")


def schema_that_may_leave(schema: Schema, tables: Sequence[Records]) -> Schema:
    """The schema with every category that fewer than ten rows hold named by a sign that no cell has.

    Codes stay as they are, so the model reads the others as before; a hidden category is read as unknown.

    Args:
        tables: the rows of every domain.
    Raises:
        DataError: a column says something of single rows that cannot be taken out.
    """
    records = cast(Records, join_inputs(tables))
    mistakes: list[str] = []
    columns: list[NumericColumn | CategoricalColumn | DateColumn] = []
    for column in schema.columns:
        cells = records.cells[column.name]
        if isinstance(column, CategoricalColumn):
            counts = dict(zip(cells.texts, cells.counts().tolist(), strict=True))
            columns.append(column.model_copy(update={"categories": _hidden(column.categories, counts)}))
            continue
        if isinstance(column, DateColumn):
            if "days" in column.parts:
                mistakes.append(
                    f"the age of {column.name!r} is counted from the earliest date of the table, which is a cell of an "
                    "example. Leave the column out with data.columns.drop, search again, and export that."
                )
            columns.append(column.model_copy(update={"origin": ANY_DAY}))
            continue
        values, _ = read_numbers(cells.texts, column.notation)
        filled = int(np.isfinite(values)[cells.codes].sum())
        if filled < FEWEST_EXAMPLES:
            mistakes.append(
                f"the column {column.name!r} has {filled} filled cells, and a mean or median over fewer than "
                f"{FEWEST_EXAMPLES} would tell of examples. Leave it out with data.columns.drop, search again, and "
                "export that."
            )
        columns.append(column)
    if mistakes:
        raise DataError(mistakes)
    return Schema(columns=tuple(columns))


def _hidden(categories: Sequence[str], counts: dict[str, int]) -> tuple[str, ...]:
    kept: list[str] = []
    for category in categories:
        common = counts.get(category, 0) >= FEWEST_EXAMPLES
        kept.append(category if common else (kept[-1] if kept else "") + HIDDEN)
    return tuple(kept)
