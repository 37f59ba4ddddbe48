"""What a trial reports while it runs and leaves behind when it ends."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autotl.features import ExtractionProgress
from autotl.plan import Plan
from autotl.scoring.label_free import Evidence, Reading
from autotl.task.problem import CLASSIFICATION
from autotl.trial.checkpoint import Checkpoint

Status = Literal["complete", "pruned", "failed", "skipped"]  # skipped: the backbone's weights are not at hand


class DivergedError(Exception):
    """Loss or score is not a finite number."""


class OutOfTimeError(Exception):
    """The plan's deadline passed."""


class OutOfMemoryError(Exception):
    """A plan needs more memory than there is. What it holds may not be given back before its process ends."""


@dataclass(frozen=True)
class Job:
    """A plan with its trial number, the moment by which it must be done, and how far it has come already."""

    number: int
    plan: Plan
    deadline: float = float("inf")  # by the machine's time.monotonic(), which all its processes share
    checkpoint: Checkpoint | None = None  # to go on from
    seconds: float = float("inf")  # that it may take, from when a worker takes it up


@dataclass
class Seconds:
    """Where a trial's time went."""

    features: float = 0.0
    train: float = 0.0
    score: float = 0.0
    propose: float = 0.0
    overhead: float = 0.0


@dataclass(frozen=True)
class Size:
    """What the model costs to run."""

    params: int
    model_mb: float  # float32 weights
    flops: int  # of one prediction


@dataclass(frozen=True)
class Outputs:
    """What the trained model says, kept to score, rank and compare trials without training again."""

    rows: NDArray[np.int64]  # rows of the task's data that `validation` is for
    validation_ids: NDArray[np.str_]  # the same rows by their examples' ids
    target_ids: NDArray[np.str_]
    validation: NDArray[np.float32]  # probabilities (len(rows), classes), each by a model that did not train on the row
    target: NDArray[np.float32]  # probabilities on the target rows
    features: NDArray[np.float32]  # pooled features of the target rows
    mixed: NDArray[np.float32] | None = None  # probabilities on target rows mixed with partners (`scoring.mixval`)
    mix_partners: NDArray[np.int64] | None = None  # the partners; both None where inputs cannot be mixed
    source_shares: NDArray[np.float64] | None = None  # of the classes, where no source example is here to count
    source_confusion: NDArray[np.float64] | None = None  # expected on held-out source examples that are not here
    source_features: NDArray[np.float32] | None = None  # of the held-out source rows, if one model scored them all
    classifier_weights: NDArray[np.float32] | None = None  # (d, classes), of a network's last layer
    source_rows: NDArray[np.int64] | None = None  # held-out source rows, where `rows` are the target's labelled few
    source: NDArray[np.float32] | None = None  # probabilities on these
    problem: str = CLASSIFICATION.name  # whose answers "probabilities" are: a key of `scoring.answers.ANSWERS`

    def evidence(self, labels: NDArray[np.int64]) -> Evidence:
        """What label-free scores may read. The held-out source rows are the validation rows where the target has no
        label.

        Args:
            labels: of all the task's rows.
        """
        found: dict[Reading, NDArray[Any]] = {
            "target_probabilities": self.target,
            "target_features": self.features,
        }
        rows, said = (self.rows, self.validation) if self.source_rows is None else (self.source_rows, self.source)
        if self.source_shares is None:
            assert said is not None, "both are kept or none is"
            found |= {"source_probabilities": said, "source_labels": labels[rows]}
        else:
            found["source_shares"] = self.source_shares
        if self.source_confusion is not None:
            found["source_confusion"] = self.source_confusion
        if self.source_features is not None and len(self.source_features):  # only the best trials keep them
            found["source_features"] = self.source_features
        if self.classifier_weights is not None:
            found["classifier_weights"] = self.classifier_weights
        if self.mixed is not None and self.mix_partners is not None:
            found |= {"mixed_probabilities": self.mixed, "mix_partners": self.mix_partners}
        return found


@dataclass(frozen=True)
class Ending:
    """How a trial ended. `outputs` and `weights` exist exactly when it is complete."""

    status: Status
    reason: str | None = None
    score: dict[str, Any] | None = None  # value, low, high, kind
    scores: dict[str, float] = field(default_factory=dict)
    outputs: Outputs | None = None
    weights: list[NDArray[Any]] | None = None


@dataclass(frozen=True)
class EpochRow:
    """One epoch of one plan; the last one of a plan carries its ending."""

    number: int
    epoch: int  # counted from 1; 0 when the plan ended before its first epoch
    train_loss: float
    score: float  # the task's metric on the rows that trials are scored on; NaN where none of them has a label
    seconds: Seconds
    size: Size | None
    ending: Ending | None = None
    features: ExtractionProgress | None = None  # of a plan that waits for its activations, before its first epoch
    gpu_bytes: int | None = None  # held at most since the ending before this one; None without a GPU
    checkpoint: Checkpoint | None = None  # where one is due
    extracted: int = 0  # examples whose activations this plan computed, as nobody had stored them yet
