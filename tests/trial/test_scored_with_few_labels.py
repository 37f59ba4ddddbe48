"""A trial with a few target labels beside a source leaves what both the labels and the committee read."""

from dataclasses import replace

import numpy as np
import pytest
from pretend import a_workshop
from pretend_domains import a_plan, two_domains

from autotl.data.examples import Fold
from autotl.run import trial_files
from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.label_free import scores_at_hand
from autotl.trial.outcome import Job

KNOWN = 12


def few_labels():
    """Two folds over the known rows; the source's training rows join both."""
    data = two_domains(known=KNOWN)
    source = data.folds[0].train[data.folds[0].train >= len(data.inputs[0])]
    halves = np.arange(KNOWN).reshape(-1, 2).T
    folds = tuple(Fold(np.concatenate([halves[1 - place], source]), halves[place]) for place in (0, 1))
    return replace(data, folds=folds, suffix_folds=folds, score_kind="cross_validation", setting="cross-domain")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workshop = a_workshop(tmp_path_factory.mktemp("store"), few_labels())
    last = list(workshop.train([Job(0, a_plan())]))[-1].ending
    assert last.status == "complete", last.reason
    return workshop.data, last


def test_the_score_is_that_of_the_labels(trained):
    data, ending = trained
    assert sorted(ending.outputs.rows.tolist()) == list(range(KNOWN))
    named = ending.outputs.validation.argmax(axis=1)
    assert ending.scores["accuracy"] == pytest.approx(np.mean(named == data.labels[ending.outputs.rows]))
    assert ending.score["value"] == ending.scores["accuracy"]


def test_the_committee_reads_source_rows_that_no_fold_learnt_from(trained):
    data, ending = trained
    outputs = ending.outputs
    assert outputs.source_rows.tolist() == data.source_validation.tolist()
    assert not set(outputs.source_rows) & set(np.concatenate([fold.train for fold in data.folds]))
    evidence = outputs.evidence(data.labels)
    assert evidence["source_probabilities"].shape == (len(outputs.source_rows), 3)
    assert evidence["source_labels"].tolist() == data.labels[outputs.source_rows].tolist()
    named = outputs.source.argmax(axis=1)
    assert ending.scores["source_accuracy"] == pytest.approx(np.mean(named == evidence["source_labels"]))
    again = scores_at_hand(LABEL_FREE_SCORES, evidence)
    assert {name: ending.scores[name] for name in again} == pytest.approx(again, nan_ok=True)


def test_they_are_read_again_as_they_were_written(trained, tmp_path):
    _, ending = trained
    trial_files.write_outputs(tmp_path, ending.outputs)
    found = trial_files.read_outputs(tmp_path)
    assert found.source_rows.tolist() == ending.outputs.source_rows.tolist()
    np.testing.assert_allclose(found.source, ending.outputs.source, atol=2e-3)


@pytest.mark.parametrize("changes", [{"score_kind": "validation"}, {"source_validation": np.arange(0)}])
def test_without_a_source_or_with_all_labels_no_committee_is_asked(changes):
    data = replace(few_labels(), **changes)
    assert not data.has_few_labels
    assert not data.is_judged_without_labels
