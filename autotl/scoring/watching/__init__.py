"""Whether fresh inputs are still what a model was made for, told from sums over the training domain's examples.

`autotl.scoring.gap` compares two domains whose examples are at hand. Where a model runs, its training domain is not: it
left a portrait, which holds no example.
"""

from autotl.scoring.watching.compared import Compared, compare
from autotl.scoring.watching.portrait import Portrait, draw_portrait
from autotl.scoring.watching.verdict import VERDICTS, Reason, Verdict, judge

__all__ = ["VERDICTS", "Compared", "Portrait", "Reason", "Verdict", "compare", "draw_portrait", "judge"]
