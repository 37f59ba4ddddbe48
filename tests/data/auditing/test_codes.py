import ast
from pathlib import Path

import pytest

from autotl.data import load_data
from autotl.data.audit import softened
from autotl.data.auditing.codes import CODES, SOFTER, allowable_codes
from autotl.data.examples import Finding
from autotl.errors import TaskError

REPOSITORY = Path(__file__).parents[3]
BRINGS_A_CODE = ("Finding", "ListingError", "finding")


def codes_in(source: str) -> set[str]:
    """Literals that stand first where a finding is made."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in BRINGS_A_CODE:
                found.add(node.args[0].value)
    return found


def test_every_finding_that_is_made_has_its_line_in_the_table():
    made = set().union(*(codes_in(file.read_text()) for file in (REPOSITORY / "autotl" / "data").rglob("*.py")))
    assert len(made) > 30
    assert made - set(CODES) == set()


def test_the_page_tells_every_code_as_the_table_does():
    page = (REPOSITORY / "docs" / "audit.md").read_text().splitlines()
    rows = [line for line in page if line.startswith("| `")]
    assert rows == [
        f"| `{name}` | {code.severity} | {'yes' if code.may_be_allowed else 'no'} | {code.meaning} | {code.advice} |"
        for name, code in CODES.items()
    ]


@pytest.mark.parametrize("code", allowable_codes())
def test_what_is_allowed_is_a_degree_milder_and_says_so_once(make_task, code):
    finding = Finding(code, CODES[code].severity, "words.")
    assert softened(make_task("photos"), finding) == finding
    task = make_task("photos", audit={"allow": [code]})
    milder = softened(task, finding)
    assert milder.severity == SOFTER[finding.severity]
    assert milder.message == ("words." if finding.severity == "info" else "words. Allowed by audit.allow.")
    assert softened(task, milder) == milder


def test_what_nothing_could_go_on_without_cannot_be_allowed(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12})
    with pytest.raises(TaskError, match=r"audit\.allow\[0\]: 'missing_path' cannot be allowed, for nothing could go"):
        load_data(make_task("photos", audit={"allow": ["missing_path"]}))
