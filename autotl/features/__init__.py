"""The store of activations: computed once, read by all trials."""

from autotl.features.extraction import FeatureSet, extract
from autotl.features.store import FeatureStore, default_limit_bytes

__all__ = ["FeatureSet", "FeatureStore", "default_limit_bytes", "extract"]
