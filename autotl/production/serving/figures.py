"""What a server counts, in Prometheus's words. Nothing in it tells of a single request's content."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from autotl.production.serving.served import Served, digest_of_model

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Figures:
    """The figures of one server."""

    def __init__(self, model: Served) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "autotl_requests", "Requests by path and status.", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "autotl_request_seconds",
            "From a request's arrival to its answer, of those that were answered with predictions.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._predictions = Counter(
            "autotl_predictions", "Instances by the label that was predicted.", ["label"], registry=self._registry
        )
        self._confidence = Histogram(
            "autotl_prediction_probability",
            "Probability of the predicted label; a change says that the inputs have changed (autotl watch).",
            buckets=CONFIDENCE,
            registry=self._registry,
        )
        self._inside = Gauge(
            "autotl_requests_inside", "Requests that are read, wait or are computed now.", registry=self._registry
        )
        information = Gauge(
            "autotl_model",
            "Always 1; its labels name the model.",
            ["name", "version", "digest"],
            registry=self._registry,
        )
        version = "" if model.version is None else str(model.version)
        information.labels(model.name, version, digest_of_model(model.bundle)).set(1)
        for label in model.classes:  # those that were never predicted are shown as 0
            self._predictions.labels(label)

    def count_request(self, path: str, status: int) -> None:
        """One more answer.

        Args:
            path: of a route; whatever else was asked for counts as one path, or anybody could make the figures grow.
        """
        self._requests.labels(path, str(status)).inc()

    def count_predictions(self, said: list[tuple[str, float | None]], *, seconds: float) -> None:
        """Labels with their probabilities, of one request; numbers by what they are of, without one."""
        self._seconds.observe(seconds)
        for label, probability in said:
            self._predictions.labels(label).inc()
            if probability is not None:
                self._confidence.observe(probability)

    def as_text(self, *, inside: int) -> bytes:
        """Prometheus's text format."""
        self._inside.set(inside)
        return generate_latest(self._registry)
