"""A trial on a target without labels leaves every score that it can have, and what these are computed from."""

from dataclasses import replace

import numpy as np
import pytest
from pretend import a_task, a_workshop
from pretend_domains import a_plan, two_domains

from autotl.adaptation import METHODS
from autotl.plan import Choice
from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.label_free import scores_at_hand
from autotl.trial.outcome import Job

OF_A_POOL = {"ensv"}


def shuffled_validation():
    """The source rows that a trial is scored on, in an order of their own."""
    data = two_domains()
    fold = data.folds[0]
    fold = replace(fold, validation=np.random.default_rng(1).permutation(fold.validation))
    return replace(data, folds=(fold,), suffix_folds=(fold,))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    return a_workshop(tmp_path_factory.mktemp("store"), shuffled_validation())


def ending(workshop, plan):
    last = list(workshop.train([Job(0, plan)]))[-1].ending
    assert last.status == "complete", last.reason
    return last


@pytest.mark.parametrize("unfrozen", [0, 3])
@pytest.mark.parametrize("method", ["none", "standardize"])
def test_every_score_is_there_and_finite_and_follows_from_what_is_kept(workshop, method, unfrozen):
    plan = a_plan(adaptation=Choice(method, METHODS[method].defaults), unfrozen_layers=unfrozen)
    found = ending(workshop, plan)
    expected = {*LABEL_FREE_SCORES, *ESTIMATORS} - OF_A_POOL
    assert expected <= set(found.scores)
    assert all(np.isfinite(found.scores[name]) for name in expected - {"mixval", "mixval_same"})
    again = scores_at_hand({**LABEL_FREE_SCORES, **ESTIMATORS}, found.outputs.evidence(workshop.data.labels))
    assert {name: found.scores[name] for name in again} == pytest.approx(again, nan_ok=True)


@pytest.mark.parametrize("method", ["none", "standardize"])
def test_features_and_weights_are_those_that_predictions_are_made_of(workshop, method):
    head = Choice("hidden", {"units": 8})
    outputs = ending(workshop, a_plan(head=head, adaptation=Choice(method, METHODS[method].defaults))).outputs
    assert outputs.classifier_weights.shape == (8, 3)
    for features, said in ((outputs.source_features, outputs.validation), (outputs.features, outputs.target)):
        rest = np.log(said) - features @ outputs.classifier_weights  # the bias, and what softmax takes from each row
        rest -= rest.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(rest, np.broadcast_to(rest[0], rest.shape), atol=1e-4)


def test_where_labels_decide_nothing_more_is_kept(tmp_path):
    found = ending(a_workshop(tmp_path, a_task()), a_plan())
    assert found.outputs.source_features is None
    assert found.outputs.classifier_weights is None
    assert not {*LABEL_FREE_SCORES, *ESTIMATORS} & set(found.scores)
