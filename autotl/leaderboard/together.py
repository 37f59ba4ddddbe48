"""Was it worth it to learn a task together with others? Its best plan of either kind, on the same examples."""

from collections.abc import Mapping, Sequence
from typing import Any

from autotl.leaderboard import words
from autotl.leaderboard.ranking import rank
from autotl.leaderboard.rows import is_barred, is_barred_by_seeds, score_of, winner_of
from autotl.leaderboard.same_examples import Differences, SameExamples
from autotl.leaderboard.seeds import Seeds, over_seeds
from autotl.plan.plan import learns_together
from autotl.run.trial_row import ReadRow
from autotl.scoring.comparison import cannot_be_told_apart, difference_ends, paired_difference
from autotl.scoring.intervals import Interval
from autotl.scoring.metrics import METRICS, Labels, Probabilities
from autotl.scoring.resampling import Groups
from autotl.trial.outcome import Outputs
from autotl.trial.scorer import counting_unknown

Json = dict[str, Any]


def best_alone_and_together(
    rows: Sequence[ReadRow],
    *,
    metric: str,
    higher_is_better: bool,
    outputs: Mapping[int, Outputs],
    labels: Labels,
    groups: Groups | None,
    seed: int,
    positive: int = 1,
) -> Json | None:
    """The plan that would win among those that learn the task alone, and among those that learn others as well.

    Args:
        rows: ranked; the others as for `rank`.
    Returns:
        Plain JSON values: `alone` and `together`, two trials; `kept`, which of these words the winner goes by;
        `weighing`, how the second weighs its tasks; `validation`: by how much the second is better, `{value, low, high,
        examples}`, with the paired 90 % interval that decides; `test`: None, until `with_test`. None where no trial of
        one of the kinds may win, or they said nothing of the same examples.
    """
    kinds: dict[bool, list[ReadRow]] = {False: [], True: []}
    for row in rows:
        if not is_barred(row) or is_barred_by_seeds(row):
            kinds[learns_together(row["plan"])].append(row)
    by: dict[str, Any] = {"metric": metric, "higher_is_better": higher_is_better, "positive": positive, "seed": seed}
    said: dict[str, Any] = {"outputs": outputs, "labels": labels, "groups": groups}
    alone, together = (winner_of(rank(kinds[kind], **by, **said)) if kinds[kind] else None for kind in kinds)
    winner = winner_of(rows)
    if alone is None or together is None or winner is None:
        return None
    seeds = Seeds.of(rows)
    trials = {trial for row in (alone, together) for trial in (row["trial"], *seeds.repeats.get(row["trial"], ()))}
    same = SameExamples.of([row for row in rows if row["trial"] in trials], outputs, labels, groups)
    scored_by = METRICS[metric].with_positive(positive)
    differences = over_seeds(Differences.of(same, scored_by, seed=seed), seeds, seed=seed)
    places = [differences.place.get(row["trial"]) for row in (together, alone)]
    if None in places:
        return None
    low, high = difference_ends(differences.goodness[:, places[0]] - differences.goodness[:, places[1]])
    gain = float(scored_by.gain(score_of(together), score_of(alone)))
    return {
        "alone": alone["trial"],
        "together": together["trial"],
        "kept": "together" if learns_together(winner["plan"]) else "alone",
        "weighing": together["plan"]["together"],
        "metric": metric,
        "validation": {**Interval(gain, low, high).as_dict(), "examples": len(same.labels)},
        "test": None,
    }


def with_test(
    found: Json,
    labels: Labels,
    probabilities: Mapping[int, Probabilities],
    groups: Groups | None,
    *,
    seed: int,
    positive: int = 1,
) -> Json:
    """The same with the difference on test examples, both models as trained in the search.

    Args:
        probabilities: by trial.
    """
    one, other = probabilities.get(found["together"]), probabilities.get(found["alone"])
    if one is None or other is None:
        return found
    told, first = counting_unknown(labels, one)
    _, second = counting_unknown(labels, other)
    metric = METRICS[found["metric"]].with_positive(positive)
    difference = paired_difference(metric, told, first, second, groups=groups, seed=seed)
    return {**found, "test": {**difference.as_dict(), "examples": len(told)}}


def sentences_of_together(found: Json | None) -> list[str]:
    """Which of the two is kept, and why.

    Args:
        found: with the names of the `companions`.
    """
    if found is None:
        return []
    metric = METRICS[found["metric"]]
    said = found["validation"]
    gain = words.difference(_interval(said), metric)
    on = f"on the same {said['examples']:,} validation examples, 90 % interval in brackets"
    others = _listed(found["companions"])
    if found["kept"] == "together":
        first = f"It was learnt together with {others}, which is better than learning it alone: {gain} {on}."
    else:
        first = (
            f"Learning it together with {others} is not clearly better, so what was learnt alone is kept: trial "
            f"{found['together']}, the best of that kind, is at {gain} against trial {found['alone']} {on}."
        )
    return [first]


def test_sentences_of_together(found: Json | None) -> list[str]:
    """What the test examples say of the two, after everything was decided."""
    if found is None or found["test"] is None:
        return []
    metric, said = METRICS[found["metric"]], found["test"]
    verdict = "they cannot be told apart"
    if not cannot_be_told_apart((_interval(said).low, _interval(said).high)):
        verdict = "learning together is better" if said["value"] > 0 else "learning alone is better"
    gain = words.difference(_interval(said), metric)
    return [f"On {said['examples']:,} test examples {verdict}: {gain}, both as trained in the search."]


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _interval(said: Mapping[str, Any]) -> Interval:
    low, high = (float("nan") if said[end] is None else float(said[end]) for end in ("low", "high"))
    return Interval(float(said["value"]), low, high)
