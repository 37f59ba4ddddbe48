"""Trees that give a number: boosted ones for tables, a forest for signals; LightGBM's, as those of classes are."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from autotl.errors import StorageError
from autotl.trial.classical.boosted_trees import (
    HELD_OUT_SHARE,
    Table,
    TrainingTable,
    as_table,
    best_rounds,
    read_usual,
    settings_for,
    table_like,
    usual_values,
    written_usual,
)
from autotl.trial.classical.kept_trees import DESCRIPTION, KeptTrees
from autotl.trial.classical.lightgbm_text import Trees, trees_from_text, trees_of
from autotl.trial.classical.model import Labels, Probabilities
from autotl.trial.classical.native import json_bytes, json_object, whole_number
from autotl.trial.classical.random_forest import (
    MOST_CHANNELS,
    MOST_FEATURES,
    MOST_SAMPLES,
    ROUNDS,
    settings_for_forest,
)
from autotl.trial.classical.signal_features import FEWEST_SAMPLES, Windows, feature_names, signal_features
from autotl.trial.outcome import Size

# What a head learns by → what boosted trees do: large errors lead neither or both.
OBJECTIVES: Mapping[str, str] = {"squared_error": "regression", "huber": "regression_l1"}


@dataclass(frozen=True)
class BoostedNumbers(KeptTrees):
    """Fitted boosted trees.

    Attributes:
        usual: as `BoostedTrees` has them.
        constant: what is said where there was one number only, and no tree; else None.
    """

    called: ClassVar[tuple[str, str]] = ("boosted trees of numbers", "the boosted trees")

    usual: NDArray[np.float32]
    constant: float | None
    trees: Trees | None
    classes: int = 1

    @classmethod
    def fit(
        cls,
        examples: Table,
        labels: Labels,
        *,
        classes: int,  # noqa: ARG003 - one interface
        class_weights: NDArray[np.float32],  # noqa: ARG003
        seed: int,
        threads: int,
        check: Callable[[], None],
        categorical: Sequence[int] = (),
        loss: str = "squared_error",
    ) -> Self:
        """Trains on a table (n, columns).

        Args:
            labels: (n,) numbers.
            categorical: columns that hold codes, not quantities.
            loss: that heads beside it learn by, a key of `OBJECTIVES`.
        Raises:
            ValueError: no rows, or not a table.
        """
        table = as_table(examples)
        constant = _constant(labels)
        usual = usual_values(table, categorical)
        if constant is not None:
            return cls(usual, constant, None)
        data = TrainingTable(table, labels, np.ones(len(labels), dtype=np.float32), tuple(categorical))
        settings = {"objective": OBJECTIVES[loss], **settings_for(len(table), seed=seed, threads=threads)}
        held_out = np.sort(np.random.default_rng(seed).permutation(len(labels))[: int(len(labels) * HELD_OUT_SHARE)])
        rounds = best_rounds(data, settings, held_out, check=check)
        booster = data.train(np.arange(len(table)), settings, rounds, check)
        return cls(usual, None, trees_of(booster, outputs=1, features=table.shape[1]))

    def predict(self, examples: Table) -> Probabilities:
        """Numbers (n, 1) of a table with the columns of the training one.

        Raises:
            ValueError: another number of columns.
        """
        table = table_like(examples, self.usual)
        if self.trees is None:
            return np.full((len(table), 1), self.constant, dtype=np.float32)
        filled = np.where(np.isnan(table), self.usual, table)
        return self.trees.predict(filled).astype(np.float32)

    def size(self) -> Size:
        """A parameter per leaf and two per split; a comparison counts as one operation."""
        return _size(self.trees, self._description(), flops=0)

    def _description(self) -> bytes:
        return json_bytes({"usual": written_usual(self.usual), "constant": self.constant})

    @classmethod
    def _read(cls, description: bytes, text: bytes) -> Self:
        found = json_object(description, DESCRIPTION, keys=("usual", "constant"))
        usual, constant = read_usual(found), _number_of(found)
        trees = None if constant is not None else trees_from_text(text, outputs=1, features=len(usual))
        return cls(usual, constant, trees)


@dataclass(frozen=True)
class ForestOfNumbers(KeptTrees):
    """A fitted forest.

    Attributes:
        samples, channels: of the windows it takes.
        constant: as `BoostedNumbers` has it.
    """

    called: ClassVar[tuple[str, str]] = ("a forest of numbers", "the forest")

    samples: int
    channels: int
    constant: float | None
    trees: Trees | None
    classes: int = 1

    @classmethod
    def fit(
        cls,
        examples: Windows,
        labels: Labels,
        *,
        classes: int,  # noqa: ARG003 - one interface
        class_weights: NDArray[np.float32],  # noqa: ARG003
        seed: int,
        threads: int,
        check: Callable[[], None],
        loss: str = "squared_error",  # noqa: ARG003 - a forest is grown by squared errors in any case
    ) -> Self:
        """Trains on windows (n, samples, channels).

        Args:
            labels: (n,) numbers.
        Raises:
            ValueError: no windows, or not windows.
        """
        features = signal_features(examples)
        _, samples, channels = examples.shape
        constant = _constant(labels)
        if constant is not None:
            return cls(samples, channels, constant, None)
        import lightgbm

        def look(_: object) -> None:
            check()

        data = lightgbm.Dataset(features, labels, params={"verbosity": -1})
        settings = {"objective": "regression", **settings_for_forest(seed=seed, threads=threads)}
        booster = lightgbm.train(settings, data, num_boost_round=ROUNDS, callbacks=[look])
        return cls(samples, channels, None, trees_of(booster, outputs=1, features=features.shape[1]))

    def predict(self, examples: Windows) -> Probabilities:
        """Numbers (n, 1) of windows as long and with as many channels as the training ones.

        Raises:
            ValueError: they are of another shape.
        """
        if examples.ndim != 3 or examples.shape[1:] != (self.samples, self.channels):
            wanted, seen = f"(n, {self.samples}, {self.channels})", examples.shape
            raise ValueError(f"the forest was trained on windows {wanted}; these have shape {seen}.")
        if self.trees is None:
            return np.full((len(examples), 1), self.constant, dtype=np.float32)
        return self.trees.predict(signal_features(examples)).astype(np.float32)

    def size(self) -> Size:
        """A parameter per leaf and two per split; the features' Fourier transform counts, a comparison as one."""
        of_features = int(self.channels * self.samples * (5 * np.log2(self.samples) + 40))
        return _size(self.trees, self._description(), flops=of_features)

    def _description(self) -> bytes:
        return json_bytes({"samples": self.samples, "channels": self.channels, "constant": self.constant})

    @classmethod
    def _read(cls, description: bytes, text: bytes) -> Self:
        found = json_object(description, DESCRIPTION, keys=("samples", "channels", "constant"))
        samples = whole_number(found, "samples", DESCRIPTION, least=FEWEST_SAMPLES, most=MOST_SAMPLES)
        channels = whole_number(found, "channels", DESCRIPTION, least=1, most=MOST_CHANNELS)
        constant = _number_of(found)
        features = min(channels * len(feature_names(samples, 1)), MOST_FEATURES)
        trees = None if constant is not None else trees_from_text(text, outputs=1, features=features)
        return cls(samples, channels, constant, trees)


def _number_of(found: Mapping[str, Any]) -> float | None:
    value = found["constant"]
    if value is not None and (type(value) is not float or not math.isfinite(value)):
        raise StorageError(f"{DESCRIPTION}: constant is {value!r}; it should be a number or null.")
    return value


def _constant(labels: Labels) -> float | None:
    """The one number that there is; None where there are several.

    Raises:
        ValueError: there is none.
    """
    if not len(labels):
        raise ValueError("a model needs at least one training example.")
    return float(labels[0]) if np.ptp(labels) == 0 else None


def _size(trees: Trees | None, description: bytes, *, flops: int) -> Size:
    text = len(trees.text) if trees else 0
    return Size(
        params=trees.parameters if trees else 0,
        model_mb=(text + len(description)) / 1e6,
        flops=flops + (trees.comparisons if trees else 0),
    )
