"""`autotl doctor` shows a line a check, data on request, and ends with 7 where something stops a search."""

import json

import pytest
from machines import SOUND, a_machine

from autotl.api import doctor
from autotl.api.doctor.judging import judge
from autotl.cli.app import run


@pytest.fixture
def machine(monkeypatch):
    """Puts a machine in the place of this one."""
    monkeypatch.setenv("COLUMNS", "80")

    def put(facts):
        found = doctor.Examination(facts, tuple(judge(facts)))
        monkeypatch.setattr(doctor, "examine", lambda **_: found)

    return put


def test_a_sound_machine_ends_with_0_and_fits_80_columns(machine, capsys):
    machine(SOUND)
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["ok", "python", "3.11.7"]
    assert max(map(len, lines)) <= 80


def test_a_failure_ends_with_7_and_says_what_to_do(machine, capsys):
    machine(a_machine(memory_free_bytes=0))
    assert run(["doctor"]) == 7
    said = capsys.readouterr()
    assert "fail" in said.out
    assert "→ Close other programs" in said.out
    assert "checks failed: memory. The lines above say what to do." in said.err


def test_a_warning_ends_with_0(machine, capsys):
    machine(a_machine(open_files=100))
    assert run(["doctor"]) == 0
    assert "→ ulimit -n" in capsys.readouterr().out


def test_data_alone_go_to_standard_output(machine, capsys):
    machine(a_machine(loopback_failure="no"))
    assert run(["doctor", "--json"]) == 7
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["schema"] == 1
    assert {"name", "status", "words", "fix"} == set(found["findings"][0])
    assert "checks failed: ports" in said.err
