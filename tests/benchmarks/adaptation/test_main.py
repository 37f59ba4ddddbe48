"""Searches that were kept are shown together."""

import dataclasses
import json

from benchmarks.adaptation.__main__ import table
from benchmarks.adaptation.figures import HEADER, Measured


def kept(row, seed, winner):
    one = Measured("a to b", seed, 0.8, winner, 0.95, 0.92, "mcc", 18, 300.0)
    return json.dumps({"row": row, **dataclasses.asdict(one)})


def test_a_line_for_each_row_with_all_its_seeds():
    shown = table([kept("mnist-usps", 0, 0.9), kept("no-shift", 0, 0.8), kept("mnist-usps", 1, 0.92)]).splitlines()
    assert shown[:2] == HEADER.splitlines()
    assert shown[2].startswith("| MNIST to USPS, 2,000/1,800 (2 searches) |")
    assert "91.0 ± " in shown[2]
    assert "(1 searches)" in shown[3]


def test_a_search_that_was_measured_again_counts_once():
    (line,) = table([kept("mnist-usps", 0, 0.5), kept("mnist-usps", 0, 0.9)]).splitlines()[2:]
    assert "(1 searches)" in line
    assert "| 90.0 |" in line
