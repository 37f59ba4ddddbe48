"""What a long table of samples needs to be cut into examples: its clock, its records and a window."""

from collections.abc import Sequence
from pathlib import Path

from autotl.data.draft import Draft
from autotl.data.long_signal import LongSignal, choose_window
from autotl.errors import DataError


def put_signal(draft: Draft, signal: LongSignal | None, paths: Sequence[Path]) -> None:
    """Puts them, or raises a `DataError` where there is none, or nothing to divide."""
    path, hint = paths[0], "give a column such as 'record' that tells records apart"
    if signal is None:
        words = f"{path}: is no signal that can be cut: no column holds samples, or time runs back within every record."
        raise DataError(f"{words} Sort the rows by time, and {hint}.")
    if signal.unit is None and len(paths) == 1:
        words = f"{path}: is one single record, which stays on one side of every split: nothing is left to score on."
        raise DataError(f"{words} If it is several, {hint}, or a file for each.")
    if signal.time is not None:
        draft.put("data.columns.time", signal.time)
    if signal.unit is not None:
        draft.put("data.columns.unit", signal.unit)
    for name in signal.not_numbers:
        if name:
            draft.add("data.columns.drop", name, "no samples")
    window = choose_window(signal.runs)
    if window is None:
        raise DataError(f"{path}: its stretches of one label are too short to cut windows of 16 samples from.")
    lasts = f", {window * signal.step:.3g} in {signal.time!r}" if signal.step else ""
    draft.put("window", window, f"samples of one example{lasts}: the longest power of two that leaves enough windows")
    draft.offer("stride", window // 2, "left out: as long as the window. Shorter: overlapping windows, more examples")
    draft.say(f"Windows of {window:,} samples{lasts}.")
