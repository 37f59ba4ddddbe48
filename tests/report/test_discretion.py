"""A report that is passed on shows neither an example of the data nor what its files are called."""

from dataclasses import replace

from sample import sample_values

from autotl.report import render
from autotl.report.discretion import WITHHELD, without_examples

NAMES = ("ward 3/Ondraskova Anna.png", "ward 3/Ondraskova Anna.png.bak", "ward 9/Quillfeather Tom.png")
VALUES = replace(
    sample_values(),
    data={
        **sample_values().data,
        "broken": [[NAMES[2], f"is cut off, as {NAMES[0]} is"]],
        "notes": [f"See {NAMES[1]}."],
    },
    findings=[
        {
            "code": "near_duplicates",
            "severity": "warning",
            "message": f"{NAMES[0]} and {NAMES[1]} look alike. Keep one.",
            "examples": list(NAMES[:2]),
        },
        {"code": "rare_class", "severity": "info", "message": "'x' has one row.", "examples": ["x"]},
    ],
)


def test_no_name_is_left_anywhere_on_the_page():
    page = render(without_examples(VALUES))
    assert "Ondraskova" not in page
    assert "Quillfeather" not in page
    whole = render(VALUES)
    assert "Ondraskova" in whole
    assert "Quillfeather" in whole


def test_what_was_found_is_still_told():
    discreet = without_examples(VALUES)
    assert discreet.examples is None
    assert [finding["code"] for finding in discreet.findings] == ["near_duplicates", "rare_class"]
    assert discreet.findings[0]["message"] == f"{WITHHELD} and {WITHHELD} look alike. Keep one."
    assert discreet.findings[1]["message"] == "'x' has one row."
    assert discreet.data["broken"] == [["file 1", f"is cut off, as {WITHHELD} is"]]
    assert discreet.data["notes"] == [f"See {WITHHELD}."]


def test_values_without_findings_stay_as_they_are_but_for_the_examples():
    bare = replace(VALUES, findings=(), data={})
    assert without_examples(bare) == replace(bare, examples=None, findings=[], data={"notes": [], "broken": []})
