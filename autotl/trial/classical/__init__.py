"""Models without a pretrained network: the figures that transfer has to beat, and winners where it does not."""

from autotl.trial.classical.bag_of_words import BagOfWords
from autotl.trial.classical.boosted_trees import BoostedTrees
from autotl.trial.classical.model import ClassicalModel
from autotl.trial.classical.random_forest import RandomForest

# This table is also the menu in error messages and docs. One file per model; adding one adds a line.
MODELS: dict[str, type[ClassicalModel]] = {
    "bag_of_words": BagOfWords,
    "boosted_trees": BoostedTrees,
    "random_forest": RandomForest,
}

__all__ = ["MODELS", "BagOfWords", "BoostedTrees", "ClassicalModel", "RandomForest"]
