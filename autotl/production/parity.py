"""Whether an exported model says what its bundle says: both from raw files to answers, on the same files."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Inputs, Labels
from autotl.data.records import Records
from autotl.errors import GateNotMetError, UsageError, in_one_line
from autotl.production.exportable import Exportable
from autotl.production.latency import one_core
from autotl.production.prediction import BATCH, read_inputs
from autotl.production.shipped import shipped_model
from autotl.scoring.answers import Answers

LARGEST_DIFFERENCE = 1e-4  # of a probability, or of how far numbers spread, in float32
LEAST_AGREEMENT = 0.995  # of labels, or the concordance of numbers
WARM_UP = 3
MOST_REPEATS = 100
LONGEST_SECONDS = 15.0  # of measuring both models

Said = NDArray[np.float32]  # (n, columns) answers


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a raw example in memory to its answer, one at a time, one core."""

    p50: float
    p95: float

    def as_dict(self) -> dict[str, float]:
        """Plain JSON values."""
        return {"p50": round(self.p50, 3), "p95": round(self.p95, 3)}


@dataclass(frozen=True)
class Parity:
    """Two models on the same examples.

    Attributes:
        answers: what they answer.
        difference: the largest, as `answers` measures it.
        agreement: how far they say the same, likewise; 1 at most.
        worst: the example that differs most.
        figure: the answers' `figure` of the bundle and of the export, on examples whose label is known; None where none
            is.
        labelled: how many these are.
    """

    answers: Answers
    examples: int
    difference: float
    agreement: float
    worst: str
    figure: tuple[float, float] | None
    labelled: int
    latency: tuple[Latency, Latency]

    def refuse_unless_equal(self, what: str) -> None:
        """Raises a GateNotMetError, naming the difference, where the two are not one model."""
        if self.difference <= LARGEST_DIFFERENCE and self.agreement >= LEAST_AGREEMENT:
            return
        raise GateNotMetError(
            f"{what} does not say what the model says: they differ by up to {self.difference:.2g} {self.answers.apart} "
            f"(allowed: {LARGEST_DIFFERENCE:g}), most on {self.worst}, and {self.answers.agreeing(self.agreement)} "
            f"(required: {LEAST_AGREEMENT:.1%}) over {self.examples} examples. Nothing was exported. Try another "
            "--format."
        )


def compare(of: Exportable, exported: Path, examples: Path, labels: Labels | None) -> Parity:
    """Runs a bundle and what was exported of it on the same raw files.

    Args:
        exported: the folder of the export.
        examples: what `predict` would be given.
        labels: of each example, where they are known.
    Raises:
        UsageError: the export cannot run them at all.
    """
    bundle, model = of.bundle, of.serving
    inputs, _ = read_inputs(bundle, examples)

    def bundles(row: int) -> Any:
        return model.predict(bundle.reading(_anew(inputs, row), np.array([0])))

    expected = np.concatenate(
        [
            model.predict(bundle.reading(inputs, np.arange(start, min(start + BATCH, len(inputs)))))
            for start in range(0, len(inputs), BATCH)
        ]
    )
    try:
        with shipped_model(exported, threads=1) as shipped:
            names, raw = zip(*shipped.examples(examples), strict=True)
            starts = range(0, len(raw), BATCH)
            said = np.concatenate([shipped.predict(raw[start : start + BATCH]) for start in starts])
            latency = _latencies((bundles, lambda row: shipped.predict(raw[row : row + 1])), len(raw))
    except Exception as error:  # a runtime raises nearly anything
        why = in_one_line(error).rstrip(".")
        raise UsageError(f"what was exported cannot run: {why}. Nothing was exported. Try another --format.") from error
    if tuple(names) != inputs.ids:  # some cannot be read by one of them
        raise UsageError(f"the export reads {len(names)} of {len(inputs)} examples. Nothing was exported.")
    return _compared(of.answers, expected, said, names, labels, latency)


def _compared(
    answers: Answers,
    expected: Said,
    said: Said,
    names: tuple[str, ...],
    labels: Labels | None,
    latency: tuple[Latency, Latency],
) -> Parity:
    differences = answers.differences(expected, said)
    before, after = (None if labels is None else answers.figure_of(labels, each) for each in (expected, said))
    return Parity(
        answers,
        len(said),
        float(differences.max()),
        answers.agreement(expected, said),
        names[int(differences.argmax())],
        None if before is None or after is None else (before[0], after[0]),
        0 if before is None else before[1],
        latency,
    )


def _latencies(models: tuple[Callable[[int], Any], Callable[[int], Any]], rows: int) -> tuple[Latency, Latency]:
    """Of two models, taken in turns, so that whatever else the machine does slows both down."""
    seconds: list[list[float]] = [[], []]
    with one_core():
        for repeat in range(WARM_UP):
            for model in models:
                model(repeat % rows)
        while len(seconds[0]) < MOST_REPEATS and sum(map(sum, seconds)) < LONGEST_SECONDS:
            row = len(seconds[0]) % rows
            for model, taken in zip(models, seconds, strict=True):
                start = time.perf_counter()
                model(row)
                taken.append(time.perf_counter() - start)
    one, two = (Latency(*(1e3 * np.quantile(taken, [0.5, 0.95])).tolist()) for taken in seconds)
    return one, two


def _anew(inputs: Inputs, row: int) -> Inputs:
    """One example, read as if it had come alone: cells are parsed again."""
    one = inputs.take(np.array([row]))
    return one.with_schema(one.schema) if isinstance(one, Records) and one.schema is not None else one
