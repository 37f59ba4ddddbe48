"""Features of every tap and pooling of a backbone: with one store, and each by itself.

python -m benchmarks.speed.taps [--images 2000] [--texts 1000]

MobileNetV2 on CIFAR-10 at 128 px with its taps `last` and `P4`; MiniLM on book reviews at 128 tokens with `last` and
`E4`, each pooled by `mean` and by `cls`. All features are computed one after the other in one process, loading the
network included, first into one store with the places known where networks part, then each into a store of its own.
"""

import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autotl.api import Overrides, open_task
from autotl.api.orders import workshop_order
from autotl.data import load_data
from autotl.features import FeatureStore
from autotl.plan import Plan
from autotl.plan.baselines import first_plans
from autotl.trial.making import WorkshopOrder
from benchmarks.shared import parser, present, use_own_home
from benchmarks.speed.heads import PIXELS, some_of

TOKENS = 128
TASK = """\
name: taps
data: {{target: {{train: {train}, test: none}}{columns}}}
search_space: {{backbone: {backbone}, tap: {{choice: [{taps}]}}, unfrozen_layers: 0, {more}}}
"""


def main() -> None:
    """Prints a row per modality."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--images", type=int, default=2_000)
    arguments.add_argument("--texts", type=int, default=1_000)
    given = arguments.parse_args()
    print("| features | one store (s) | each by itself (s) | ratio |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        some_of(present(given.shared / "data" / "cifar10") / "train", place / "images", images=given.images)
        weights = present(given.shared / "weights" / "mobilenet_v2_100")
        more = f"image_size: {PIXELS}, views: 0"
        task = TASK.format(train=place / "images", columns="", backbone=weights, taps="last, P4", more=more)
        tell(place, task, "images: 2 taps", taps=("last", "P4"), poolings=(None,))
        reviews = (present(given.shared / "data" / "amazon_reviews") / "books.csv").read_text(encoding="utf-8")
        (place / "books.csv").write_text(
            "".join(reviews.splitlines(keepends=True)[: given.texts + 1]), encoding="utf-8"
        )
        columns = ", columns: {input: text, label: label}"
        more = f"sequence_length: {TOKENS}, pooling: {{choice: [mean, cls]}}"
        task = TASK.format(
            train=place / "books.csv", columns=columns, backbone="all_minilm_l6_v2", taps="last, E4", more=more
        )
        tell(place, task, "texts: 2 taps, 2 poolings", taps=("last", "E4"), poolings=("mean", "cls"))


def tell(place: Path, text: str, title: str, *, taps: Sequence[str], poolings: Sequence[str | None]) -> None:
    """Both ways, and their ratio."""
    task = place / "task.yaml"
    task.write_text(text, encoding="utf-8")
    opened = open_task(task, Overrides())
    order = workshop_order(opened, load_data(opened.task))
    (first,) = first_plans(opened.space).values()
    plans = [replace(first, tap=tap, pooling=pooling) for tap, pooling in itertools.product(taps, poolings)]
    seconds(order, plans[:1], place / title / "unmeasured")  # what a process does once
    shared = seconds(order, plans, place / title / "shared")
    alone = sum(
        seconds(replace(order, taps=()), [plan], place / title / f"{number}") for number, plan in enumerate(plans)
    )
    print(f"| {title} | {shared:.1f} | {alone:.1f} | {alone / shared:.2f} |", flush=True)


def seconds(order: WorkshopOrder, plans: Sequence[Plan], store: Path) -> float:
    """Of storing the features of these plans in an empty store."""
    bench = replace(order, store_folder=store)().bench
    assert isinstance(bench.store, FeatureStore)
    started = time.perf_counter()
    for plan in plans:
        for _ in bench.extraction(plan, lambda: None):
            pass
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
