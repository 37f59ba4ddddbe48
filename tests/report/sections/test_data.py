"""Domains and the findings of the audit."""

from autotl.report.sections import domains, findings_by_severity


def test_a_domain_without_labels_shows_its_total_alone():
    (domain,) = domains({"domains": [{"name": "t", "role": "target", "splits": {"train": 40, "test": {"a": 3}}}]})
    assert (domain.splits, domain.totals, domain.classes) == (["train", "test"], [40, 3], [("a", [None, 3])])


def test_where_examples_bear_several_labels_all_are_the_examples_and_those_without_are_told():
    splits = {"train": {"heat": 30, "wear": 25}, "test": 20}
    several = {"train": {"examples": 40, "without": 5}}
    (domain,) = domains({"domains": [{"name": "t", "role": "target", "splits": splits, "several": several}]})
    assert (domain.noun, domain.totals, domain.without) == ("label", [40, 20], [5, None])


def test_labels_that_are_numbers_are_told_by_where_they_lie():
    figures = {
        "least": -1.5,
        "quarter": 0,
        "median": 2,
        "three_quarters": 3,
        "most": 12345.6,
        "mean": 2,
        "deviation": 1,
    }
    splits = {"train": 40, "test": 9}
    (domain,) = domains({"domains": [{"name": "t", "splits": splits, "numbers": {"train": figures}}]})
    assert (domain.noun, domain.classes, domain.totals) == ("label", [], [40, 9])
    assert domain.numbers[0] == ("least", ["-1.5", None])
    assert dict(domain.numbers)["most"] == ["12,346", None]


def test_the_gravest_finding_comes_first_and_examples_are_cut():
    findings = [
        {"code": "a", "severity": "info", "message": "", "examples": []},
        {"code": "b", "severity": "error", "message": "", "examples": [str(number) for number in range(14)]},
    ]
    first, second = findings_by_severity(findings)
    assert (first["code"], len(first["examples"]), first["more"], second["code"]) == ("b", 10, 4, "a")
