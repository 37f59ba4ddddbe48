"""Faults that a search must survive: nothing that was shown is lost, nothing runs twice, no file is left half-written.

Training is pretended and takes a moment; processes, kills, signals, database and files are real. More tries, and the
same with networks that are trained: `python -m benchmarks.reliability --help`.
"""

import numpy as np
import pytest

from benchmarks.reliability.scenarios import SCENARIOS

SEED = 7


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow]) for name in SCENARIOS])
def test_a_search_survives(tmp_path, name):
    found = SCENARIOS[name](tmp_path, np.random.default_rng(SEED), is_real=False)
    assert not found.problems, "\n".join(found.problems)
    assert found.lost == 0
