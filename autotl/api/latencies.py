"""A limit on latency: those who would win are measured, on a machine that does nothing else, until one keeps it."""

import json
from collections.abc import Callable, Sequence

from autotl.run.trial_row import Row

LATENCY = "latency_ms"  # the column of a row, and the limit's name
MEASURED_TOGETHER = ("backbone", "image_size", "crop", "sequence_length", "pooling", "tap", "join", "head")


class Latencies:
    """What models were measured to take.

    Plans that differ in their training alone make models that take the same time, so one of them is measured.

    Args:
        measure: milliseconds of one prediction by a row's model.
    Attributes:
        measured: by trial.
    """

    def __init__(self, measure: Callable[[Row], float]) -> None:
        self._measure = measure
        self._by_structure: dict[str, float] = {}
        self.measured: dict[int, float] = {}

    def within_limit(self, rows: Sequence[Row], ranked: Callable[[Sequence[Row]], list[Row]]) -> list[Row]:
        """The rows as `ranked` orders them, with a winner that was measured and keeps the limit, if there is one.

        A row that was not measured counts as quick: it would have to win to be looked at.
        """
        while True:
            told = [{**row, LATENCY: self._known(row, otherwise=0.0)} for row in rows]
            order = ranked(told)
            winner = next((row for row in order if row["winner"]), None)
            if winner is None or winner["trial"] in self.measured:
                return [
                    {**row, LATENCY: self._known(row, otherwise=None), "latency_estimated": not self._is_known(row)}
                    for row in order
                ]
            self.measured[winner["trial"]] = self.of(winner)

    def of(self, row: Row) -> float:
        """What a row's model takes, measured unless one like it was."""
        if not self._is_known(row):
            self._by_structure[_structure(row)] = self._measure(row)
        return self._by_structure[_structure(row)]

    def _is_known(self, row: Row) -> bool:
        return _structure(row) in self._by_structure

    def _known(self, row: Row, *, otherwise: float | None) -> float | None:
        return self._by_structure.get(_structure(row), otherwise)


def _structure(row: Row) -> str:
    return json.dumps([row["plan"].get(name) for name in MEASURED_TOGETHER], sort_keys=True)
