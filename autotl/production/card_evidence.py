"""The part of a model card that says how the model behaves, from the evidence that was gathered of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from autotl.task.problem import CLASSIFICATION, MULTILABEL

MOST_CLASSES = 40  # in the card; all of them stand in evidence/figures.json
NOT_MEASURED = "not measured"
TOLD_RATIOS = (0.1, 1.0, 10.0)  # costs of a miss, in false alarms

NO_THRESHOLDS = {  # why a card has none, by problem
    CLASSIFICATION.name: "Not asked for: more than two classes, none of them rare.",
    MULTILABEL.name: "Not asked for: every label is said from a threshold of its own, which stands beside its figures.",
}
Json = Mapping[str, Any]


def figures_of_behaviour(values: Json) -> str:
    """Markdown sections on classes, probabilities, unsure answers, unlike inputs and thresholds.

    Args:
        values: `calibration` and `evidence` of a card's values; a part of the latter may be None.
    """
    evidence = values["evidence"]
    if values.get("problem") == "regression":
        return _of_numbers(evidence)
    no_thresholds = NO_THRESHOLDS[values.get("problem", CLASSIFICATION.name)]
    sections = (
        _by_label(evidence["per_label"])
        if evidence.get("per_label")
        else ("Class by class", _by_class(evidence["per_class"])),
        ("Are its probabilities true?", _calibration(values["calibration"], evidence["calibration_on_test"])),
        ("When it is better not to answer", _abstaining(evidence["abstaining"])),
        ("Inputs unlike the training data", _unlike(evidence["unlike"])),
        ("Thresholds, where errors do not cost the same", _thresholds(evidence["thresholds"], otherwise=no_thresholds)),
    )
    note = f"\n{evidence['note']}\n" if evidence["note"] else ""
    return "\n\n".join(f"## {title}\n\n{words}" for title, words in sections) + note


def _of_numbers(evidence: Json) -> str:
    figures = evidence.get("numbers")
    if not figures:
        return f"## How far it is off\n\n{NOT_MEASURED}: no labelled example was held out."
    mean = figures["of_the_mean"]
    scores = [[name, _plain(value), _plain(mean.get(name))] for name, value in figures["scores"].items()]
    parts = [
        [f"{line['from']:,.6g} to {line['to']:,.6g}", line["examples"], f"{line['mae']:,.6g}", f"{line['bias']:+,.6g}"]
        for line in figures["by_size"]
    ]
    held = [
        [f"{line['level']:.0%}", f"±{line['half_width']:,.6g}", f"{line['held']:.1%}"] for line in figures["intervals"]
    ]
    on = f"On {figures['split']}, {figures['examples']} examples"
    tables = (
        ("How far it is off", f"{on}.\n\n{_table(('Metric', 'Model', 'Saying the mean'), scores)}"),
        ("By the true number", _table(("Examples of", "Count", "Mean absolute error", "Bias"), parts)),
        ("Intervals around its answers", _table(("Wanted", "On either side", "Held"), held)),
    )
    note = f"\n{evidence['note']}\n" if evidence["note"] else ""
    return "\n\n".join(f"## {title}\n\n{words}" for title, words in tables) + note


def _by_class(figures: Json | None) -> str:
    if figures is None:
        return f"{NOT_MEASURED}: no labelled example was held out."
    lines = figures["classes"]
    shown = sorted(lines, key=_f1)[:MOST_CLASSES] if len(lines) > MOST_CLASSES else lines
    rows = [
        [line["class"], line["support"], *(_interval(line[name]) for name in ("precision", "recall", "f1"))]
        for line in shown
    ]
    left_out = f"\n\nThe {MOST_CLASSES} with the lowest F1 of {len(lines)}." if len(shown) < len(lines) else ""
    table = _table(("Class", "Examples", "Precision", "Recall", "F1"), rows)
    return f"On {figures['split']}, {figures['examples']} examples; 95 % intervals.\n\n{table}{left_out}"


def _by_label(figures: Json) -> tuple[str, str]:
    """Where an example may bear several labels."""
    lines = figures["labels"]
    shown = sorted(lines, key=_average_precision)[:MOST_CLASSES] if len(lines) > MOST_CLASSES else lines
    rows = [
        [
            line["class"],
            line["support"],
            f"{line['threshold']:.3f}",
            *(_interval(line[name]) for name in ("average_precision", "precision", "recall", "f1")),
        ]
        for line in shown
    ]
    head = ("Label", "Bear it", "Said from", "Average precision", "Precision", "Recall", "F1")
    left_out = (
        f"\n\nThe {MOST_CLASSES} with the lowest average precision of {len(lines)}." if len(shown) < len(lines) else ""
    )
    told = f"On {figures['split']}, {figures['examples']} examples; 95 % intervals. Thresholds gave the best F1 on "
    return "Label by label", f"{told}{figures['tuned_on']}.\n\n{_table(head, rows)}{left_out}"


def _average_precision(line: Json) -> float:
    value = line["average_precision"]["value"]
    return 2.0 if value is None else float(value)


def _calibration(fitted: Json, on_test: Json | None) -> str:
    if "error_before" not in fitted:
        return NOT_MEASURED
    parts = [("validation", fitted)] + ([("test", on_test)] if on_test else [])
    names = (("error", "Expected calibration error"), ("nll", "Negative log likelihood"), ("brier", "Brier score"))
    rows = [
        [f"{words}, {split}", *(_plain(part.get(f"{name}_{when}")) for when in ("before", "after"))]
        for split, part in parts
        for name, words in names
    ]
    untested = "" if on_test else "\n\nOn test: not measured."
    rule = f"\n\nCalibration error over {fitted['bin_rule']}." if "bin_rule" in fitted else ""
    return f"{_table(('Measure', 'Before scaling', 'After'), rows)}{rule}{untested}"


def _abstaining(figures: Json | None) -> str:
    if figures is None:
        return NOT_MEASURED
    lines = [
        f"- On {curve['split']} {_percent(curve['accuracy'])} of all answers are right; AURC {curve['aurc']:.4f} (the "
        f"least that this accuracy allows is {curve['least_aurc']:.4f})."
        for curve in figures["curves"]
    ]
    for rule in figures["rules"]:
        wanted = _percent(rule["wanted"])
        if rule["threshold"] is None:
            lines.append(f"- {wanted} right: no confidence reaches it on {figures['split']}.")
            continue
        where = "; ".join(
            f"{each['split']} {_percent(each['coverage']['value'])} answered"
            + (f", {_interval(each['accuracy'])} of them right" if each["accuracy"] else "")
            for each in rule["on"]
        )
        lines.append(f"- {wanted} right: answer from a confidence of {rule['threshold']:.3f} on: {where}.")
    return "\n".join(lines)


def _unlike(figures: Json | None) -> str:
    if figures is None:
        return NOT_MEASURED
    lines = [
        f"- {each['split']}: {_interval(each['outside'])} lie further from the training data than "
        f"{100 * (1 - figures['expected']):.0f} % of the training examples do from each other"
        + (
            f"; right {_interval(each['accuracy_inside'])} inside, {_interval(each['accuracy_outside'])} beyond."
            if each["accuracy_inside"]
            else "."
        )
        for each in figures["splits"]
    ]
    return f"By {figures['features']}, {figures['neighbours']} nearest neighbours.\n\n" + "\n".join(lines)


def _thresholds(figures: Json | None, *, otherwise: str) -> str:
    if figures is None:
        return otherwise
    if not figures["views"]:
        return f"{NOT_MEASURED}: {figures['missing']}."
    parts = []
    for view in figures["views"]:
        rows = [
            [
                f"{line['ratio']:g}",
                f"{line['threshold']:.3f}",
                _percent(line["recall"]),
                NOT_MEASURED if line["precision"] is None else _percent(line["precision"]),
                f"{line['cost']:.1f}",
            ]
            for line in view["costs"]
            if line["ratio"] in TOLD_RATIOS
        ]
        head = ("A miss costs, in false alarms", "Call it from", "Recall", "Precision", "Cost per 100")
        parts.append(
            f"{view['class']} on {figures['split']}: area under ROC {view['roc_auc']:.4f}, average precision "
            f"{view['average_precision']:.4f}.\n\n{_table(head, rows)}"
        )
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    """Names of classes are anybody's: none of them ends a cell or a line."""
    return " ".join(str(value).replace("|", "\\|").split())


def _f1(line: Json) -> tuple[bool, float]:
    value = line["f1"]["value"]
    return value is None, value or 0.0


def _interval(figure: Json) -> str:
    if figure["value"] is None:
        return NOT_MEASURED
    return f"{_percent(figure['value'])} ({_percent(figure['low'])} to {_percent(figure['high'])})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _plain(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.4f}"
