"""Leaderboard rows as the page reads them."""

import pytest
from entry_rows import entry_row

from autotl.report.entries import read_entries, recipe_words


def test_ranks_count_scored_trials_only():
    entries = read_entries({"trials": [entry_row(4), entry_row(2), entry_row(3, status="failed", score=None)]})
    assert [(entry.trial, entry.rank) for entry in entries] == [(4, 1), (2, 2), (3, None)]


def test_a_backbone_that_a_path_leads_to_goes_by_its_last_part():
    (entry,) = read_entries({"trials": [entry_row(1, plan={"backbone": {"preset": "../weights/bert_small"}})]})
    assert entry.backbone == "bert_small"


@pytest.mark.parametrize(
    ("crop", "words"), [("none", "frozen · linear"), ("content", "frozen · crop content · linear")]
)
def test_a_recipe_names_a_crop(crop, words):
    plan = {"backbone": "VGG16", "crop": crop, "unfrozen_layers": 0, "head": {"name": "linear"}, "tap": "last"}
    assert recipe_words(plan) == words
