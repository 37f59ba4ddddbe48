"""Names that people know a method by from papers and other libraries lead to ours."""

import pytest

from autotl.adaptation import METHODS, OTHER_NAMES
from autotl.errors import TaskError
from autotl.plan.fields import fields
from autotl.plan.space import parse_space


def complaint(adaptation, folder):
    written = {"backbone": "small_cnn", "adaptation": adaptation}
    with pytest.raises(TaskError) as caught:
        parse_space(written, where=lambda path: path, folder=folder)
    return str(caught.value)


def test_every_other_name_is_written_plainly_and_leads_to_a_method():
    for other, name in OTHER_NAMES.items():
        assert other == other.lower().replace("-", "_").replace(" ", "_")
        assert name in METHODS
        assert other not in METHODS


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("adabn", "standardize"),
        ("AdaBN", "standardize"),
        ("fixmatch", "self_training"),
        ("pseudo-label", "self_training"),
        ("mmd", "dan"),
        ("JMMD", "dan"),
        ("jan", "dan"),
        ("im", "infomax"),
        ("bbse", "label_shift"),
        ("mlls", "label_shift"),
        ("sa", "subspace"),
        ("iw", "importance"),
        ("kliep", "importance"),
        ("fixmach", "self_training"),  # a slip in the other name
        ("deep_corel", "deep_coral"),  # a slip in ours still leads to ours
    ],
)
@pytest.mark.parametrize(
    "shape", [lambda name: name, lambda name: {"choice": [name]}, lambda name: {"choice": {name: {}}}]
)
def test_a_space_that_writes_another_name_is_told_ours(written, meant, shape, tmp_path):
    words = complaint(shape(written), tmp_path)
    assert f"{written!r} is not known." in words
    assert f"Did you mean {meant!r}?" in words


def test_a_plan_given_by_hand_is_told_too(tmp_path):
    with pytest.raises(TaskError, match="Did you mean 'standardize'"):
        fields(tmp_path)["adaptation"].parse("adabn", "start_with[0].adaptation")


def test_a_head_is_not_taken_for_a_method(tmp_path):
    with pytest.raises(TaskError, match="'adabn' is not known") as caught:
        fields(tmp_path)["head"].parse("adabn", "start_with[0].head")
    assert "standardize" not in str(caught.value)
