"""Several tasks by one command: checked together, searched in turn, each in its own run folder, and resumed."""

import json
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from pretend_runs import pretend_run

from autotl import api
from autotl.api import several
from autotl.api.asked import ASKED, as_asked
from autotl.api.opening import Overrides
from autotl.api.searching import Run
from autotl.api.standing import read_leaderboard
from autotl.cli.app import run
from autotl.errors import (
    DataError,
    InterruptedSearchError,
    NothingToResumeError,
    NoUsableModelError,
    SeveralTasksError,
    StorageError,
    TaskError,
    UsageError,
)
from autotl.run import RunFolder, Study
from autotl.run.series import SERIES
from autotl.run.study import FINISHED, PARTIAL, SPENT
from autotl.search import cluster
from autotl.task.duration import format_duration

TASK = "name: {name}\ndata: {{target: {{train: data.csv}}}}\nbudget: {{trials: 2, wall: {wall}}}\n"


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Three tasks on one table; nothing starts Ray."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{number},{number % 7},{'yes' if number % 2 else 'no'}" for number in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,label", *rows]))
    for name, wall in (("kitchen", "10m"), ("garden", "20m"), ("cellar", "30m")):
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name, wall=wall))
    return [tmp_path / f"{name}.yaml" for name in ("kitchen", "garden", "cellar")]


class Searches:
    """Stands for `search`: writes a run as one would, or fails as told."""

    def __init__(self):
        self.seen = []
        self.clusters = []  # addresses of those that were joined; None for one of our own
        self.fails = {}  # task name -> error that ends its search, or is in its run
        self.seconds = 30.0

    def __call__(self, opened, *, listen):
        self.seen.append((opened.task.name, opened.overrides, opened.begun is not None))
        error = self.fails.get(opened.task.name)
        if isinstance(error, DataError):
            raise error
        path = opened.overrides.out if opened.begun is None else opened.begun.run.path
        run = pretend_run(path, task=opened.task.name) if opened.begun is None else RunFolder.open(path)
        study = Study(path / "study.db")
        known = {"trials": 2, "wall": opened.overrides.wall or format_duration(opened.task.budget.wall)}
        facts = {
            ASKED: as_asked(opened),
            SPENT: study.facts().get(SPENT, 0.0) + self.seconds,
            "task": {**study.facts()["task"], "modality": opened.task.modality or "table", "budget": known},
            "folder": str(opened.task.folder),
            PARTIAL if error else FINISHED: "stopped" if error else True,
        }
        for name, value in facts.items():
            study.put_fact(name, value)
        study.close()
        return Run(path, read_leaderboard(run), ("A sentence.",), error, is_whole=error is None)


@pytest.fixture
def searches(monkeypatch):
    fake = Searches()
    monkeypatch.setattr(several, "search", fake)

    @contextmanager
    def no_cluster(address=None, **settings):
        fake.clusters.append(address)
        yield

    for kind in ("private_cluster", "joined_cluster"):
        monkeypatch.setattr(cluster, kind, no_cluster)
    return fake


def search_all(tasks, **overrides):
    series = several.open_series(tasks, Overrides(**overrides))
    return series, list(several.search_series(series))


def test_each_task_gets_a_run_folder_by_its_name_and_the_page_leads_to_all(tasks, searches, tmp_path):
    series, turns = search_all(tasks, out=tmp_path / "out")
    assert [turn.task.name for turn in turns] == ["kitchen", "garden", "cellar"]
    assert [turn.run.path for turn in turns] == [tmp_path / "out" / turn.task.name for turn in turns]
    page = (series.path / "index.html").read_text()
    assert page.index("kitchen") < page.index("garden") < page.index("cellar")
    assert "3</b> done" in page


def test_tasks_of_one_name_do_not_share_a_folder(tasks, searches, tmp_path):
    tasks[1].write_text(TASK.format(name="Kitchen", wall="10m"))
    _, turns = search_all(tasks, out=tmp_path / "out")
    assert [turn.task.folder for turn in turns] == ["kitchen", "Kitchen-2", "cellar"]


def test_what_is_wrong_with_any_task_is_told_before_any_is_searched(tasks, searches, tmp_path):
    tasks[0].write_text("name: kitchen\ndata: {target: {train: missing.csv}}\n")
    tasks[2].write_text("name: cellar\ndata: {target: {train: data.csv}}\nmetrik: f1\n")
    with pytest.raises(SeveralTasksError) as caught:
        search_all(tasks, out=tmp_path / "out")
    assert "missing.csv" in str(caught.value)
    assert "metrik" in str(caught.value)
    assert not searches.seen
    assert not (tmp_path / "out").exists()


def test_one_file_named_twice_is_a_mistake(tasks):
    with pytest.raises(UsageError, match=r"kitchen\.yaml is named twice"):
        several.open_series([tasks[0], tasks[1], tasks[0].parent / "." / "kitchen.yaml"], Overrides())


def test_plans_to_start_with_are_for_one_task(tasks, tmp_path):
    with pytest.raises(UsageError, match="--start-with is for one task"):
        several.open_series(tasks, Overrides(start_with=tmp_path / "plans.json"))


def test_a_folder_that_is_not_empty_is_never_written_into(tasks, tmp_path):
    with pytest.raises(UsageError, match="is not empty"):
        several.open_series(tasks, Overrides(out=tmp_path))


def test_the_time_of_all_is_shared_as_the_tasks_ask_and_what_one_leaves_goes_to_the_others(tasks, searches, tmp_path):
    search_all(tasks, out=tmp_path / "out", wall="1h")
    walls = [overrides.wall for _, overrides, _ in searches.seen]
    left = 3600 - 30
    assert walls[0] == "600s"  # 10 of 60 minutes
    assert walls[1] == f"{round(left * 20 / 50)}s"
    assert walls[2] == f"{left - 30}s"


def test_without_a_time_for_all_each_has_its_own(tasks, searches, tmp_path):
    search_all(tasks, out=tmp_path / "out")
    assert [overrides.wall for _, overrides, _ in searches.seen] == [None, None, None]


def test_all_tasks_share_one_cluster_and_go_on_in_the_one_that_is_named(tasks, searches, tmp_path):
    searches.fails = {"kitchen": InterruptedSearchError("stopped", exit_code=130)}
    series, _ = search_all(tasks, out=tmp_path / "out")
    searches.fails = {}
    list(several.search_series(several.reopen_series(series.path, Overrides(address="10.0.0.5:6379"))))
    assert searches.clusters == [None, "10.0.0.5:6379"]
    assert [overrides.address for _, overrides, _ in searches.seen] == [None, *["10.0.0.5:6379"] * 3]


def test_a_task_that_fails_keeps_no_other_from_its_turn(tasks, searches, tmp_path):
    searches.fails = {"kitchen": DataError("a file has gone"), "garden": NoUsableModelError("no trial may win")}
    series, turns = search_all(tasks, out=tmp_path / "out")
    assert [type(turn.error) for turn in turns] == [DataError, NoUsableModelError, type(None)]
    page = (series.path / "index.html").read_text()
    assert "could not be searched" in page
    assert "a file has gone" in page


def test_a_signal_ends_the_series_and_resume_does_the_rest(tasks, searches, tmp_path):
    stopped = InterruptedSearchError("stopped by SIGINT", exit_code=128 + signal.SIGINT)
    searches.fails = {"garden": stopped}
    series, turns = search_all(tasks, out=tmp_path / "out", trials=7)
    assert [turn.task.name for turn in turns] == ["kitchen", "garden"]
    searches.fails, searches.seen = {}, []
    again = several.reopen_series(series.path, Overrides())
    assert [turn.task.name for turn in several.search_series(again)] == ["garden", "cellar"]
    assert [(name, begun) for name, _, begun in searches.seen] == [("garden", True), ("cellar", False)]
    assert {overrides.trials for _, overrides, _ in searches.seen} == {7}
    with pytest.raises(NothingToResumeError, match="every task of .* is finished"):
        several.reopen_series(series.path, Overrides())


def test_a_resumed_search_keeps_what_it_was_begun_with(tasks, searches, tmp_path):
    searches.fails = {"kitchen": InterruptedSearchError("stopped", exit_code=130)}
    series, _ = search_all(tasks, out=tmp_path / "out", baselines="none", early_stopping=False)
    searches.fails, searches.seen = {}, []
    list(several.search_series(several.reopen_series(series.path, Overrides())))
    assert [(name, begun) for name, _, begun in searches.seen] == [
        ("kitchen", True),
        ("garden", False),
        ("cellar", False),
    ]
    assert {(overrides.baselines, overrides.early_stopping) for _, overrides, _ in searches.seen} == {("none", False)}


def test_finished_tasks_go_on_with_more_trials(tasks, searches, tmp_path):
    series, _ = search_all(tasks, out=tmp_path / "out")
    again = several.reopen_series(series.path, Overrides(trials=9))
    assert len(again.opened) == 3
    with pytest.raises(NothingToResumeError):
        several.reopen_series(series.path, Overrides(trials=2))


def test_a_search_that_was_killed_before_it_began_begins_again(tasks, searches, tmp_path):
    series = several.open_series(tasks, Overrides(out=tmp_path / "out"))
    Study(RunFolder.create(series.path / "kitchen").path / "study.db").close()
    again = several.reopen_series(series.path, Overrides())
    assert [turn.run is not None for turn in several.search_series(again)] == [True, True, True]


def test_the_time_of_all_counts_what_earlier_sittings_took(tasks, searches, tmp_path):
    searches.fails = {"kitchen": InterruptedSearchError("stopped", exit_code=130)}
    searches.seconds = 100.0
    series, _ = search_all(tasks[:2], out=tmp_path / "out", wall="10m")
    searches.fails, searches.seen, searches.seconds = {}, [], 0.0
    list(several.search_series(several.reopen_series(series.path, Overrides())))
    left = 600 - 100
    assert [overrides.wall for _, overrides, _ in searches.seen] == [f"{100 + round(left / 3)}s", f"{left}s"]


@pytest.mark.parametrize(
    ("content", "word"),
    [("{", "cannot be read"), ('{"schema": 2}', "later version"), ('{"schema": 1, "asked": {}}', "cannot be read")],
)
def test_a_damaged_record_is_told(tmp_path, content, word):
    (tmp_path / SERIES).write_text(content)
    with pytest.raises(StorageError, match=word):
        several.reopen_series(tmp_path, Overrides())


def test_a_record_cannot_lead_out_of_its_folder(tmp_path):
    task = {"file": "task.yaml", "name": "a", "folder": "../elsewhere", "error": None}
    (tmp_path / SERIES).write_text(json.dumps({"schema": 1, "asked": {}, "tasks": [task]}))
    with pytest.raises(StorageError, match="cannot be read"):
        several.reopen_series(tmp_path, Overrides())


def test_the_command_shows_every_run_and_ends_with_the_first_error(tasks, searches, tmp_path, capsys):
    searches.fails = {"garden": NoUsableModelError("no trial may win")}
    words = ["search", *map(str, tasks), "--out", str(tmp_path / "out")]
    assert run(words) == NoUsableModelError.exit_code
    told = capsys.readouterr()
    assert "2 of 3: garden" in told.err
    assert "garden: no trial may win" in told.err
    assert told.out.count("Report:") == 3
    assert f"autotl search --resume {tmp_path / 'out'}" in told.out
    assert run(["search", str(tasks[0]), "--resume", str(tmp_path / "out")]) == UsageError.exit_code


def test_the_overview_finds_the_runs_of_a_series(tasks, searches, tmp_path):
    search_all(tasks, out=tmp_path / "runs" / "series-1")
    assert {best.task for best in api.read_overview(tmp_path / "runs")} == {"kitchen", "garden", "cellar"}
    assert {best.task for best in api.read_overview(tmp_path / "runs" / "series-1")} == {"kitchen", "garden", "cellar"}


LISTED = """\
modality: signal
tasks:
  - {name: pumps, data: {target: {train: pumps.npz}}}
  - {name: fans, data: {target: {train: fans.npz}}}
budget: {trials: 2, wall: 30m}
search_space: {backbone: pretrained_on_source, epochs: 2}
"""


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A file of two tasks on windows."""
    monkeypatch.chdir(tmp_path)
    draws = np.random.default_rng(0)
    for name in ("pumps", "fans"):
        x = draws.normal(size=(40, 32, 1)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.array(["worn", "fine"] * 20))
    (tmp_path / "halls.yaml").write_text(LISTED)
    return tmp_path / "halls.yaml"


def test_a_file_that_lists_tasks_is_a_series_of_them(listed, searches, tmp_path):
    series, turns = search_all([listed], out=tmp_path / "out")
    assert [turn.task.name for turn in turns] == ["pumps", "fans"]
    assert [turn.run.path for turn in turns] == [tmp_path / "out" / "pumps", tmp_path / "out" / "fans"]
    assert [each.listed for each in series.folder.tasks] == [True, True]
    opened = series.opened[1].task
    assert (opened.name, [each.name for each in opened.tasks]) == ("fans", ["pumps"])


def test_its_time_is_for_all_and_what_one_leaves_goes_to_the_next(listed, searches, tmp_path):
    search_all([listed], out=tmp_path / "out")
    assert [overrides.wall for _, overrides, _ in searches.seen] == ["900s", f"{1800 - 30}s"]


def test_one_that_was_stopped_goes_on_by_its_own_record_and_one_that_waited_by_the_file(listed, searches, tmp_path):
    searches.fails["pumps"] = InterruptedSearchError("stopped by SIGINT", exit_code=130)
    _, turns = search_all([listed], out=tmp_path / "out")
    assert len(turns) == 1
    searches.fails.clear()
    series = several.reopen_series(tmp_path / "out", Overrides())
    assert [turn.task.name for turn in several.search_series(series)] == ["pumps", "fans"]
    assert [(name, resumed) for name, _, resumed in searches.seen] == [
        ("pumps", False),
        ("pumps", True),
        ("fans", False),
    ]
    assert [[each.name for each in opened.task.tasks] for opened in series.opened.values()] == [["fans"], ["pumps"]]
    with pytest.raises(NothingToResumeError):
        several.reopen_series(tmp_path / "out", Overrides())


def test_what_is_wrong_with_all_of_them_is_told_once(listed):
    listed.write_text(LISTED.replace("fans.npz", "missing.npz") + "metrik: f1\nweights: heavy\n")
    with pytest.raises(TaskError) as caught:
        several.open_series([listed], Overrides())
    words = str(caught.value)
    assert words.count("metrik") == words.count("'heavy'") == words.count("missing.npz") == 1
    assert "halls.yaml:4:" in words


def test_tasks_that_do_not_belong_together_are_refused(listed, tmp_path):
    (tmp_path / "texts.csv").write_text(
        "\n".join(["text,label", *[f"a longer review number {n},good" for n in range(30)]])
    )
    listed.write_text(LISTED.replace("fans.npz", "texts.csv").replace("modality: signal\n", ""))
    with pytest.raises(TaskError, match=r"tasks\[1\]\.data: 'fans' holds texts, 'pumps' signals"):
        several.open_series([listed], Overrides())


def test_where_one_task_is_wanted_a_file_of_several_is_refused(listed, capsys):
    assert run(["gap", str(listed)]) == 2
    assert "lists several tasks, and this takes one" in capsys.readouterr().err


def test_a_file_is_checked_and_reckoned_task_by_task(listed, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTOTL_CACHE_DIR", str(tmp_path / "cache"))
    assert run(["validate", str(listed)]) == 0
    said = capsys.readouterr().out
    assert "Half of the trials learn pumps alone, half together with fans" in said
    assert "Half of the trials learn fans alone, half together with pumps" in said
    assert run(["plan", str(listed), "--wall", "1h", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["tasks"]
    assert {name: each["wall_seconds"] for name, each in told.items()} == {"pumps": 1800, "fans": 1800}
    assert run(["plan", str(listed)]) == 0
    assert "All 2 tasks, one after the other: about" in capsys.readouterr().out


def test_one_run_of_a_file_goes_on_by_itself_with_the_file_named_or_not(listed, searches, tmp_path):
    search_all([listed], out=tmp_path / "out")
    for task in (None, listed):
        opened = api.open_to_search(task, Overrides(resume=tmp_path / "out" / "fans", trials=5))
        assert (opened.task.name, [each.name for each in opened.task.tasks]) == ("fans", ["pumps"])
    listed.write_text(LISTED.replace("pumps.npz", "fans.npz"))
    with pytest.raises(TaskError, match=r"tasks\[0\]\.data\.target\.train"):
        api.open_to_search(listed, Overrides(resume=tmp_path / "out" / "fans", trials=5))


def test_a_task_with_data_of_its_own_is_one_task_and_those_beside_it_are_checked_with_it(listed):
    own = "data: {target: {train: fans.npz}}\n" + LISTED.replace("name: pumps", "name: mills")
    listed.write_text(own)
    opened = api.open_task(listed, Overrides())
    assert (opened.task.name, [each.name for each in opened.task.tasks]) == ("halls", ["mills", "fans"])
    listed.write_text(own.replace("pumps.npz", "missing.npz"))
    with pytest.raises(DataError, match=r"halls\.yaml:4:.*missing\.npz"):
        api.open_task(listed, Overrides())
