"""Windows of a signal as the forest takes them: classical features, float32 (n, features)."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def preprocess(examples: Sequence[Any], described: dict[str, Any]) -> Any:
    """The features of windows (samples, channels)."""
    from signal_features import signal_features  # laid beside this file

    return signal_features(np.stack([np.asarray(window, dtype=np.float32) for window in examples]))
