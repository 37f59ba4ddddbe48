"""A process that hangs is ended from outside, whatever it is stuck in, and says why in the files of its trials."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from autotl.search.watchdog import Patience

WITHIN = 60.0


def ended(tmp_path, script: str) -> tuple[int, str | None]:
    """Exit code of a process that runs the script beside a watchdog, and the words it left."""
    before = """
        import ctypes, os, signal, time
        from pathlib import Path
        from autotl.search.watchdog import Watchdog
        dog, words = Watchdog(), [Path("hung.txt")]
        """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(before) + textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=WITHIN,
    )
    left = tmp_path / "hung.txt"
    return process.returncode, left.read_text() if left.exists() else None


STUCK = {
    "in a sleep": "time.sleep(600)",
    "in C code that holds the interpreter's lock": "ctypes.PyDLL(None).sleep(600)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "deaf to signals": "[signal.signal(each, signal.SIG_IGN) for each in (2, 15)]; time.sleep(600)",
}


@pytest.mark.parametrize("how", STUCK)
def test_a_process_that_is_stuck_is_ended_and_its_words_are_left(tmp_path, how):
    script = f"dog.expect(within=0.2, else_='it hung: ja\u0308', in_files=words)\n{STUCK[how]}"
    assert ended(tmp_path, script) == (-signal.SIGKILL, "it hung: ja\u0308")
    assert not (tmp_path / "hung.part").exists()


def test_one_whose_words_cannot_be_left_is_ended_all_the_same(tmp_path):
    script = "dog.expect(within=0.2, else_='', in_files=[Path('no/such/folder')]); time.sleep(600)"
    assert ended(tmp_path, script) == (-signal.SIGKILL, None)


def test_steps_that_end_in_time_and_rest_between_them_are_left_alone(tmp_path):
    script = """
        for _ in range(3):
            dog.expect(within=0.3, else_="", in_files=words)
            dog.at_rest()
            time.sleep(0.4)
        dog.stop()
        """
    assert ended(tmp_path, script) == (0, None)


def test_the_watchdog_goes_with_its_process_however_that_ends(tmp_path):
    script = """
        Path("pid").write_text(str(dog._process.pid))
        dog.expect(within=600, else_="", in_files=words)
        os._exit(3)
        """
    assert ended(tmp_path, script) == (3, None)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int((tmp_path / "pid").read_text())).wait(WITHIN)


def test_a_step_without_its_watchdog_goes_on(tmp_path):
    script = """
        dog._process.kill()
        dog._process.wait()
        dog.expect(within=0.1, else_="", in_files=words)
        dog.at_rest()
        time.sleep(0.3)
        dog.stop()
        """
    assert ended(tmp_path, script) == (0, None)


class TestPatience:
    PATIENCE = Patience(seconds=10, times_longest=5, seconds_at_the_ends=60)

    def test_the_first_step_and_one_that_may_be_the_last_have_more_time(self):
        assert self.PATIENCE.for_step([], may_end=False) == 60
        assert self.PATIENCE.for_step([1.0], may_end=False) == 10
        assert self.PATIENCE.for_step([1.0], may_end=True) == 60

    def test_slow_steps_have_as_much_time_as_they_need(self):
        assert self.PATIENCE.for_step([3.0], may_end=False) == 15  # the first, before there is another
        assert self.PATIENCE.for_step([30.0, 4.0, 3.0], may_end=False) == 20  # it loads what the others do not
        assert self.PATIENCE.for_step([30.0, 20.0], may_end=True) == 100
