"""Who is winning, and what that is worth: rows and what the models said in, ranked rows and plain words out.

A row is the mapping of DESIGN section 8. Nothing here reads or writes a file, and no row that is given is changed.
"""

from autotl.leaderboard.files import as_csv, as_json
from autotl.leaderboard.headline import headline
from autotl.leaderboard.ranking import name_baselines, pareto_front, rank
from autotl.leaderboard.rows import score_of, winner_of
from autotl.leaderboard.tested import test_sentences

__all__ = [
    "as_csv",
    "as_json",
    "headline",
    "name_baselines",
    "pareto_front",
    "rank",
    "score_of",
    "test_sentences",
    "winner_of",
]
