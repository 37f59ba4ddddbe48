"""Windows of a signal as the model takes them: float32 (n, samples, channels)."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def preprocess(examples: Sequence[Any], described: dict[str, Any]) -> Any:
    """Windows, stacked."""
    return np.stack([np.asarray(window, dtype=np.float32) for window in examples])
