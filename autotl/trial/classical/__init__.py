"""Models without a pretrained network: the figures that transfer has to beat, and winners where it does not."""

from autotl.task import Problem
from autotl.trial.classical.bag_of_words import BagOfWords, BagOfWordsForNumbers, BagOfWordsPerLabel
from autotl.trial.classical.boosted_trees import BoostedTrees
from autotl.trial.classical.model import ClassicalModel
from autotl.trial.classical.number_trees import BoostedNumbers, ForestOfNumbers
from autotl.trial.classical.one_vs_rest import BoostedTreesPerLabel, RandomForestPerLabel
from autotl.trial.classical.random_forest import RandomForest

# This table is also the menu in error messages and docs. One file per model; adding one adds a line.
MODELS: dict[str, type[ClassicalModel]] = {
    "bag_of_words": BagOfWords,
    "boosted_trees": BoostedTrees,
    "random_forest": RandomForest,
}
# The same for other problems than that of one class an example.
MODELS_FOR: dict[str, dict[str, type[ClassicalModel]]] = {
    "multilabel": {
        "bag_of_words": BagOfWordsPerLabel,
        "boosted_trees": BoostedTreesPerLabel,
        "random_forest": RandomForestPerLabel,
    },
    "regression": {
        "bag_of_words": BagOfWordsForNumbers,
        "boosted_trees": BoostedNumbers,
        "random_forest": ForestOfNumbers,
    },
}


def model_named(name: str, problem: Problem) -> type[ClassicalModel]:
    """A model of the menu as it learns what a problem asks for."""
    return MODELS_FOR.get(problem.name, MODELS)[name]


__all__ = ["MODELS", "MODELS_FOR", "BagOfWords", "BoostedTrees", "ClassicalModel", "RandomForest", "model_named"]
