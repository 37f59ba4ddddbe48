"""What the test set said, in words: after everything was decided, and never as a reason."""

from collections.abc import Mapping, Sequence
from typing import Any

from autotl.plan.baselines import MEANINGS
from autotl.scoring.intervals import NORMAL_WIDTH
from autotl.scoring.metrics import METRICS


def test_sentences(
    rows: Sequence[Mapping[str, Any]],
    *,
    metric: str,
    uses: int,
    rows_tested: int,
    protocol: str,
    source_score: Mapping[str, Any] | None,
    strangers: Sequence[str],
) -> list[str]:
    """The winner's test figure, the baselines' beside it, and how often this test set has been used.

    Args:
        rows: with `test` filled in for winner and baselines.
        source_score: the winner's score on the source where it was picked without target labels.
        strangers: classes of test examples that no model can name.
    """
    winner = next(row for row in rows if row["winner"])
    figure = winner["refit_test"] or winner["test"]
    spoken = metric.replace("_", " ")
    first = f"On {rows_tested:,} test examples the shipped model reaches {spoken} {_figure(figure)}."
    sentences = [first, *_of_retraining(winner)]
    if source_score is not None:
        drop = source_score["value"] - figure["value"]
        word = "drop" if drop >= 0 else "rise"
        is_worse = drop > 0 if METRICS[metric].higher_is_better else drop < 0
        price = "the price of the domain gap" if is_worse else "the domain gap cost nothing"
        sentences.append(
            f"From the source ({source_score['value']:.3f}) to the target that is a {word} of {abs(drop):.3f}: "
            f"{price}, which only the test labels could show."
        )
    others = [
        f"{MEANINGS.get(row['baseline'], row['baseline'])} {_figure(row['test'])}"
        for row in rows
        if row["baseline"] and row["test"] and not row["winner"]
    ]
    if others and winner["refit_test"] and winner["test"]:  # the refit learned from more examples than a baseline
        others.insert(0, f"the winner {_figure(winner['test'])}")
        sentences.append(f"On the same examples, all as trained in the search: {'; '.join(others)}.")
    elif others:
        sentences.append(f"On the same examples: {'; '.join(others)}.")
    if strangers:
        named = f"{', '.join(map(repr, strangers[:5]))}{' …' if len(strangers) > 5 else ''}"
        sentences.append(f"Nothing that was learnt from is of {named}: test examples that are count as wrong.")
    if protocol == "labels_of_train":
        sentences.append("The test inputs are the unlabelled target inputs themselves (transductive protocol).")
    if uses > 1:
        sentences.append(f"This was use {uses} of this test set on this machine: each one makes its figure weaker.")
    return sentences


def standard_errors_apart(winner: Mapping[str, Any]) -> float | None:
    """How far the retrained model's test figure is from that of the trial that won, in standard errors of the latter;
    None where one of the two, or its interval, is not known."""
    trial, retrained = winner["test"], winner["refit_test"]
    if trial is None or retrained is None or trial.get("low") is None or trial["high"] <= trial["low"]:
        return None
    error = (trial["high"] - trial["low"]) / NORMAL_WIDTH
    return abs(float(retrained["value"]) - float(trial["value"])) / error


def _of_retraining(winner: Mapping[str, Any]) -> list[str]:
    """A flag where retraining gave a model that is not as good as, or better than, chance between tests explains."""
    apart = standard_errors_apart(winner)
    if apart is None or apart <= 1:
        return []
    return [
        f"Note that retraining changed it: as searched it reached {winner['test']['value']:.3f} there, {apart:.1f} "
        "standard errors from that. --no-refit ships the weights as searched."
    ]


def _figure(figure: Mapping[str, Any]) -> str:
    if figure.get("low") is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
