"""MODEL_CARD.md: what a reviewer must know of a model, in the words of its own figures."""

from collections.abc import Mapping
from typing import Any

from autotl.production.card_evidence import figures_of_behaviour
from autotl.task.problem import CLASSIFICATION

INPUTS = {
    "image": "image files; stretched to the model's size, everything else is inside the model",
    "text": "raw strings; the tokenizer is inside the model",
    "table": "rows of a table with the columns that bundle.json names, in any order",
    "signal": "windows of the length and channels that bundle.json names",
}
OWN = "the trial's validation outputs"  # what its temperature is fitted on, unless it came with the model


def model_card(values: Mapping[str, Any]) -> str:
    """Markdown from stored values; what was not measured says so.

    Args:
        values: `task`, `modality`, `setting`, `metric`, `classes`, `plan`, `headline`, `test`, `test_uses`, `refit`,
            `calibration`, `data`, `versions`, `run`, `trial`, `evidence` (as `evidence.gathering` gives its figures).
    """
    test, fitted_on = values["test"], values["calibration"].get("fitted_on", OWN)
    uses = f" (use {values['test_uses']} of this test set on this machine)" if values["test_uses"] else ""
    tested = f"{_figure(test)}{uses}" if test else "not measured: no test set"
    plan = "\n".join(f"- {name}: {_words(value)}" for name, value in values["plan"].items())
    data = "\n".join(f"- {line}" for line in values["data"])
    versions = ", ".join(f"{name} {version}" for name, version in values["versions"].items())
    headline = "\n".join(values["headline"])
    return f"""# {values["task"]}

{headline}

## Use

- Task: {values["setting"]} transfer; {_learnt(values)}.
- Input: {_input(values)}.
- Not measured: fairness between groups of people.

## Figures ({values["metric"]})

- Selection-corrected, on validation: {_figure(values["corrected"])}
- Test: {tested}
- {_calibrated(values["calibration"], fitted_on)}
- Weights: {values["refit"]["reason"]}.

{figures_of_behaviour(values)}

## Data

{data}

## Configuration (run {values["run"]}, trial {values["trial"]})

{plan}

## Versions

{versions}
"""


def _learnt(values: Mapping[str, Any]) -> str:
    if values["problem"] == CLASSIFICATION.name:
        return f"one of {len(values['classes'])} classes: {', '.join(values['classes'])}"
    return str(values["subject"])


def _calibrated(calibration: Mapping[str, Any], fitted_on: str) -> str:
    if "half_widths" not in calibration:
        return f"Calibration: temperature {calibration['temperature']:.3g}, fitted on {fitted_on}."
    widths = [f"{float(level):.0%} within ±{width:,.6g}" for level, width in calibration["half_widths"].items()]
    found = ", ".join(widths) or "too few examples to tell"
    return f"Intervals around its answers (split-conformal, from {fitted_on}): {found}."


def _input(values: Mapping[str, Any]) -> str:
    words = INPUTS[values["modality"]]
    if values["plan"].get("crop", "none") == "none":
        return words
    return (
        f"{words}, except that images are cropped to their content first (`autotl predict` does; `crop` in bundle.json)"
    )


def _figure(figure: Mapping[str, Any] | None) -> str:
    if not figure:
        return "not measured"
    if figure.get("low") is None:
        return f"{figure['value']:.4f}"
    return f"{figure['value']:.4f} (95 % interval {figure['low']:.4f} to {figure['high']:.4f})"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
