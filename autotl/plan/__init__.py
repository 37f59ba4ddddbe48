"""Plans, the space they are drawn from, and the baselines every run includes."""

from autotl.plan.plan import HEADS, Choice, Plan, UnfrozenLayers, trial_seed

__all__ = ["HEADS", "Choice", "Plan", "UnfrozenLayers", "trial_seed"]
