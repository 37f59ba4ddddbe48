"""Where replays would have stopped, and what that would have cost."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.search.enough import _error, _stopped

POOL = SimpleNamespace(examples={"validation": 400})


@dataclass
class Told:
    """A replay whose trials reached these scores, in turn."""

    finals: list[float]
    complete: list[bool] = field(init=False)
    places: list[int] = field(init=False)

    def __post_init__(self):
        self.places, self.complete = list(range(len(self.finals))), [True] * len(self.finals)
        self.table = SimpleNamespace(finals=np.array(self.finals), tests=np.array(self.finals) - 0.01)

    def winner_after(self, trials):
        return int(np.argmax(self.finals[:trials]))


def test_the_standard_error_is_that_of_a_share_of_right_answers():
    assert _error(0.8, POOL) == pytest.approx((0.8 * 0.2 / 400) ** 0.5, rel=0.02)


def test_a_late_surprise_is_told_as_a_mistake_and_none_where_nothing_follows():
    flat = [0.8 + 0.001 * (number % 2) for number in range(30)]
    found = _stopped(Told(flat), POOL)
    assert (found.lost, found.on_test) == (0, 0)
    assert found.saved == pytest.approx(0.5), "it stops as soon as it may"
    surprised = _stopped(Told([*flat, 0.9]), POOL)
    assert surprised.lost == pytest.approx(0.099)
    assert surprised.errors > 1


def test_a_search_that_rises_to_its_end_is_stopped_before_its_last_trial_at_the_earliest():
    found = _stopped(Told(np.linspace(0.5, 0.9, 40).tolist()), POOL)
    assert found.saved == pytest.approx(1 / 40)
