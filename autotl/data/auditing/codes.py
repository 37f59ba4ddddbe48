"""Every code that a finding may bear: how grave it is at most, what it means, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]

MAX_BROKEN_SHARE = 0.01  # of the examples of a split; so many are skipped with a warning
SOFTER: dict[Severity, Severity] = {"error": "warning", "warning": "info", "info": "info"}  # once it is allowed


@dataclass(frozen=True)
class Code:
    """What a code stands for.

    Attributes:
        severity: the gravest that it comes with. Errors stop a search; `docs/audit.md` tells where one is milder.
        may_be_allowed: whether `audit: {allow: [CODE]}` makes it a degree milder; what a search cannot do without
            cannot be allowed.
    """

    severity: Severity
    may_be_allowed: bool
    meaning: str
    advice: str


def _stops(meaning: str, advice: str) -> Code:
    """Nothing could go on."""
    return Code("error", False, meaning, advice)


def _stops_unless_allowed(meaning: str, advice: str) -> Code:
    return Code("error", True, meaning, advice)


def _warns(meaning: str, advice: str) -> Code:
    return Code("warning", True, meaning, advice)


def _tells(meaning: str, advice: str) -> Code:
    return Code("info", True, meaning, advice)


CODES: dict[str, Code] = {
    # paths and files
    "missing_path": _stops("a path of the task is not there", "Correct it; the nearest name is told."),
    "unknown_kind": _stops("a path is of a kind that the modality does not read", "Give one of the kinds listed."),
    "no_images": _stops("a folder holds no image", "Name the folder with the images."),
    "no_texts": _stops("a folder holds no text", "Name the folder with the texts."),
    "no_classes": _stops("a folder holds files but no class folders", "Sort them into CLASS/, or name a CSV."),
    "splits_as_classes": _stops("class folders are called train, test …", "Name each as a split of its own."),
    "missing_file": _stops("a table names a file that is not there", "Correct the row, or remove it."),
    "path_outside": _stops("a table names a file outside its own folder", "Move the file below the table."),
    "bad_table": _stops("a table cannot be read", "Line, byte and setting are told."),
    "bad_array": _stops("an .npz cannot be read, or lacks a member", "What it holds, and what is expected, is told."),
    "bad_signal": _stops("samples cannot be cut into windows", "Write `window`, `data.columns`, or repair the rows."),
    "bad_statistics": _stops(
        "statistics of a source cannot be used for this task", "Write them again, or leave them out."
    ),
    "bad_export": _stops("an exported source cannot be used for this task", "Export it again, or leave it out."),
    "other_files": _tells("files that are no examples lie in class folders", "They are left alone."),
    "broken_image": _stops_unless_allowed(
        "images that cannot be decoded: an error above 1 % of all, else a warning", "Repair or remove them."
    ),
    "broken_text": _stops_unless_allowed(
        "texts that are empty or not in this encoding: an error above 1 % of all, else a warning",
        "Repair them, or write `encoding`.",
    ),
    "broken_window": _stops_unless_allowed(
        "windows with values that are no number: an error above 1 % of all, else a warning", "Repair the recording."
    ),
    "broken_row": _stops("no row of a split can be used", "Repair the table."),
    # classes and labels
    "no_columns": _stops("a column is named where the data are class folders", "Name a CSV with that column."),
    "unknown_column": _stops("a column is named that nothing has", "Correct it; the nearest name is told."),
    "empty_label": _stops("rows without a label", "Fill or remove them."),
    "bad_label_list": _stops("labels that are no list, or no 0 and 1", "Line and cell are told; write all alike."),
    "word_for_none": _warns(
        "a label that reads like a missing value", "Leave the cell empty where an example bears no label."
    ),
    "one_label_each": _warns("every example bears exactly one label", "Write `problem: classification`."),
    "no_number": _stops("labels that are no numbers where numbers are learnt", "Repair them, or leave `problem` out."),
    "no_label_column": _stops("class folders where labels are no classes", "Name a CSV with a label column."),
    "one_number": _stops("all labels are one number", "Add examples, or name the right column."),
    "continuous_labels": _stops_unless_allowed(
        "classes that are numbers and hardly repeat", "Write `problem: regression`. Allow it where they are classes."
    ),
    "few_numbers": _tells("numbers to learn that take up to five whole values", "Ask whether they are classes."),
    "one_class": _stops("fewer than two classes", "Add examples of another class."),
    "unknown_class": _stops("`classes` names one that the data lack", "Correct it; the nearest name is told."),
    "class_mismatch": _stops("domains, or train and test, have other classes", "Write `classes: shared` or `union`."),
    "unknown_positive": _stops("`positive` is no class of two", "Correct it, or leave it out."),
    "metric_classes": _stops("the metric is for two classes", "Choose another, such as macro_f1."),
    "empty_class": _warns("a class folder holds no example and was dropped", "Fill or remove it."),
    "rare_class": _stops("a class has a single example", "Add examples, or write `audit: {rare: drop}`."),
    "few_examples": _warns(
        "a class, or a domain of numbers, has fewer than 10 examples", "Add some: its figures will be uncertain."
    ),
    "label_twins": _stops_unless_allowed(
        "classes that differ only in case, spaces or encoding", "Paste the `audit: {merge: …}` of the message."
    ),
    "near_names": _warns(
        "a rare class whose name is one letter off a common one", "If it is a typo, paste the `merge` of the message."
    ),
    "label_conflict": _warns("equal examples under different labels", "Look at them and correct one."),
    # the same thing twice, and what gives the answer away
    "leak": _stops_unless_allowed(
        "equal examples, or one group, on both sides of a given split; or a column that gives the label away",
        "Remove them from one side; drop the column where it is not known when predicting.",
    ),
    "duplicate": _warns(
        "examples that repeat another one", "Nothing: they stay on one side of every split that is drawn."
    ),
    "near_duplicate": _warns(
        "images that look like another one saved anew, texts that differ in case, white space, signs or markup alone",
        "Nothing: they stay on one side of every split that is drawn.",
    ),
    "near_leak": _warns(
        "near copies on both sides of a given split", "Remove them from one side, or group both by what they show."
    ),
    "shortcut": _warns(
        "properties beside the point (size, format, brightness, length …) tell the label; info where that may well be "
        "so by nature",
        "Ask whether labels come from different places; bring all to one form. Allow it where it is so by nature.",
    ),
    # what models see of the domains
    "margins_differ": _tells("images of the domains differ in their margins", "Try `crop: content`."),
    # columns of tables
    "identifier": _warns(
        "a column in which nearly nothing repeats; it was left out", "Allow it where it is a feature: then it is kept."
    ),
    "constant_column": _warns("a column with one value; it was left out", "Nothing, unless it should vary."),
    "empty_column": _warns("a column without a value; it was left out", "Fill it, or drop it."),
    "duplicate_column": _warns("a column that says what another one says; it was left out", "Nothing."),
    "mixed_types": _stops_unless_allowed(
        "cells that do not fit their column: an error where other rows than the training's have many, else a warning",
        "Repair them: they are read as missing.",
    ),
    "ambiguous_numbers": _warns("commas that may be decimal or not", "Write the numbers with a point."),
    "ambiguous_dates": _warns("dates whose day and month may be swapped", "Write them as 2026-03-01."),
    "many_categories": _tells("a column with more categories than are told apart", "Join the rare ones."),
    "unseen_categories": _warns("categories that no training row has", "Add rows of them, or join them to others."),
    # signals
    "constant_window": _warns("windows that never change", "Ask whether the sensor was off."),
    "constant_channel": _warns("channels that never change", "Drop them."),
    "mixed_window": _warns("windows across a change of label", "Nothing: each bears the label of most samples."),
    "uneven_time": _warns("samples are missing or crowded", "Nothing: no window reaches across such a place."),
    "sampling_rate": _warns("units are sampled at different rates", "Resample them to one rate."),
    "short_unit": _warns("units shorter than one window", "Write a shorter `window`, or record longer."),
}


def allowable_codes() -> tuple[str, ...]:
    """What `audit: {allow: […]}` may name."""
    return tuple(code for code, known in CODES.items() if known.may_be_allowed)
