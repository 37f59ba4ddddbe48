"""A long search does not keep what nobody asks for."""

from types import SimpleNamespace

from ray.tune.trainable.metadata import _TrainingRunMetadata

from autotl.search.forgetting import Forgetting


def test_running_means_of_ended_trials_are_let_go():
    for end in (Forgetting().on_trial_complete, Forgetting().on_trial_error):
        metadata = _TrainingRunMetadata(n_steps=[5, 10])
        metadata.update_metric("score", 0.5)
        assert metadata.metric_n_steps
        end(0, [], SimpleNamespace(run_metadata=metadata))
        assert not metadata.metric_analysis
        assert not metadata.metric_n_steps
        metadata.update_metric("score", 0.6, step=2)  # a result that comes after the end is no error
