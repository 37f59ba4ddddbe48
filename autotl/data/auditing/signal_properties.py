"""What is beside the point in signals: the step in which a recorder counts, and the offset and gain it adds."""

import numpy as np
from numpy.typing import NDArray

from autotl.data.auditing.properties import Floats, Properties, Property
from autotl.data.windows import Windows

MOST_CHANNELS = 4
FEW_STEPS = 20  # between neighbouring values, where a recorder counts in steps; else they are anything
OFF_STEP = 0.1  # of a step, that a difference may be beside a whole number of them
_BLOCK = 256  # windows read together


def signal_properties(windows: Windows) -> Properties:
    """Of windows, by their first channels."""
    channels = range(min(MOST_CHANNELS, windows.shape[1]))
    offsets, gains = np.empty((2, len(windows), len(channels)))
    steps = np.empty((len(windows), len(channels)))
    for start in range(0, len(windows), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(windows)), dtype=np.int64)
        block = windows.read(rows)[:, :, : len(channels)].astype(np.float64)
        offsets[rows], gains[rows] = block.mean(axis=1), block.std(axis=1)
        steps[rows] = [[recording_step(window[:, channel]) for channel in channels] for window in block]
    columns: list[Property] = []
    for channel in channels:
        name = f" of {windows.channels[channel]!r}" if windows.channels else ""
        name = name or (f" of channel {channel}" if len(channels) > 1 else "")
        columns.append(Property(f"the step of the recording{name}", steps[:, channel], "origin"))
        columns.append(Property(f"the offset{name}", offsets[:, channel], "appearance"))
        columns.append(Property(f"the gain (standard deviation){name}", gains[:, channel], "appearance"))
    return Properties(
        tuple(columns),
        examples="windows",
        origin="the steps in which the recorder counts",
        appearance="offset and gain",
        remedy="Take windows {of_all} from several records, and name the record as data.columns.group.",
        question="info",  # a fault is louder than none
    )


def recording_step(values: NDArray[np.float64]) -> float:
    """The step that all differences of a record are multiples of, to three digits; NaN where there is none."""
    gaps: Floats = np.diff(np.unique(values))
    if not len(gaps):
        return float("nan")
    step = float(gaps.min())
    close = gaps[gaps < FEW_STEPS * step] / step
    if len(close) < 0.5 * len(gaps) or np.abs(close - np.rint(close)).max() > OFF_STEP:
        return float("nan")
    return float(f"{float(np.mean(close / np.rint(close))) * step:.3g}")
