"""What Ray Tune need not remember of trials that have ended."""

from typing import Any

from ray import tune


class Forgetting(tune.Callback):
    """Lets go of the running means that Ray Tune keeps of whatever a trial reported.

    They are two fifths of what a driver holds of a trial that has ended; the study holds what is asked of it.
    """

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """As Ray calls it."""
        trial.run_metadata.metric_analysis.clear()
        trial.run_metadata.metric_n_steps.clear()

    on_trial_error = on_trial_complete
