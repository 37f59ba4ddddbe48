"""The store of activations: computed once, read by all trials."""

from autotl.features.extraction import ExtractionProgress, extract
from autotl.features.feature_set import FeatureSet
from autotl.features.precision import ComputePrecision, check_precision
from autotl.features.shared import Neighbours, SharedFeatureStore, features_folder
from autotl.features.store import FeatureStore, default_limit_bytes

__all__ = [
    "ComputePrecision",
    "ExtractionProgress",
    "FeatureSet",
    "FeatureStore",
    "Neighbours",
    "SharedFeatureStore",
    "check_precision",
    "default_limit_bytes",
    "extract",
    "features_folder",
]
