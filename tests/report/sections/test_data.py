"""Domains and the findings of the audit."""

from autotl.report.sections import domains, findings_by_severity


def test_a_domain_without_labels_shows_its_total_alone():
    (domain,) = domains({"domains": [{"name": "t", "role": "target", "splits": {"train": 40, "test": {"a": 3}}}]})
    assert (domain.splits, domain.totals, domain.classes) == (["train", "test"], [40, 3], [("a", [None, 3])])


def test_the_gravest_finding_comes_first_and_examples_are_cut():
    findings = [
        {"code": "a", "severity": "info", "message": "", "examples": []},
        {"code": "b", "severity": "error", "message": "", "examples": [str(number) for number in range(14)]},
    ]
    first, second = findings_by_severity(findings)
    assert (first["code"], len(first["examples"]), first["more"], second["code"]) == ("b", 10, 4, "a")
