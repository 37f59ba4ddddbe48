"""What keeps a broken model from winning where no target label can tell that it is broken."""

import math
from collections.abc import Sequence

import numpy as np

from autotl.adaptation.label_shift import maximum_likelihood_prior
from autotl.scoring.candidates import CHANGED, REFERENCE, Candidate, Rule
from autotl.scoring.intervals import wilson
from autotl.scoring.label_free import Evidence
from autotl.scoring.metrics import Values, predicted_labels

PASSED = "passed"
CLASSES_PREDICTED = "classes_predicted"  # among a trial's scores: how many classes it names on the target


def classes_predicted(evidence: Evidence) -> int:
    """How many classes a model names on the target."""
    return len(np.unique(predicted_labels(evidence["target_probabilities"])))


def guards_of(one: Candidate, everyone: Sequence[Candidate], rule: Rule) -> dict[str, str]:
    """What each guard says of a model, in words; source-only always passes."""
    names = ("source_accuracy", "changes", "classes", "class_shares", "finite")
    if one.is_reference:
        return dict.fromkeys(names, PASSED)
    reference = next((each for each in everyone if each.is_reference), None)
    found = (
        _of_source(one, everyone, rule),
        _of_changes(one, rule),
        None if reference is None else _of_classes(one, reference),
        None if reference is None else _of_shares(one, reference, rule),
        _of_scores(one, rule),
    )
    return {name: words or PASSED for name, words in zip(names, found, strict=True)}


def _of_source(one: Candidate, everyone: Sequence[Candidate], rule: Rule) -> str | None:
    known = [score for each in everyone if math.isfinite(score := each.score("source_accuracy"))]
    own = one.score("source_accuracy")
    if not known or own >= max(known) - rule.largest_source_loss:
        return None
    return (
        f"source accuracy {own:.2f}, more than {rule.largest_source_loss:.2f} below the best trial's {max(known):.2f}"
    )


def _of_changes(one: Candidate, rule: Rule) -> str | None:
    changed = one.score(CHANGED)
    if not changed > rule.largest_change:  # nor where it is not known: there was no model to start from
        return None
    return f"changed {100 * changed:.0f} % of the predictions of the model that it started from"


def _of_classes(one: Candidate, reference: Candidate) -> str | None:
    if not (one.evidence and reference.evidence):
        return None
    own, all_of_them = classes_predicted(one.evidence), one.evidence["target_probabilities"].shape[1]
    if own == 1 < all_of_them:
        return f"names 1 of {all_of_them} classes on the target"
    if own == all_of_them or classes_predicted(reference.evidence) < all_of_them:
        return None
    return f"names {own} of {all_of_them} classes on the target, {REFERENCE} names them all"


def _of_shares(one: Candidate, reference: Candidate, rule: Rule) -> str | None:
    """A collapse moves class shares away from every explanation: those of the source, and those that source-only's
    predictions make likeliest. The second alone would reject good models where source-only is a poor guide."""
    if not (one.evidence and reference.evidence):
        return None
    shares = one.evidence["target_probabilities"].astype(np.float64).mean(axis=0)
    explained = _source_shares(reference.evidence, len(shares))
    moved = 0.5 * float(np.abs(shares - explained).sum())
    if moved > rule.largest_shift:
        likeliest = maximum_likelihood_prior(reference.evidence["target_probabilities"], explained)
        moved = min(moved, 0.5 * float(np.abs(shares - likeliest).sum()))
    if not moved > rule.largest_shift:  # nor where it is no number: another guard says so
        return None
    return f"{100 * moved:.0f} % of its target predictions are more than its classes' shares can explain"


def _source_shares(evidence: Evidence, classes: int) -> Values:
    """(classes,) of the source's classes, none of them 0 where they are counted."""
    if "source_shares" in evidence:
        return np.asarray(evidence["source_shares"], dtype=np.float64)
    counts = np.bincount(evidence["source_labels"], minlength=classes) + 1.0
    return np.asarray(counts / counts.sum())


def _of_scores(one: Candidate, rule: Rule) -> str | None:
    if not len(one.evidence.get("target_probabilities", ())):
        return "what it says of the target is not known"
    broken = [
        name for name in one.judges(rule.searched_by) if name in one.scores and not math.isfinite(one.score(name))
    ]
    if not np.isfinite(one.evidence["target_probabilities"]).all():
        return "its predictions on the target are no numbers"
    return f"{', '.join(broken)} cannot be computed for it" if broken else None


def why_the_source_is_useless(everyone: Sequence[Candidate], rule: Rule) -> str | None:
    """In words, where no model reads held-out source examples better than by chance; None where one does.

    Chance is what its predictions would score were the labels shuffled, which is the share of the largest class for a
    model that names only that. The intervals are Wilson's, corrected for there being so many models.
    """
    known = [confusion for each in everyone if (confusion := _on_source(each.evidence)) is not None]
    if not known:
        return None
    level = 1 - (1 - rule.useful_level) / len(known)
    best, chance_of_best = 0.0, 0.0
    for confusion in known:
        examples, right = round(float(confusion.sum())), round(float(np.trace(confusion)))
        shares = confusion / confusion.sum()
        chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
        if wilson(right, examples, level=level)[0] > chance:
            return None
        if right / examples >= best:
            best, chance_of_best = right / examples, chance
    return (
        f"the source teaches nothing: the best trial reads {100 * best:.0f} % of its held-out examples right, and "
        f"{100 * chance_of_best:.0f} % would be right by chance. Are its labels shuffled?"
    )


def _on_source(evidence: Evidence) -> Values | None:
    """(classes, classes), how many held-out source examples of each class are called what, or are expected to be; None
    where nothing is known of any."""
    if "source_confusion" in evidence:
        return np.asarray(evidence["source_confusion"], dtype=np.float64)
    labels = evidence.get("source_labels", ())
    if not len(labels):
        return None
    said = predicted_labels(evidence["source_probabilities"])
    classes = int(max(np.max(labels), said.max())) + 1
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (labels, said), 1)
    return confusion
