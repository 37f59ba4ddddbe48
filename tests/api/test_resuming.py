"""`--resume` goes on with a run as it was begun, and says plainly why where it cannot."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import autotl
from autotl.api import searching
from autotl.cli.app import run
from autotl.run import RunFolder, Study
from autotl.run.study import ENDED, FINISHED

TASK = """\
name: pets
data: {target: {train: data.npz, test: 0.2}}
budget: {trials: 4, wall: 10m}
search_space: {backbone: small_cnn, image_size: 32, unfrozen_layers: {choice: [2, 4]}, epochs: 3}
"""


class KilledError(BaseException):
    """Stands for a kill: nothing of ours handles it."""


def write_data(folder, *, seed=0, rows=60):
    draws, labels = np.random.default_rng(seed), np.arange(rows) % 2
    pixels = draws.integers(0, 255, (rows, 16, 16, 3)).astype("uint8")
    np.savez(folder / "data.npz", x=pixels, y=np.array(["red", "green"])[labels])


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A run that was killed when its search had begun; what it was asked for is written, and no trial is."""
    write_data(tmp_path)
    (tmp_path / "task.yaml").write_text(TASK)

    def killed(*args, **named):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(searching, "run_search", killed)
        with pytest.raises(KilledError):
            autotl.search(tmp_path / "task.yaml", out=tmp_path / "run", workers=1, start_with=plans(tmp_path))
    return tmp_path / "run"


def plans(folder):
    (folder / "plans.json").write_text(json.dumps([{"backbone": "small_cnn", "image_size": 32, "learning_rate": 0.01}]))
    return folder / "plans.json"


@pytest.fixture
def order_of(monkeypatch):
    """What a resumed search is told to search, without searching."""
    orders = []

    def told(order, run, study, budget, **named):
        orders.append((order, budget))
        raise KilledError

    def order_of(*args, **named):
        with monkeypatch.context() as patched:
            patched.setattr(searching, "run_search", told)
            with pytest.raises(KilledError):
                autotl.search(*args, **named)
        return orders.pop()

    return order_of


def resumed(*words, code, capsys):
    assert run(["search", *(str(word) for word in words)]) == code
    return capsys.readouterr().err


def put_facts(path, **facts):
    study = Study(path / "study.db")
    for name, value in facts.items():
        study.put_fact(name, value)
    study.close()


@pytest.mark.parametrize("names_the_task", [False, True], ids=["by its own record", "by its task"])
def test_a_run_goes_on_with_what_it_was_begun_with(begun, order_of, names_the_task):
    (begun.parent / "plans.json").unlink()
    task = [begun.parent / "task.yaml"] if names_the_task else []
    order, budget = order_of(*task, resume=begun)
    assert (order.trials, order.workers, order.seed) == (4, 1, 0)
    assert [plan.learning_rate for plan in order.given] == [0.01]
    assert order.space.values("unfrozen_layers") == [2, 4]
    assert budget.wall_seconds == 600


def test_it_may_be_given_more(begun, order_of):
    order, budget = order_of(resume=begun, trials=9, wall="20m", workers=2)
    assert (order.trials, order.workers, budget.wall_seconds) == (9, 2, 1200)
    order, budget = order_of(resume=begun)
    assert (order.trials, order.workers, budget.wall_seconds) == (9, 2, 1200), "and keeps it"


def test_time_that_earlier_sittings_took_is_gone(begun, order_of):
    put_facts(begun, seconds_spent=400.0)
    _, budget = order_of(resume=begun)
    assert 395 < budget.spent < 460
    assert budget.search_ends - budget.started == pytest.approx(600 - 400 - 90)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("seed: 7", "seed: 0 there, 7 now"),
        ("metric: macro_f1", "metric: nothing there, 'macro_f1' now"),
        ("weights: balanced", "weights: 'none' there, 'balanced' now"),
    ],
)
def test_another_task_is_refused_with_the_difference(begun, capsys, changed, words):
    (begun.parent / "task.yaml").write_text(f"{TASK}{changed}\n")
    said = resumed(begun.parent / "task.yaml", "--resume", begun, code=3, capsys=capsys)
    assert words in said
    assert len(said.splitlines()) == 2


def test_another_space_is_refused_with_the_difference(begun, capsys):
    (begun.parent / "task.yaml").write_text(TASK.replace("[2, 4]", "[2, 6]"))
    said = resumed(begun.parent / "task.yaml", "--resume", begun, code=3, capsys=capsys)
    assert "search_space.unfrozen_layers.choice[1]: 4 there, 6 now" in said


def test_a_budget_may_change_in_the_task_too(begun, order_of):
    (begun.parent / "task.yaml").write_text(TASK.replace("trials: 4", "trials: 6"))
    order, _ = order_of(begun.parent / "task.yaml", resume=begun)
    assert order.trials == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, ["examples with other content: 48, such as row 0"]),
        ({"rows": 80}, ["data.target.train.rows: ", "examples new: 20"]),
    ],
    ids=["other pixels", "more examples"],
)
def test_other_data_are_refused_with_what_has_changed(begun, capsys, changes, words):
    write_data(begun.parent, **changes)
    said = resumed("--resume", begun, code=4, capsys=capsys)
    assert "the data are not those that" in said
    assert all(word in said for word in words)
    assert "begin a search of its own" in said


@pytest.mark.parametrize(
    "options", [["--out", "elsewhere"], ["--baselines", "none"], ["--no-early-stop"], ["--start-with", "plans.json"]]
)
def test_what_a_run_is_begun_with_cannot_be_given_anew(begun, capsys, options):
    said = resumed("--resume", begun, *options, code=2, capsys=capsys)
    assert f"{options[0]} cannot go with --resume" in said


def test_nothing_is_resumed_where_there_is_no_run(tmp_path, capsys):
    assert "holds no run" in resumed("--resume", tmp_path / "none", code=3, capsys=capsys)
    assert "holds no run" in resumed("--resume", tmp_path, code=3, capsys=capsys)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("content", ["", "tables"])
def test_a_run_that_was_killed_before_it_began_says_so(tmp_path, capsys, content):
    folder = RunFolder.create(tmp_path / "run")
    if content:
        Study(folder.path / "study.db").close()
    else:
        (folder.path / "study.db").touch()
    assert "before its search began" in resumed("--resume", folder.path, code=3, capsys=capsys)


def test_a_finished_run_says_so_and_offers_its_report(begun, capsys):
    put_facts(begun, **{FINISHED: True, ENDED: "trials"})
    said = resumed("--resume", begun, code=3, capsys=capsys)
    assert "is finished" in said
    assert f"autotl report {begun}" in said


def test_a_finished_run_goes_on_with_more_trials(begun, order_of):
    put_facts(begun, **{FINISHED: True, ENDED: "trials"})
    order, _ = order_of(resume=begun, trials=30)
    assert order.trials == 30
    study = Study(begun / "study.db")
    assert FINISHED not in study.facts(), "until it has come to its new end"
    study.close()


def test_a_run_that_another_process_works_on_is_refused(begun, capsys):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from autotl.run import RunFolder\n"
            f"with RunFolder(Path({str(begun)!r})).owned():\n    print('mine', flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "mine\n"
        said = resumed("--resume", begun, code=8, capsys=capsys)
        assert f"is being worked on by process {holder.pid} on" in said
    finally:
        holder.kill()
        holder.wait()
    assert (begun / ".owner.json").exists(), "it was killed and could not take its name away"
    with RunFolder(begun).owned():
        pass  # the system has given the lock back


class Exploding:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark) -> None:
        self.mark = mark

    def __reduce__(self):
        return (exec, (f"open({str(self.mark)!r}, 'w').close()",))


def test_a_planted_pickle_is_never_opened(begun, order_of, capsys):
    mark = begun.parent / "opened"
    planted = pickle.dumps(Exploding(mark))
    for name in ("tuner.pkl", "searcher-state.pkl", "trials/0/weights.npz", "trials/0/checkpoint.npz", "examples.npz"):
        (begun / name).parent.mkdir(exist_ok=True)
        (begun / name).write_bytes(planted)
    order_of(resume=begun)
    assert run(["leaderboard", str(begun)]) in (0, 8)
    assert run(["report", str(begun)]) in (0, 8)
    assert not mark.exists()
    pickle.loads(planted)
    assert mark.exists(), "it would have told"
