"""What is answered, as models that openapi.json describes."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ModelName(_Answer):
    """Which model said it."""

    name: str
    """Its name in the registry, or its task's."""
    version: int | None
    """In the registry; null for a bundle that nobody promoted."""
    digest: str
    """SHA-256: of model.keras, or of what `sha256sum native/*` or `sha256sum encoder/* model.keras` prints."""


class Interval(_Answer):
    """Around a number, from how far the model was off on validation (split-conformal); of a target without labels, on
    the source's, and then it may hold the truth less often."""

    level: float
    """How often such an interval holds the truth."""
    low: float
    high: float


class Number(_Answer):
    """Of one instance, by a model that learnt numbers."""

    number: float
    """In the unit of the training data."""
    interval: Interval | None = None
    """Null where too few examples were there to tell."""


class Prediction(_Answer):
    """Of one instance, by a model that learnt classes."""

    label: str
    """The most probable class, as written in the training data."""
    probability: float
    """Of that class."""
    probabilities: dict[str, float]
    """Of every class; calibrated, they add up to 1."""


class LabelSet(_Answer):
    """Of one instance, by a model that learnt several labels."""

    labels: list[str]
    """Those whose probability reaches their threshold; maybe none."""
    probabilities: dict[str, float]
    """Of every label alone; they need not add up to 1."""


class Predictions(_Answer):
    """One prediction an instance, in the order of the request."""

    model: ModelName
    predictions: list[Prediction] | list[Number] | list[LabelSet]


class Problem(_Answer):
    """Why there is no answer."""

    error: str
    mistakes: list[str] = []


class Health(_Answer):
    """`live` while the process runs, `ready` while it takes requests, `stopping` once it was told to end."""

    status: Literal["live", "ready", "stopping"]


class LimitsOfRequests(_Answer):
    """What a request may cost."""

    body_bytes: int
    pixels: int
    instances: int
    seconds: float
    at_once: int
    waiting: int


class ModelDescription(_Answer):
    """What is served, pinned when the server started: an alias that moves later changes nothing here."""

    model: ModelName
    asked_for: str
    task: str
    modality: Literal["image", "text", "table", "signal"]
    classes: list[str]
    instance: dict[str, Any]
    """JSON Schema of one element of `instances`."""
    figures: dict[str, Any]
    """`score` and `test` as metrics.json has them; null where not measured."""
    plan: dict[str, Any]
    provenance: dict[str, Any]
    versions: dict[str, Any]
    limits: LimitsOfRequests
    card: str
    """MODEL_CARD.md."""
