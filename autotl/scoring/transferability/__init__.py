"""How well a frozen network's features suit a labelled task, told from a small sample of them without any training.

One file per score; each takes features (n, d) and labels (n,), and more is better. Importing this room imports neither
SciPy nor scikit-learn.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.transferability.h_score import h_score
from autotl.scoring.transferability.linear_probe import linear_probe
from autotl.scoring.transferability.log_me import log_me
from autotl.scoring.transferability.sample import sample_rows

Features = NDArray[Any]  # (n, d), finite
Labels = NDArray[np.int64]  # (n,) class indices, all known

TRANSFERABILITY: dict[str, Callable[[Features, Labels], float]] = {
    "linear_probe": linear_probe,
    "log_me": log_me,
    "h_score": h_score,  # adding a score adds this line
}

__all__ = ["TRANSFERABILITY", "h_score", "linear_probe", "log_me", "sample_rows"]
