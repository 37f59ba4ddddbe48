"""Tables: the cells of a row that decide, and the columns that a model goes by.

A cell is marginalised: the model is asked about the row with cells of other rows in its place. A column is shuffled.

Papers: Robnik-Šikonja & Kononenko, "Explaining classifications for individual instances", IEEE TKDE 2008; Breiman,
"Random forests", Machine Learning 2001, section 10; Fisher, Rudin & Dominici, "All models are wrong, but many are
useful", JMLR 2019 (arXiv:1801.01489).
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.records import Records
from autotl.data.schema import Schema
from autotl.production.evidence.covering import Predict, Question, predict_all

METHOD = "marginalisation: cells are replaced by those of other rows"
REPLACEMENTS = 12  # other rows
MOST_SHOWN = 8  # cells of a row
LONGEST_CELL = 80  # characters
SHUFFLES = 5
MOST_ROWS = 500  # that columns are shuffled over
MOST_COLUMNS = 60

Matrix = NDArray[np.float32]


def shown(records: Records, row: int) -> dict[str, Any]:
    """The first cells of a row, as they were written."""
    return {
        "kind": "cells",
        "cells": [{"column": name, "cell": written(records, name, row), "lost": None} for name in _names(records)][
            :MOST_SHOWN
        ],
        "more_cells": max(0, len(_names(records)) - MOST_SHOWN),
    }


def looked_at(records: Records, row: int, others: Matrix, question: Question, index: int) -> dict[str, Any]:
    """What an answer hangs on.

    Args:
        others: rows of the table whose cells take the place of its own, (m, d).
    Returns:
        `cells`, those that matter most first, with what is lost without them (as `Effect` says); `before` and `after`,
        the answer to the row and without the cell that matters most; `place`, its column.
    """
    own = records.read(np.array([row]))
    columns = dict(_placed(records))
    replaced = [_with_columns_of(own, others, places) for places in columns.values()]
    said = predict_all(question.predict, np.concatenate([own, *replaced]))[:, index]
    effect = question.effect(float(said[0]), said[1:].reshape(len(columns), len(others)).mean(axis=1))
    order = np.argsort(-np.abs(effect.lost), kind="stable")
    names = list(columns)
    most = effect.most
    return {
        "cells": [
            {
                "column": names[place],
                "cell": written(records, names[place], row),
                "lost": effect.written(float(effect.lost[place])),
            }
            for place in order[:MOST_SHOWN].tolist()
        ],
        "before": effect.before,
        "after": float(effect.after[most]),
        "place": names[most],
    }


def columns_that_matter(
    records: Records,
    predict: Predict,
    worth: Callable[[NDArray[np.float32]], float],
    *,
    seed: int,
    is_over: Callable[[], bool],
) -> list[dict[str, Any]]:
    """How much worse the model is where a column tells it nothing: its cells are shuffled among the rows.

    Args:
        records: rows with known labels, at most `MOST_ROWS`.
        worth: of probabilities for these rows; more is better.
        is_over: whether the time is up; columns that were not reached are left out.
    Returns:
        A line per column, what matters most first: `column`, `drop` (mean over the shuffles), `low` and `high` (the
        least and the greatest of them).
    """
    matrix = records.read(np.arange(len(records)))
    whole = worth(predict_all(predict, matrix))
    draws = np.random.default_rng(seed)
    lines = []
    for name, places in list(_placed(records))[:MOST_COLUMNS]:
        if is_over():
            break
        drops = []
        for _ in range(SHUFFLES):
            shuffled = matrix.copy()
            shuffled[:, places] = matrix[draws.permutation(len(matrix))][:, places]
            drops.append(whole - worth(predict_all(predict, shuffled)))
        lines.append(
            {"column": name, "drop": float(np.mean(drops)), "low": float(min(drops)), "high": float(max(drops))}
        )
    return sorted(lines, key=lambda line: -float(line["drop"]))


def written(records: Records, name: str, row: int) -> str:
    """A cell as it stands in the table, cut where it is long."""
    cells = records.cells[name]
    text = cells.texts[int(cells.codes[row])]
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _schema(records: Records) -> Schema:
    assert records.schema is not None, "the task's tables have a schema"
    return records.schema


def _names(records: Records) -> list[str]:
    return [column.name for column in _schema(records).columns]


def _placed(records: Records) -> Iterator[tuple[str, list[int]]]:
    """Each column with its places in a row of numbers; a date has several."""
    start = 0
    for column in _schema(records).columns:
        width = len(column.names)
        yield column.name, list(range(start, start + width))
        start += width


def _with_columns_of(own: Matrix, others: Matrix, places: list[int]) -> Matrix:
    replaced = np.repeat(own, len(others), axis=0)
    replaced[:, places] = others[:, places]
    return replaced
