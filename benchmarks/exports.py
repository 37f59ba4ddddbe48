"""What exports cost and keep: every format that holds the winner of a run, compared with it from raw files on.

python -m benchmarks.exports RUN [RUN ...]
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl import api
from autotl.errors import AutotlError
from autotl.scoring.answers import ANSWERS

FORMATS = ("native", "saved_model", "litert", "litert int8", "onnx", "openvino")
TITLES = (
    "model",
    "format",
    "MB",
    "largest difference",
    "they agree",
    "figure: before, after",
    "p50 (ms): model, export",
    "p95 (ms): model, export",
)


def main() -> None:
    """Prints a row per run and format; a format that cannot hold a model is told beside the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("runs", type=Path, nargs="+")
    given = arguments.parse_args()
    print("| " + " | ".join(TITLES) + " |\n" + "|---" * len(TITLES) + "|")
    refused: list[str] = []
    with tempfile.TemporaryDirectory(prefix="autotl-exports-") as place:
        for number, run in enumerate(given.runs):
            for written in FORMATS:
                name, _, quantize = written.partition(" ")
                out = Path(place, str(number), written.replace(" ", "-"))
                try:
                    done = api.export(run, format=name, out=out, quantize=quantize or None)
                except AutotlError as error:
                    refused.append(f"{run.name}, {written}: {error}")
                    continue
                print(_row(run.name, written, done.record), flush=True)
    print("\n".join(["", *refused]))


def _row(run: str, written: str, record: Mapping[str, Any]) -> str:
    parity, latency, size = record["parity"], record["latency_ms"], record["size_mb"]
    known = parity[ANSWERS[record["problem"]].figure]
    figures = "–" if known is None else f"{known['bundle']:.3f}, {known['export']:.3f}"
    times = [f"{latency['bundle'][each]:.2f}, {latency['export'][each]:.2f}" for each in ("p50", "p95")]
    cells = [run, written, f"{size['export']:.2f} ({size['bundle']:.2f})", f"{parity['max_difference']:.1e}"]
    return "| " + " | ".join([*cells, f"{parity['agreement']:.1%}", figures, *times]) + " |"


if __name__ == "__main__":
    main()
