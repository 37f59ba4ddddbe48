"""The browser code is what its publishers published."""

import hashlib
import json
from pathlib import Path

import pytest

from autotl.report import vendor
from autotl.report.vendor import libraries
from autotl.report.vendor.fetch import PACKAGES

FOLDER = Path(vendor.__file__).parent
ENTRIES = json.loads((FOLDER / "vendor.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_a_file_is_the_one_that_was_fetched_and_has_its_licence(entry):
    assert hashlib.sha256((FOLDER / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert "Redistribution and use" in (FOLDER / entry["licence_file"]).read_text(encoding="utf-8")


def test_the_script_that_fetches_would_fetch_these_versions():
    assert [(entry["name"], entry["version"]) for entry in ENTRIES] == [(p.name, p.version) for p in PACKAGES]


def test_vega_lite_is_the_version_that_altair_writes_for():
    import altair

    written_for = {entry["name"]: entry["version"] for entry in ENTRIES}["vega-lite"]
    assert altair.SCHEMA_VERSION.lstrip("v").split(".")[0] == written_for.split(".")[0]


@pytest.mark.parametrize("library", libraries(), ids=lambda library: library.name)
def test_a_script_can_stand_inline(library):
    assert "</script" not in library.script.lower()
    assert "<!--" not in library.script
    assert "sourceMappingURL" not in library.script


def test_a_changed_file_is_refused():
    with pytest.raises(ValueError, match=r"vega\.min\.js: SHA-256 is"):
        vendor._checked(b"alert(1)", ENTRIES[0])
