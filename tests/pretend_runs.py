"""Run folders as a search leaves them, made without any training."""

import json

from board_trials import LABELS, trial

from autotl import leaderboard
from autotl.api.standing import write_leaderboard
from autotl.run import RunFolder, Study, trial_files

METRIC = "accuracy"


def pretend_run(path, *, wrong=(40, 80, 120), task="kitchen", data="d1", finished=True, **of_rows):
    """A run of one trial per number of mistakes; the facts are those that reviewing reads.

    Args:
        of_rows: trial number as `t0`, `t1` … -> values of its row.
    """
    run = RunFolder.create(path)
    rows, outputs = [], {}
    for number, mistakes in enumerate(wrong):
        row, said = trial(number, wrong=mistakes, **of_rows.get(f"t{number}", {}))
        rows.append(row)
        outputs[number] = said
        trial_files.write_outputs(run.trial(number), said)
        trial_files.write_plan(run.trial(number), row["plan"])
    examples = {"metric": METRIC, "outputs": outputs, "labels": LABELS, "groups": None, "seed": 0}
    ranked = leaderboard.rank(rows, higher_is_better=True, **examples)
    facts = {
        "task": {"name": task, "metric": METRIC, "modality": "image", "seed": 0},
        "higher_is_better": True,
        "regime": "validation",
        "versions": {"autotl": "0.1.0"},
        "data": {"fingerprint": data, "domains": {}, "notes": []},
    }
    if finished:
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
