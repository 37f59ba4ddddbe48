"""The page about adaptation names every method with all of its parameters, and no other."""

import re
from pathlib import Path

import pytest

from autotl.adaptation import METHODS

PAGE = Path(__file__).parents[2] / "docs" / "adaptation.md"
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def described():
    return {name: rest.split("|")[2] for name, rest in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def test_every_method_is_described_in_the_order_of_the_table(described):
    assert list(described) == list(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_its_parameters_are_those_of_the_method(described, name):
    assert re.findall(r"`(\w+)`", described[name]) == list(METHODS[name].parameters)
