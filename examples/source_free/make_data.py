"""Makes the digits of both houses: handwritten ones with labels for the source's, printed ones for the target's.

python make_data.py        (needs no download: the handwritten digits come with scikit-learn, the others are drawn)
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from autotl.data.printed_digits import write_demo

HERE = Path(__file__).parent

with TemporaryDirectory() as folder:
    write_demo(Path(folder))
    for name, house in (("handwritten.npz", "source_house"), ("printed.npz", "target_house")):
        (HERE / house / name).write_bytes((Path(folder) / name).read_bytes())
