"""Run folders as a search leaves them, made without any training."""

import json

import numpy as np
from board_trials import CLASSES, LABELS, ROWS, outputs, trial

from autotl import leaderboard
from autotl.api.standing import write_leaderboard
from autotl.run import RunFolder, Study, trial_files
from autotl.run.scored_examples import ScoredExamples, ScoredSplit, write_scored_examples
from autotl.run.study import ENDED

METRIC = "accuracy"
NAMES = tuple(f"class {number}" for number in range(CLASSES))


def pretend_run(path, *, wrong=(40, 80, 120), task="kitchen", data="d1", finished=True, tested=(), **of_rows):
    """A run of one trial per number of mistakes; the facts are those that reviewing reads.

    Args:
        data: the examples are the same where it is.
        tested: trial number -> mistakes on the test examples.
        of_rows: trial number as `t0`, `t1` … -> values of its row.
    """
    run, tested = RunFolder.create(path), dict(tested)
    rows, told = [], {}
    for number, mistakes in enumerate(wrong):
        row, said = trial(number, wrong=mistakes, **of_rows.get(f"t{number}", {}))
        rows.append(row)
        told[number] = said
        trial_files.write_outputs(run.trial(number), said)
        trial_files.write_plan(run.trial(number), row["plan"])
    examples = {"metric": METRIC, "outputs": told, "labels": LABELS, "groups": None, "seed": 0}
    ranked = leaderboard.rank(rows, higher_is_better=True, **examples)
    facts = {
        "task": {"name": task, "metric": METRIC, "modality": "image", "seed": 0},
        "higher_is_better": True,
        "regime": "validation",
        "versions": {"autotl": "0.1.0"},
        "data": {"fingerprint": data, "domains": {}, "notes": []},
    }
    if finished:
        write_scored_examples(run, scored_examples(data, tested=bool(tested)))
        for number, mistakes in tested.items():
            trial_files.add_test_outputs(run.trial(number), outputs(wrong=mistakes).validation)
        facts[ENDED] = "trials"
        facts["headline"] = leaderboard.headline(ranked, **examples)
    study = Study(run.path / "study.db")
    for name, value in facts.items():
        study.put_fact(name, value)
    for row in ranked:
        study.put_trial(row["trial"], row["status"], row)
    study.close()
    run.write("task.yaml", json.dumps({"name": task}))
    write_leaderboard(run, ranked, facts)
    return run


def scored_examples(data="d1", *, tested=False, order=None):
    """Validation examples, and as many test examples; `order` shuffles the latter."""
    order = np.arange(len(ROWS)) if order is None else order
    test = ScoredSplit(digests(f"{data} test")[order], LABELS[ROWS][order]) if tested else None
    return ScoredExamples(NAMES, 1, ROWS, ScoredSplit(digests(data), LABELS[ROWS]), test)


def digests(data):
    return np.array([f"{data} {row}" for row in ROWS])
