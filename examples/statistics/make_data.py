"""Makes the digits of three houses: handwritten ones with labels for two of them, printed ones for the third.

python make_data.py        (needs no download: the handwritten digits come with scikit-learn, the others are drawn)
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autotl.data.printed_digits import write_demo

HERE = Path(__file__).parent

with TemporaryDirectory() as folder:
    write_demo(Path(folder))
    (HERE / "target_house" / "printed.npz").write_bytes((Path(folder) / "printed.npz").read_bytes())
    with np.load(Path(folder) / "handwritten.npz") as written:
        for house, rows in (("north_house", slice(0, None, 2)), ("south_house", slice(1, None, 2))):
            (HERE / house).mkdir(exist_ok=True)
            np.savez(HERE / house / "digits.npz", **{name: written[name][rows] for name in written.files})
