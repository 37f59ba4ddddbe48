"""Who is winning, and what that is worth: rows and what the models said in, ranked rows and plain words out.

A row is the mapping that `docs/run-folder.md` tells key by key. Nothing here reads or writes a file, and no row that is
given is changed.
"""

from autotl.leaderboard.beginnings import sentences_of_beginning
from autotl.leaderboard.files import as_csv, as_json
from autotl.leaderboard.gate import Gate, read_gate
from autotl.leaderboard.headline import expected, headline
from autotl.leaderboard.overview import BestOfTask, FinishedRun, best_of_tasks
from autotl.leaderboard.ranking import name_baselines, pareto_front, rank, standing
from autotl.leaderboard.rows import score_of, winner_of
from autotl.leaderboard.sorting import sort_rows
from autotl.leaderboard.tested import test_sentences
from autotl.leaderboard.together import (
    best_alone_and_together,
    sentences_of_together,
    test_sentences_of_together,
    with_test,
)
from autotl.leaderboard.words import sentences_of_front

__all__ = [
    "BestOfTask",
    "FinishedRun",
    "Gate",
    "as_csv",
    "as_json",
    "best_alone_and_together",
    "best_of_tasks",
    "expected",
    "headline",
    "name_baselines",
    "pareto_front",
    "rank",
    "read_gate",
    "score_of",
    "sentences_of_beginning",
    "sentences_of_front",
    "sentences_of_together",
    "sort_rows",
    "standing",
    "test_sentences",
    "test_sentences_of_together",
    "winner_of",
    "with_test",
]
