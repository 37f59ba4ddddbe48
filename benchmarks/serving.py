"""What serving adds: a single image over HTTP against the bare model call on the same bytes.

They take turns, so that a busy machine slows both alike.

python -m benchmarks.serving RUN/winner [--images FOLDER_OR_NPZ] [--rounds 20] [--calls 25]

- bare call: bytes → `bundle.reading` (decode, resize) → `load_model().predict`: what a careful user writes.
- frozen call: the same with the graph that the server calls, without HTTP: what of the difference is the graph's.
- served: `POST /v1/predict` to `autotl serve` in a process of its own, over loopback, on one kept connection.

The model is pretended to be asked one thing at a time. The first calls of each are not counted.
"""

import argparse
import http.client
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from autotl.data.arrays import read_array
from autotl.data.instances import images_from_contents
from autotl.production.bundle import Bundle, open_bundle

IMAGES = 32
WARM_UP = 20


def main() -> None:
    """Prints p50 and p95 of each way, and the ratio of the medians."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("bundle", type=Path)
    arguments.add_argument("--images", type=Path, help="a folder of images or an .npz; drawn if left out")
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--calls", type=int, default=25, help="of each way in a round")
    given = arguments.parse_args()
    contents = _contents(given.images)
    with _server(given.bundle) as address:
        ways = {**_bare(open_bundle(given.bundle), contents), "served": _served(address, contents)}
        _agree({name: call(0) for name, call in ways.items()})
        _report(_measured(ways, rounds=given.rounds, calls=given.calls))


def _bare(bundle: Bundle, contents: Sequence[bytes]) -> dict[str, Callable[[int], str]]:
    from autotl.api.quiet import import_keras

    import_keras()
    from autotl.production.serving.frozen_graph import frozen
    from autotl.production.serving.served import blank_example
    from autotl.production.serving_model import KerasServing

    model = bundle.load_model()
    assert isinstance(model, KerasServing), "this benchmark is about images"
    quick = frozen(model, blank_example(bundle.reading))
    first = np.array([0])

    def by(predict: Callable[[np.ndarray], np.ndarray]) -> Callable[[int], str]:
        def call(number: int) -> str:
            image = images_from_contents([contents[number % len(contents)]])
            return bundle.classes[int(predict(bundle.reading(image, first)).argmax())]

        return call

    return {"bare call": by(model.predict), "frozen call": by(quick)}


def _served(address: str, contents: Sequence[bytes]) -> Callable[[int], str]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)

    def call(number: int) -> str:
        content = contents[number % len(contents)]
        connection.request("POST", "/v1/predict", content, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse().read()
        return str(json.loads(answer)["predictions"][0]["label"])

    return call


@contextmanager
def _server(bundle: Path) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "autotl", "serve", str(bundle), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "/v1/predict takes requests" in line:
                yield line.split("/v1")[0]
                break
    finally:
        process.terminate()
        process.wait(30)


def _measured(ways: dict[str, Callable[[int], str]], *, rounds: int, calls: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        for number in range(WARM_UP):
            call(number)
    for _ in range(rounds):
        for name, call in ways.items():
            for number in range(calls):
                started = time.perf_counter()
                call(number)
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _agree(labels: dict[str, str]) -> None:
    assert len(set(labels.values())) == 1, f"the ways disagree: {labels}"


def _report(seconds: dict[str, list[float]]) -> None:
    bare = statistics.median(seconds["bare call"])
    print("| way | p50 (ms) | p95 (ms) | p50 by the bare call's |\n|---|---|---|---|")
    for name, spent in seconds.items():
        middle, late = statistics.median(spent), float(np.quantile(spent, 0.95))
        print(f"| {name} | {1e3 * middle:.2f} | {1e3 * late:.2f} | {middle / bare:.2f} |")


def _contents(place: Path | None) -> list[bytes]:
    """Encoded images: PNG of an array's, files as they are, or noise."""
    if place is not None and place.is_dir():
        files = [path for path in sorted(place.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
        return [path.read_bytes() for path in files[:IMAGES]]
    pixels = (
        np.random.default_rng(0).integers(0, 256, (IMAGES, 64, 64, 3), dtype=np.uint8)
        if place is None
        else read_array(place, "x")[:IMAGES]
    )
    return [_png(each) for each in pixels]


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
