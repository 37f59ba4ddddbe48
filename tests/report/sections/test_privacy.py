"""The panel of a private run."""

from autotl.report.entries import read_entries
from autotl.report.sections import privacy, winner_plan

FACTS = {
    "epsilon": 3.0,
    "delta": 1e-5,
    "relation": "add or remove one",
    "sampling": "all take part",
    "accountant": "dp-accounting 0.6.0",
    "trials": 3,
    "pays_for_trials": True,
    "epsilon_of_trial": 0.62,
    "epsilon_of_score": 0.17,
    "epsilon_of_final": 2.4,
    "training": {"steps": 60, "noise_multiplier": 14.76, "rate": 1.0},
    "protected": 8000,
    "spent": 1.5,
    "ledger": [{"time": "now", "trial": 2, "purpose": "final", "rows": "all", "epsilon": 2.4}],
}
ROW = {"trial": 0, "status": "complete", "winner": True, "score": {"value": 0.9}, "refit_test": {"value": 0.8}}
PLAN = {"backbone": "b", "tap": "P4", "unfrozen_layers": 0, "learning_rate": 0.001, "epochs": 12}


def test_a_run_without_a_budget_has_no_panel():
    assert privacy(None) is None
    assert privacy({"epsilon": 3.0}) is None, "of a search that has just begun nothing was spent"


def test_terms_and_spending_are_told_in_words():
    panel = privacy(FACTS)
    terms = dict(panel.terms)
    assert panel.share == 50.0
    assert terms["division"] == "3 trials of epsilon 0.62 each, their scores of 0.17 each, 2.4 for the model that ships"
    assert terms["training"] == "60 steps with noise of 14.8 times what one example can add"
    assert "8,000" in terms["who is protected"]
    (line,) = panel.ledger
    assert (line.trial, line.purpose, line.rows) == (2, "training of the model that ships", "training and validation")


def test_a_rehearsal_and_a_single_plan_are_told_as_such():
    assert "spent nothing" in dict(privacy({**FACTS, "pays_for_trials": False}).terms)["division"]
    assert "one plan" in dict(privacy({**FACTS, "trials": 1}).terms)["division"]


def test_of_a_private_plan_what_follows_from_the_budget_is_not_shown_as_chosen():
    private, usual = (read_entries({"trials": [{**ROW, "plan": PLAN, **more}]})[0] for more in ({"epsilon": 0.0}, {}))
    assert [name for name, _ in winner_plan(private)] == ["backbone", "tap", "unfrozen_layers"]
    assert "learning_rate" in dict(winner_plan(usual))


def test_the_shipped_models_test_stands_for_a_private_trials_own():
    private, usual = (read_entries({"trials": [{**ROW, "plan": PLAN, **more}]})[0] for more in ({"epsilon": 0.0}, {}))
    assert private.test.value == 0.8
    assert usual.test is None
