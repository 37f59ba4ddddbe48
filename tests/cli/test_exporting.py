"""What `autotl export` prints: what was written, whether it is still the model, and what it costs."""

from pathlib import Path

import pytest
from rich.console import Console

from autotl.cli.app import run
from autotl.cli.exporting import parity_sentences, parity_table
from autotl.production.exporting import Exported


def an_export(*, quantized=None, accuracy=None, agreement=0.985):
    record = {
        "format": "litert",
        "problem": "classification",
        "quantized": quantized,
        "parity": {
            "examples": 200,
            "of": "of the run's data",
            "max_difference": 3.21e-06,
            "agreement": agreement,
            "accuracy": accuracy,
        },
        "latency_ms": {"bundle": {"p50": 8.123, "p95": 11.5}, "export": {"p50": 0.81, "p95": 4.0}},
        "size_mb": {"bundle": 5.567, "export": 1.538},
    }
    return Exported(Path("phone"), "litert", None, record)


def test_difference_agreement_and_where_the_examples_come_from_are_told():
    first, second = parity_sentences(an_export())
    assert first == "Written to phone/: litert."
    assert "200 examples of the run's data" in second
    assert "differ by 3.2e-06 of a probability at most, and 98.5% of the labels agree" in second


def test_eight_bits_are_told_with_what_they_cost():
    accuracy = {"examples": 180, "bundle": 0.9, "export": 0.875}
    first, _, third = parity_sentences(an_export(quantized="int8", accuracy=accuracy))
    assert first == "Written to phone/: litert, int8."
    assert third == "accuracy on 180 of these whose label is known: 0.900 before, 0.875 after."


def test_eight_bits_that_make_another_model_of_it_are_called_so():
    assert "not the model that was approved" in parity_sentences(an_export(quantized="int8", agreement=0.7))[-1]


def test_latency_and_size_stand_beside_each_other():
    console = Console(width=100)
    with console.capture() as captured:
        console.print(parity_table(an_export().record))
    lines = captured.get().splitlines()
    for words, before, after in (
        ("half are below", "8.12 ms", "0.81 ms"),
        ("95 % are below", "11.50 ms", "4.00 ms"),
        ("size", "5.6 MB", "1.5 MB"),
    ):
        line = next(line for line in lines if words in line)
        assert line.index(before) < line.index(after)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "runs"], "--format"),
        (["export", "runs", "--format", "onnx"], "--out"),
        (["export", "runs", "--format", "onyx", "--out", "x"], "Did you mean 'onnx'?"),
        (["export", "runs", "--format", "onnx", "--out", "x"], "no model bundle"),
        (["export", "runs", "--format", "onnx", "--out", "."], "is not empty"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
