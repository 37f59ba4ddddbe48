"""Which files of its trials a run keeps once it was ranked."""

from autotl.api.ranking import RankedRun
from autotl.run import trial_files
from autotl.run.cut_off import is_cut_off
from autotl.run.study import PARTIAL

KEPT_WEIGHTS = 5  # of the best trials, besides winner and baselines
KEPT_FEATURES = 20


def tidy(ranked: RankedRun) -> None:
    """Leaves what the best need; of a search that was stopped, whatever it may need to go on."""
    run, rows = ranked.sitting.run, ranked.rows
    complete = [row["trial"] for row in rows if row["status"] == "complete"]
    cut_off = {row["trial"] for row in rows if is_cut_off(row["status"], row["reason"])}
    if PARTIAL in ranked.sitting.study.facts():
        trial_files.tidy(run, complete, weights_of=complete, features_of=complete, unfinished=cut_off)
        return
    baselines = {row["trial"] for row in rows if row["baseline"]}
    compared = {row["trial"] for row in ranked.alone_and_together}
    trial_files.tidy(
        run,
        complete,
        weights_of={*complete[:KEPT_WEIGHTS], *baselines, *ranked.front, *compared},
        features_of={*complete[:KEPT_FEATURES], *baselines},  # neighbours are told by source-only's
        unfinished=cut_off,
    )
