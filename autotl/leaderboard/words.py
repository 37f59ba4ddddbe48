"""The sentences under which a run's result is shown. Each function gives those it has reason for, maybe none."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from autotl.backbones.classical import NAMES
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.leaderboard.by_few_labels import Decision
from autotl.leaderboard.rows import (
    BARRED,
    STATUSES,
    has_score,
    is_barred,
    is_barred_by_seeds,
    score_of,
    source_score_of,
)
from autotl.leaderboard.without_labels import was_rejected
from autotl.plan.plan import learns_together
from autotl.run.trial_row import ReadRow
from autotl.scoring.candidates import EXPECTED_ON, RULE
from autotl.scoring.committee import MEMBERS, Verdict
from autotl.scoring.guards import PASSED
from autotl.scoring.intervals import Interval
from autotl.scoring.metrics import Metric
from autotl.scoring.resampling import OVER_WINDOWS

_GUARDS = {
    "source_accuracy": "too many mistakes on the source",
    "changes": "too many predictions changed",
    "classes": "classes that are never named",
    "class_shares": "class shares that nothing explains",
    "finite": "scores that are missing",
    "source": "a source that teaches nothing",
}


def of_winner(winner: ReadRow, figure: Interval | None, metric: Metric, *, trials: int) -> list[str]:
    """Who won, and what to expect of it.

    Args:
        figure: its score corrected for selection; None where its outputs are not known.
        trials: among how many it was chosen.
    """
    lead = f"Trial {winner['trial']} won: {model(winner)}."
    if figure is None:
        return [f"{lead} On the examples it was chosen by it has {_spoken(metric)} of {score_of(winner):.3f}."]
    between = f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
    among = f", corrected for having been chosen among {trials} trials" if trials > 1 else ""
    sentences = [f"{lead} On new examples expect {_spoken(metric)} of {between}{among}."]
    if figure.note == OVER_WINDOWS:
        sentences.append(f"The interval is {OVER_WINDOWS}: fewer than ten groups say little about the next one.")
    return sentences


def of_transfer(gain: Interval | None, metric: Metric, *, helped: bool | None, winner_is_baseline: bool) -> list[str]:
    """Whether a pretrained network was worth it."""
    if winner_is_baseline:
        return ["Transfer did not help: the model that starts from nothing won."]
    if gain is None:
        return []
    verdict = {True: "Transfer helped", False: "Transfer did harm", None: "Transfer cannot be shown to have helped"}
    return [f"{verdict[helped]}: {difference(gain, metric)} against a model that starts from nothing."]


def of_probe(gain: Interval | None, metric: Metric, *, winner_is_baseline: bool) -> list[str]:
    """What the search brought beyond a linear head on the best frozen backbone."""
    if winner_is_baseline:
        return ["It is the best linear probe: nothing dearer could be shown to be better."]
    return [] if gain is None else [f"Against the best linear probe: {difference(gain, metric)}."]


def of_ties(winner: ReadRow, rows: Sequence[ReadRow]) -> list[str]:
    """Why the winner need not have the highest score."""
    tied = sum(row["tie_group"] == winner["tie_group"] for row in rows) - 1
    if not tied:
        return []
    others = "another trial" if tied == 1 else f"{tied} other trials"
    return [f"It cannot be told apart from {others} on these examples, and none of them is cheaper to run."]


def of_limits(rows: Sequence[ReadRow]) -> list[str]:
    """Which trials finished and were not allowed to win."""
    complete = [row for row in rows if row["status"] == "complete" and not was_rejected(row)]
    barred = [row["trial"] for row in complete if is_barred(row) and not is_barred_by_seeds(row)]
    if not barred:
        return []
    return [f"Over the limits, so not allowed to win: {_trials(barred)}."]


def sentences_of_front(count: int, goals: Sequence[str]) -> list[str]:
    """What became of further goals: the rule by which one of the front ships, and how another would."""
    costs = " and ".join({"latency_ms": "latency", "model_mb": "size"}[goal] for goal in goals[1:])
    models = "one model is" if count == 1 else f"{count} models are"
    return [
        f"The search had {costs} as a goal beside the score: {models} beaten in all of them by no other (--pareto). Of "
        "these the one that wins by score alone, ties going to the cheaper, ships; promote RUN/TRIAL ships another."
    ]


def of_seeds(winner: ReadRow) -> list[str]:
    """How far the winner's score hangs on its seed."""
    seeds = winner.get("seeds")
    if seeds is None:
        return []
    count = len(seeds["trials"])
    agreed = "" if seeds["agreement"] is None else f"; two of them agree on {seeds['agreement']:.1%} of target inputs"
    if seeds["values"] is None:
        return [f"It passes the guards with each of {count} seeds{agreed}."]
    low, high = min(seeds["values"]), max(seeds["values"])
    return [
        f"Trained with {count} seeds it scores {seeds['mean']:.3f} on average ({low:.3f} to {high:.3f}){agreed}. The "
        "interval covers that."
    ]


def of_committee(rows: Sequence[ReadRow], verdict: Verdict, metric: Metric) -> list[str]:
    """Who won where the search could not see what counts, and how that was decided."""
    by_trial = {row["trial"]: row for row in rows}
    if verdict.pick is None:
        if not verdict.values:
            return without_winner(rows)
        return [f"No model won: {verdict.reason}."]
    winner = by_trial[verdict.pick]
    ranked = sum(value is not None for value in verdict.values.values())
    sentences = [f"Trial {winner['trial']} won: {model(winner)}."]
    among = f"by the mean of its ranks in {_weighed(verdict.weights)} among {ranked} trials"
    if verdict.fell_back:
        sentences.append(f"It is the source-only model, kept because {verdict.reason}.")
        compared = f"; trials were compared {among.replace('its', 'their')}" if ranked > 1 else ""
        sentences.append(f"It was picked without target labels{compared}.")
    else:
        own = "It is the source-only model, " if verdict.pick == verdict.reference else "It was "
        sentences.append(f"{own}picked without target labels, {among}: {verdict.reason}.")
    if verdict.better:
        held = [MEMBERS[name].spoken for name, share in verdict.better.items() if share >= RULE.beaten_draws]
        which = "The best of the others" if verdict.fell_back else "It"
        sentences.append(f"{which} clearly beats source-only by {' and '.join(held) or 'neither'}.")
    reference = None if verdict.reference is None else by_trial[verdict.reference]
    sentences += of_seeds(winner)
    return [*sentences, *_of_guards(rows, verdict), *of_limits(rows), _on_the_source(winner, reference, metric)]


def of_few_labels(winner: ReadRow, rows: Sequence[ReadRow], decision: Decision, metric: Metric) -> list[str]:
    """How a few target labels and the committee picked the winner."""
    count, verdict, posterior = decision.labels, decision.verdict, decision.posterior
    if posterior is None:
        words = f"{_spoken(metric)} is no share of right answers, so label-free scores guarded and did not rank"
        return [f"It was picked by {count} target labels alone: {words}.", *_of_guards(rows, verdict)]
    trial = winner["trial"]
    right = f"it names {sum(posterior.held_out.right[trial]):.0f} of the {count} right without having learnt from them"
    if not decision.has_prior:
        why = verdict.reason or "there was no source-only model to compare with"
        return [
            f"It was picked by {count} target labels alone: {right}.",
            f"Label-free scores had no say: {_ended(why)}",
        ]
    picks = (
        f"The labels alone {_would_have_picked(decision.by_labels, trial)}",
        f"the label-free committee alone {_would_have_picked(verdict.pick, trial)}",
    )
    return [
        f"It was picked by few labels: {count} of the target, and label-free scores that count as "
        f"{posterior.strengths[trial]:g} more.",
        f"The scores expect an accuracy of {posterior.priors[trial]:.3f}, {_rank_in_words(verdict, trial)}; "
        f"{right}; together that makes {posterior.means[trial]:.3f}.",
        f"{'; '.join(picks)}.",
        *_of_guards(rows, verdict),
    ]


def _rank_in_words(verdict: Verdict, trial: int) -> str:
    rank = verdict.values.get(trial)
    if rank is None:
        return "that of source-only, since it never learnt from the source"
    return f"by its mean rank of {rank:.2f} (1 is the best) in {_weighed(verdict.weights)}"


def _would_have_picked(pick: int | None, winner: int) -> str:
    if pick is None:
        return "would have picked none"
    return "would have picked it, too" if pick == winner else f"would have picked trial {pick}"


def _ended(words: str) -> str:
    return words if words.endswith(("?", ".")) else f"{words}."


def _weighed(weights: Mapping[str, float]) -> str:
    """`agreement with all trials (weight 0.23) and agreement of neighbours (weight 0.77)`."""
    shown = [f"{MEMBERS[name].spoken} (weight {weight:.2f})" for name, weight in weights.items()]
    return " and ".join(shown) or "nothing that could be compared"


def _of_guards(rows: Sequence[ReadRow], verdict: Verdict) -> list[str]:
    failed: dict[str, list[int]] = {}
    for row in rows:
        for guard, said in verdict.guards.get(row["trial"], {}).items():
            if said != PASSED:
                failed.setdefault(_GUARDS[guard], []).append(row["trial"])
    if not failed:
        return []
    causes = "; ".join(f"{cause}: {_trials(trials)}" for cause, trials in failed.items())
    return [f"The guards rejected {len(verdict.rejected)} of {len(verdict.values)} trials ({causes})."]


def _on_the_source(winner: ReadRow, reference: ReadRow | None, metric: Metric) -> str:
    if not math.isfinite(source_score_of(winner, metric.name)):
        return "No source example is here; how good it is on the target, only labels there can tell."
    figure = f"On held-out source examples it has {_spoken(metric)} of {source_score_of(winner, metric.name):.3f}"
    if winner["scores"].get(EXPECTED_ON) is not None:
        figure = f"{figure}, as sums over them make expect"
    if reference is not None and reference is not winner:
        figure += f", source-only {source_score_of(reference, metric.name):.3f}"
    return f"{figure}; how good it is on the target, only labels there can tell."


def _trials(numbers: Sequence[int]) -> str:
    listed = ", ".join(str(number) for number in numbers[:5]) + (" …" if len(numbers) > 5 else "")
    return f"trial{'s' if len(numbers) > 1 else ''} {listed}"


def without_winner(rows: Sequence[ReadRow]) -> list[str]:
    """Why there is no model."""
    counts = Counter(row["status"] for row in rows)
    seen = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status]) or "no trial was run"
    if any(has_score(row) for row in rows):
        reasons = [str(row["reason"]).removeprefix(BARRED) for row in rows if has_score(row) and is_barred(row)]
        nearest = f" The best of them: {reasons[0]}." if reasons else ""
        return [f"No model won: none of those that finished is within the limits ({seen}).{nearest}"]
    return [f"No model won: none finished with a score ({seen})."]


def model(row: ReadRow) -> str:
    """The network of a row and how much of it was trained: `MobileNetV2 at 160 px, its last 12 layers unfrozen`; and
    its adaptation where there was one, `…, adapted by mcc`, or that other tasks were learnt beside it."""
    plan = row["plan"]
    backbone, unfrozen = plan["backbone"], plan.get("unfrozen_layers", 0)
    if backbone in NAMES:
        return f"{backbone}, a model without a network"
    name = backbone if isinstance(backbone, str) else next(iter(backbone.values()))
    name = PRETRAINED if PRETRAINED in backbone else name  # its file is named by a digest
    trained = {0: "all layers frozen", 1: "its last layer unfrozen", "all": "every layer trained"}
    size = f" at {plan['image_size']} px" if plan.get("image_size") else ""
    size += " of the content" if plan.get("crop", "none") != "none" else ""
    short_name = str(name).rstrip("/").rsplit("/", 1)[-1]  # of a path, so that no home folder is shown
    method = plan["adaptation"]["method"]
    adapted = "" if method == "none" else f", adapted by {method}"
    adapted += ", learnt together with other tasks" if learns_together(plan) else ""
    return f"{short_name}{size}, {trained.get(unfrozen, f'its last {unfrozen} layers unfrozen')}{adapted}"


def _spoken(metric: Metric) -> str:
    name = metric.name.replace("_", " ").replace("f1", "F1").replace("roc auc", "ROC AUC")
    return f"an {name}" if name.startswith("a") else f"a {name}"


def difference(gain: Interval, metric: Metric) -> str:
    """In points where the metric is a share, else in the metric's own unit; positive is better."""
    ends = (gain.value, gain.low, gain.high)
    if (metric.lowest, metric.highest) == (0.0, 1.0):
        value, low, high = (_signed(100 * end, decimals=1) for end in ends)
        return f"{value} points ({low} to {high})"
    value, low, high = (_signed(end, decimals=3) for end in ends)
    return f"{metric.name.replace('_', ' ')} better by {value} ({low} to {high})"


def _signed(value: float, *, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")
