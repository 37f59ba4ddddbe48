"""The other side: the script that a careful user writes by hand. Used by `benchmarks.speed.plans`.

python -m benchmarks.speed.hand_written PLANS.json TRAIN VALIDATION RESULTS.json [--workers 2]

Images are decoded once by tf.data, cached in memory, shuffled and prefetched. Every plan is a Keras model of its own,
compiled and trained by `fit`, in a process of its own, two of them at once with half the cores each. A frozen backbone
is called in inference mode, as are its batch normalisations. There is no early stopping.
"""

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

PIXELS = 128


def main() -> None:
    """Trains every plan and writes seconds and validation accuracies."""
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("plans", "train", "validation", "results"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--workers", type=int, default=2)
    given = arguments.parse_args()
    plans = json.loads(given.plans.read_text(encoding="utf-8"))
    threads = max(1, len(os.sched_getaffinity(0)) // given.workers)
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(given.workers, maxtasksperchild=1) as pool:
        work = [(plan, given.train, given.validation, threads) for plan in plans]
        accuracies = pool.starmap(train, work, chunksize=1)
    seconds = time.perf_counter() - started
    given.results.write_text(json.dumps({"seconds": seconds, "accuracies": accuracies}), encoding="utf-8")
    print(f"{len(plans)} plans in {seconds:.0f} s, best validation accuracy {max(accuracies):.3f}")


def train(plan: dict[str, Any], train_folder: Path, validation_folder: Path, threads: int) -> float:
    """One plan from its images to its validation accuracy."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(plan["seed"])
    classes = sorted(path.name for path in train_folder.iterdir())
    training = images(train_folder, classes, threads).shuffle(10_000, seed=plan["seed"])
    model = network(plan, len(classes))
    model.fit(training.batch(plan["batch_size"]).prefetch(2), epochs=plan["epochs"], verbose=0)
    _, accuracy = model.evaluate(images(validation_folder, classes, threads).batch(64).prefetch(2), verbose=0)
    return float(accuracy)


def images(folder: Path, classes: list[str], threads: int) -> Any:
    """Decoded images of class folders and their labels, in memory after the first pass."""
    import tensorflow as tf

    files = [(str(path), label) for label, name in enumerate(classes) for path in sorted((folder / name).iterdir())]
    paths, labels = zip(*files, strict=True)

    def decoded(path: Any, label: Any) -> Any:
        image = tf.image.decode_jpeg(tf.io.read_file(path), channels=3)
        small = tf.image.resize(image, (PIXELS, PIXELS), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(small, 0.0, 255.0)), tf.uint8), label

    dataset = tf.data.Dataset.from_tensor_slices((list(paths), list(labels)))
    return dataset.map(decoded, num_parallel_calls=threads).cache()


def network(plan: dict[str, Any], classes: int) -> Any:
    """Backbone, its last layers unfrozen where the plan says so, and a linear head."""
    import keras

    from autotl.backbones import build_network, parse_spec
    from autotl.backbones.form import of_images

    spec = parse_spec(plan["backbone"], folder=Path(), where="backbone")
    pretrained = build_network(spec, form=of_images(PIXELS))
    backbone = pretrained.whole
    backbone.trainable = False
    unfrozen = len(pretrained.layers) if plan["unfrozen_layers"] == "all" else plan["unfrozen_layers"]
    for layer in pretrained.layers[len(pretrained.layers) - unfrozen :]:
        layer.trainable = True
    if unfrozen:
        backbone = frozen_statistics(backbone)
    pixels = keras.Input((PIXELS, PIXELS, 3), dtype="uint8")
    logits = keras.layers.Dense(classes)(backbone(pixels, training=False))
    model = keras.Model(pixels, logits)
    rate = plan["learning_rate"] * (plan["backbone_rate_ratio"] if unfrozen else 1.0)  # plain Adam has one rate for all
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=False)
    return model


def frozen_statistics(backbone: Any) -> Any:
    """The same network as a layer that stays in inference mode while it is trained, as the Keras guides advise."""
    import keras

    class InferenceMode(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, pixels: Any) -> Any:
            return self.inner(pixels, training=False)

    return InferenceMode(backbone)


if __name__ == "__main__":
    main()
