"""What the figures of a domain gap mean, in words that a reviewer understands, and what to do about it."""

from collections.abc import Mapping
from typing import Any

ALMOST_ALWAYS, OFTEN, SOMETIMES = 1.5, 1.0, 0.4  # of A-distance: right in 88, 75 and 60 of 100 cases
SIGNIFICANT = 0.05
FEW_USED = 0.1  # of the source by importance weighting
MANY_OUTSIDE = 0.1
RISKY = 0.3  # of joint error
MOVED_SHARES = 0.05  # total variation of class shares
STABLE, SHIFTED = 0.1, 0.25  # population stability index
MOST_NAMED = 3

Panel = Mapping[str, Any]


def sentences(panel: Panel) -> list[str]:
    """The panel in words, the most important first; advice where there is some."""
    if not panel["varies"]:
        return ["The features of both domains are the same for every example: nothing can be compared by them."]
    lines = [
        _told_apart(panel),
        _discrepancy(panel),
        _support(panel),
        _adaptability(panel),
        _label_shift(panel),
        _classes(panel),
        _columns(panel),
        _left_out(panel),
    ]
    return [line for line in lines if line]


def _told_apart(panel: Panel) -> str:
    value = panel["a_distance"]
    figure = f"(A-distance {value:.2f} of 2)"
    if value >= ALMOST_ALWAYS:
        advice = "adapt, and align the features first (standardize, coral) before finer methods."
        return f"The domains can be told apart almost always {figure}. Advice: {advice}"
    if value >= OFTEN:
        return f"The domains can be told apart often {figure}. Advice: adapt; most methods have something to gain here."
    if value >= SOMETIMES:
        return f"The domains can be told apart sometimes {figure}. Advice: adaptation may help a little; compare it."
    return f"The domains can hardly be told apart {figure}. Advice: a model of the source may do as it is."


def _discrepancy(panel: Panel) -> str:
    found = panel["mmd"]
    if found["p_value"] >= SIGNIFICANT:
        said = "so far apart as two samples of one distribution may be"
    elif found["narrow"] > 2 * max(found["value"], found["wide"]):
        said = "further apart than chance explains, in fine detail more than as a whole"
    else:
        said = "further apart than chance explains"
    mean = panel["mean_shift"]
    of_mean = "" if mean is None else f"; their means lie {mean:.2f} of an example's usual deviation apart"
    return (
        f"Their features are {said} (MMD² {found['value']:.3f}, p {_p(found['p_value'])}; "
        f"CORAL distance {panel['coral']:.2g}){of_mean}."
    )


def _support(panel: Panel) -> str:
    outside, used = panel["support"]["outside"], panel["support"]["effective_share"]
    line = (
        f"{_percent(outside)} of the target lies where the source has no examples (about 1 % is usual); weighting the "
        f"source to look like the target would use {_percent(used)} of it."
    )
    if used < FEW_USED:
        return f"{line} Advice: leave importance weighting out, too few examples would decide."
    if outside > MANY_OUTSIDE:
        return f"{line} Advice: label a few target examples, there the source says nothing."
    return line


def _adaptability(panel: Panel) -> str:
    error = panel["adaptability"]
    if error is None:
        return ""
    line = f"One model for both domains would be wrong on about {_percent(error)} (joint error, by pseudo-labels)"
    if error > RISKY:
        return f"{line}: adaptation is risky. Advice: label some target examples, and trust the guards."
    return f"{line}: nothing here speaks against adapting."


def _label_shift(panel: Panel) -> str:
    found = panel["label_shift"]
    if found is None or len(found["classes"]) < 2:
        return ""
    if not found["can_be_told"]:
        condition = "∞" if found["condition"] is None else f"{found['condition']:.0f}"
        return (
            "The target's class shares cannot be told: the classes are mixed up too much on the source (condition "
            f"number {condition} of the confusion matrix)."
        )
    moved = sorted(found["classes"], key=lambda each: -abs(each["target"] - each["source"]))[:MOST_NAMED]
    named = ", ".join(f"{each['name']} {_percent(each['source'])} → {_percent(each['target'])}" for each in moved)
    said = "about the same as" if found["total_variation"] < MOVED_SHARES else "other than"
    line = (
        f"The target's class shares are {said} the source's (they differ by {found['total_variation']:.2f}; {named})."
    )
    if panel["a_distance"] > OFTEN:
        line += " These estimates are biased where features shift as much as here."
    elif found["total_variation"] >= MOVED_SHARES:
        line += " Advice: try label_shift."
    return line


def _classes(panel: Panel) -> str:
    classes = panel["classes"]
    if len(classes) < 2:
        return ""
    unseen = [each["name"] for each in classes if each["target_rows"] == 0]
    moved = [each for each in classes if each["shift"] is not None][:MOST_NAMED]
    first = "" if not moved else ", ".join(f"{each['name']} ({each['shift']:.2f})" for each in moved)
    line = f"Classes that moved furthest, in units of the spread within classes, and are to be labelled first: {first}."
    missing = f"No target example looks like: {_some(unseen)}." if unseen else ""
    return " ".join(part for part in (missing, line if first else "") if part)


def _columns(panel: Panel) -> str:
    columns = panel.get("columns")
    if not columns:
        return ""
    moved = [each for each in columns if each["p_value"] < SIGNIFICANT and each["stability"] >= STABLE]
    if not moved:
        return f"None of the {len(columns)} columns moved noticeably."
    named = "; ".join(
        f"{each['name']} (distance {each['distance']:.2f}, stability index {each['stability']:.2f})"
        for each in moved[:MOST_NAMED]
    )
    most = max(columns, key=lambda each: each["importance"])
    told = f"{most['name']} tells the domains apart most ({_percent(most['importance'])} of the classifier's worth)"
    return f"{len(moved)} of {len(columns)} columns moved: {named}. {told}. Advice: check how they were measured."


def _left_out(panel: Panel) -> str:
    left_out = panel["rows"]["left_out"]
    return f"{left_out} examples without finite features were left out." if left_out else ""


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1f} %"


def _p(value: float) -> str:
    return "< 0.01" if value < 0.01 else f"{value:.2f}"
