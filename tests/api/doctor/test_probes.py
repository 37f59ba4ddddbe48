"""What is tried out in a process of its own cannot bring the doctor down, nor keep it waiting."""

import pytest

from autotl.api.doctor.probes import OPENVINO, RAY, TENSORFLOW, try_out


def test_what_comes_through_is_data():
    assert try_out("print('greetings'); print('{\"gpus\": 2}')").said == {"gpus": 2}


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "its process ended with 3"),
        ("import os; os.kill(os.getpid(), 9)", "its process was ended by signal 9"),
        ("print('hello')", "it answered 'hello'"),
        ("", "it answered ''"),
    ],
)
def test_what_fails_says_its_last_words(script, failure):
    assert try_out(script).failure == failure


def test_what_hangs_is_given_up():
    assert try_out("import time; time.sleep(60)", patience=0.5).failure == "it has said nothing for 0.5 s"


@pytest.mark.slow
@pytest.mark.parametrize("script", [TENSORFLOW, OPENVINO, RAY])
def test_here_all_of_it_runs(script):
    probe = try_out(script)
    assert probe.failure is None
    assert probe.said
