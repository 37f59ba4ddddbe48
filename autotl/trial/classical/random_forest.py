"""A random forest on classical features of signals: the figure that a network on windows has to beat.

The forest is LightGBM's with extremely randomised thresholds (Geurts, Ernst & Wehenkel, "Extremely randomized trees",
Machine Learning 63, 2006): on bearing windows from one load to another it was right as often as scikit-learn's extra
trees (0.87 and 0.84), with better probabilities (log loss 0.28 and 0.49), and it ships as LightGBM's text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from autotl.errors import StorageError
from autotl.scoring.metrics import LEAST_PROBABILITY
from autotl.trial.classical.kept_trees import DESCRIPTION, KeptTrees
from autotl.trial.classical.lightgbm_text import Trees, trees_from_text, trees_of
from autotl.trial.classical.model import Labels, Probabilities, classes_present, over_all_classes
from autotl.trial.classical.native import (
    classes_and_present,
    json_bytes,
    json_object,
    whole_number,
)
from autotl.trial.classical.signal_features import FEWEST_SAMPLES, Windows, feature_names, signal_features
from autotl.trial.outcome import Size

ROUNDS = 200
MOST_SAMPLES = 10_000_000
MOST_CHANNELS = 10_000
MOST_FEATURES = 1_000_000


@dataclass(frozen=True)
class RandomForest(KeptTrees):
    """A fitted forest.

    Attributes:
        present: classes that had a training window, ascending.
        samples, channels: of the windows it takes.
        trees: None where only one class is present.
    """

    called: ClassVar[tuple[str, str]] = ("a forest", "the forest")

    classes: int
    present: NDArray[np.int64]
    samples: int
    channels: int
    trees: Trees | None

    @classmethod
    def fit(
        cls,
        examples: Windows,
        labels: Labels,
        *,
        classes: int,
        class_weights: NDArray[np.float32],
        seed: int,
        threads: int,
        check: Callable[[], None],
    ) -> Self:
        """Trains on windows (n, samples, channels). Class weights act on the votes, not on the growing of the trees.

        Raises:
            ValueError: no windows, or not windows.
        """
        present = classes_present(labels)
        features = signal_features(examples)
        _, samples, channels = examples.shape
        if len(present) == 1:
            return cls(classes, present, samples, channels, None)
        import lightgbm

        def look(_: object) -> None:
            check()

        data = lightgbm.Dataset(
            features,
            np.searchsorted(present, labels),
            params={"verbosity": -1},
        )
        outputs = len(present)
        objective = {"objective": "binary"} if outputs == 2 else {"objective": "multiclass", "num_class": outputs}
        settings = objective | settings_for_forest(seed=seed, threads=threads)
        booster = lightgbm.train(settings, data, num_boost_round=ROUNDS, callbacks=[look])
        trees = trees_of(booster, outputs=len(present), features=features.shape[1])
        weights = class_weights[present]
        if (weights != weights[0]).any():
            _lean(booster, trees.leaves, weights)
            trees = trees_of(booster, outputs=len(present), features=features.shape[1])
        return cls(classes, present, samples, channels, trees)

    def predict(self, examples: Windows) -> Probabilities:
        """Probabilities (n, classes) of windows as long and with as many channels as the training ones.

        Raises:
            ValueError: they are of another shape.
        """
        if examples.ndim != 3 or examples.shape[1:] != (self.samples, self.channels):
            raise ValueError(
                f"the forest was trained on windows (n, {self.samples}, {self.channels}); "
                f"these have shape {examples.shape}."
            )
        if self.trees is None:
            return over_all_classes(np.ones((len(examples), 1)), self.present, self.classes)
        return over_all_classes(self.trees.predict(signal_features(examples)), self.present, self.classes)

    def size(self) -> Size:
        """A parameter per leaf and two per split; the features' Fourier transform counts, a comparison as one."""
        text = len(self.trees.text) if self.trees else 0
        of_features = int(self.channels * self.samples * (5 * np.log2(self.samples) + 40))
        return Size(
            params=self.trees.parameters if self.trees else 0,
            model_mb=(text + len(self._description())) / 1e6,
            flops=of_features + (self.trees.comparisons if self.trees else 0),
        )

    def _description(self) -> bytes:
        return json_bytes(
            {
                "classes": self.classes,
                "present": self.present.tolist(),
                "samples": self.samples,
                "channels": self.channels,
            }
        )

    @classmethod
    def _read(cls, description: bytes, text: bytes) -> Self:
        found = json_object(description, DESCRIPTION, keys=("classes", "present", "samples", "channels"))
        classes, present = classes_and_present(found, DESCRIPTION)
        samples = whole_number(found, "samples", DESCRIPTION, least=FEWEST_SAMPLES, most=MOST_SAMPLES)
        channels = whole_number(found, "channels", DESCRIPTION, least=1, most=MOST_CHANNELS)
        if len(present) == 1:
            return cls(classes, present, samples, channels, None)
        features = channels * len(feature_names(samples, 1))
        if features > MOST_FEATURES:
            raise StorageError(f"{DESCRIPTION}: {features} features are more than the {MOST_FEATURES} allowed.")
        trees = trees_from_text(text, outputs=len(present), features=features)
        return cls(classes, present, samples, channels, trees)


def _lean(booster: Any, leaves: Sequence[int], weights: NDArray[np.float32]) -> None:
    """Multiplies the odds of each class by its weight, in the leaves.

    Weighted rows would not do it: a leaf that holds one class votes for it whatever its rows weigh. For the shift of
    odds see Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.
    """
    odds = np.log(np.maximum(weights.astype(np.float64), LEAST_PROBABILITY))
    shifts = odds[1:] - odds[:1] if len(odds) == 2 else odds  # two classes share one tree, which speaks for the second
    for tree, count in enumerate(leaves):
        for leaf in range(count):
            booster.set_leaf_output(tree, leaf, booster.get_leaf_output(tree, leaf) + shifts[tree % len(shifts)])


def settings_for_forest(*, seed: int, threads: int) -> dict[str, Any]:
    """Of LightGBM, all but what is learnt by."""
    return {
        "boosting_type": "rf",
        "extra_trees": True,
        "bagging_freq": 1,
        "bagging_fraction": 0.632,
        "feature_fraction_bynode": 0.3,
        "num_leaves": 64,
        # trees are grown until leaves are pure: their mean, not a limit, keeps a forest from overfitting
        "min_data_in_leaf": 1,
        "min_data_in_bin": 1,
        # without these two LightGBM gives not-a-number for trees whose bag held next to nothing
        "min_sum_hessian_in_leaf": 1e-3,
        "lambda_l2": 1e-3,
        "feature_pre_filter": False,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }
