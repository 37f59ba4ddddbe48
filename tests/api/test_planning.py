"""What a search would take is told from the task, the data and what this machine took before; nothing is trained."""

import os
from pathlib import Path

import pytest
from PIL import Image

from autotl import api
from autotl.errors import TaskError, UsageError
from autotl.search.cost import Afterwards, CostLog, Observed

TASK = """\
name: pets
data: {target: {train: photos}}
budget: {trials: 20, wall: 2h}
search_space:
  backbone: {choice: [small_cnn, efficientnet_lite0]}
  tap: last
  unfrozen_layers: {choice: [0, 4]}
"""


@pytest.fixture
def task(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = (number * 20, 0, int(name == "dog"))
            Image.new("RGB", (16, 16), pixels).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "task.yaml").write_text(TASK)
    return tmp_path / "task.yaml"


def test_a_plan_tells_trials_time_disk_and_memory(task):
    planned = api.plan(task, workers=1)
    found = planned.forecast
    assert (found.asked, found.trials, found.workers) == (20, 20, 1)
    assert 0 < found.seconds < planned.wall_seconds == 7_200
    assert found.disk_bytes > 0
    assert found.memory_mb > 1_000
    assert planned.cost is None
    assert planned.as_dict()["seconds_range"] == [found.seconds / 2, found.seconds * 2]
    words = " ".join(planned.sentences)
    assert words.startswith("20 trials and ")
    assert "is enough for all of them" in words
    assert "has trained nothing yet" in words


def test_what_the_command_line_says_counts(task):
    short = api.plan(task, wall="30s", workers=1)
    assert short.forecast.trials < 20
    assert f"ends it after about {short.forecast.trials} trial" in " ".join(short.sentences)
    assert api.plan(task, trials=3, baselines="none").forecast.baselines == 0


def test_money_where_a_price_is_told_and_the_tasks_own_where_not(task):
    planned = api.plan(task, price="2.40 EUR")
    assert planned.cost == pytest.approx(2.4 * planned.forecast.seconds / 3_600)
    assert any(sentence.endswith("EUR at 2.4 EUR an hour.") for sentence in planned.sentences)
    task.write_text(f"{TASK}resources: {{price_per_hour: 3}}\n")
    assert api.plan(task).cost == pytest.approx(3 * api.plan(task).forecast.seconds / 3_600, rel=0.2)


@pytest.mark.parametrize("price", ["much", "-1", "2.40 EUR a day", ""])
def test_what_is_no_price_is_refused(task, price):
    with pytest.raises(UsageError, match="is no price. Write an amount"):
        api.plan(task, price=price)


def test_what_this_machine_took_before_moves_the_estimate(task):
    before = api.plan(task, workers=1)
    slow = {"features": 50.0, "train": 300.0, "score": 20.0, "overhead": 5.0}
    trials = [Observed("suffix", 60.0, 0.1, 0.01, 60.0, 20.0, 24.0, 0.5, slow, 3_000.0)] * 20
    CostLog(Path(os.environ["AUTOTL_HOME"])).add(trials, afterwards=Afterwards({"report": 60.0}, 0.0, 30.0))
    after = api.plan(task, workers=1)
    assert after.learnt_from == 20
    assert after.forecast.of_trials > 3 * before.forecast.of_trials
    assert after.forecast.afterwards >= 60
    assert after.forecast.memory_mb > before.forecast.memory_mb
    assert any(sentence.startswith("Estimated from 20 trials") for sentence in after.sentences)


def test_a_limit_that_no_backbone_can_meet_is_a_mistake_in_the_task(task):
    task.write_text(f"{TASK}limits: {{model_mb: 0.01}}\n")
    with pytest.raises(TaskError) as caught:
        api.plan(task)
    first, *rest = str(caught.value).splitlines()
    assert first.endswith("limits.model_mb: no backbone of the space is that small:")
    assert any("efficientnet_lite0 takes 14.2 MB" in line for line in rest)


def test_a_backbone_over_a_limit_is_left_out(task):
    task.write_text(f"{TASK}limits: {{model_mb: 5}}\n")
    opened = api.open_task(task, api.Overrides())
    assert [spec.name for spec in opened.space.values("backbone")] == ["small_cnn"]
    (reason,) = opened.unavailable.values()
    assert reason == "efficientnet_lite0 takes 14.2 MB, and limits.model_mb is 5"
