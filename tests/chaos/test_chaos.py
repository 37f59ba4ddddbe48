"""Faults that a search must survive: nothing that was shown is lost, nothing runs twice, no file is left half-written.

Training is pretended and takes a moment; processes, kills, signals, database and files are real. More tries, and the
same with networks that are trained: `python -m benchmarks.reliability --help`.
"""

import numpy as np
import pytest

from benchmarks.reliability.scenarios import SCENARIOS, once
from benchmarks.reliability.watched import Watched

SEED = 7
# The others: pytest -m slow tests/chaos. Of those, workers that die (R1, R2) and plans that diverge (R12) are met every
# time by searches of this process (tests/search/test_resuming.py, test_tuning.py), plans that raise (R13) by a workshop
# (tests/trial/test_workshop.py).
EVERY_TIME = ("R3", "R5")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in EVERY_TIME else [pytest.mark.slow]) for name in SCENARIOS]
)
def test_a_search_survives(tmp_path, name):
    found = once(name, Watched(tmp_path / "task"), np.random.default_rng(SEED))
    assert not found.problems, "\n".join(found.problems)
    assert found.lost == 0
