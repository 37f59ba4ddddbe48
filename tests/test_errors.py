"""What is told of errors that are not ours."""

import pytest

from autotl.errors import LONGEST, first_line, in_one_line


def test_the_first_line_of_an_error_is_told():
    assert first_line(ValueError("\n  no such layer\nTraceback: …")) == "no such layer"


def test_all_lines_of_an_error_become_one():
    assert in_one_line(ValueError("no such\n\tlayer:  dense ")) == "no such layer: dense"


@pytest.mark.parametrize("told", [first_line, in_one_line])
@pytest.mark.parametrize("silent", [KeyError(), ValueError("  \n ")])
def test_an_error_that_says_nothing_is_told_by_its_kind(told, silent):
    assert told(silent) == type(silent).__name__


def test_a_very_long_error_is_cut():
    assert len(in_one_line(ValueError("word " * LONGEST))) == LONGEST
