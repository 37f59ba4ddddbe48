"""The sample reports in the repository: all there, small, named by the index, silent about where they were made."""

import re

import pytest

from benchmarks.sample_reports import LARGEST, REPORTS, SAMPLES

INDEX = REPORTS / "index.html"


def test_the_index_names_every_sample_and_nothing_else():
    linked = re.findall(r'<a href="([^"]+)"', INDEX.read_text(encoding="utf-8"))
    assert linked == [f"{name}.html" for name in SAMPLES]
    assert {path.name for path in REPORTS.glob("*.html")} == {*linked, "index.html"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_small_whole_and_says_nothing_of_its_machine(name):
    page = (REPORTS / f"{name}.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= LARGEST
    assert "Recommended: " in page
    assert "This run is not complete" not in page
    assert not re.search(r"/(home|root|tmp|Users)/", page)
