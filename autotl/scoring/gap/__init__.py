"""How far a source and a target are apart, one file per measure; no label of the target is read.

Importing this room imports neither SciPy nor scikit-learn; measuring does.
"""

from autotl.scoring.gap.columns import ColumnShift, column_shifts
from autotl.scoring.gap.domains import FEWEST_ROWS, TooFewRowsError
from autotl.scoring.gap.panel import measure
from autotl.scoring.gap.words import sentences

__all__ = ["FEWEST_ROWS", "ColumnShift", "TooFewRowsError", "column_shifts", "measure", "sentences"]
