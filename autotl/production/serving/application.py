"""The server's routes, described by openapi.json. There is no page of documentation: it would load foreign scripts."""

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotl import __version__
from autotl.errors import DataError
from autotl.production.bundle import CARD, METRICS
from autotl.production.serving.answers import (
    Health,
    LabelSet,
    LimitsOfRequests,
    ModelDescription,
    ModelName,
    Number,
    Prediction,
    Predictions,
    Problem,
)
from autotl.production.serving.asking import Payload, body_description, inputs_of, instance_schema, read_payload
from autotl.production.serving.figures import CONTENT_TYPE, Figures
from autotl.production.serving.limits import Limits
from autotl.production.serving.refusal import RefusalError
from autotl.production.serving.served import Served, digest_of_model
from autotl.production.serving.waiting_line import Deadline, WaitingLine
from autotl.production.told import OF_CLASSES, Form, form_of

PREDICT, MODEL, LIVE, READY, METRICS_PATH = "/v1/predict", "/v1/model", "/health/live", "/health/ready", "/metrics"
PATHS = (PREDICT, MODEL, LIVE, READY, METRICS_PATH, "/openapi.json")
WRONG = "The model cannot take these instances; nothing was predicted."
REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (400, 408, 413, 415, 422, 429)}


def make_application(model: Served, limits: Limits) -> FastAPI:
    """The application that answers for one model."""
    application = FastAPI(
        title=f"{model.name} by autotl",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    line, figures, name = WaitingLine(limits), Figures(model), name_of(model)
    description = description_of(model, limits)  # read now: what is told is what was loaded
    application.state.line = line
    application.state.stopping = False

    def compute(payload: Payload, deadline: Deadline) -> Predictions:
        deadline.check()
        inputs = inputs_of(payload, model.reading, limits)
        form = form_of(model.bundle.description)
        return answer_of(name, model.classes, model.predict(inputs, deadline.check), form)

    @application.post(
        PREDICT, response_model=Predictions, responses=REFUSALS, openapi_extra=body_description(model.reading)
    )
    async def predict(request: Request) -> Response:
        """Predicts every instance of the request, or none of them and says why."""
        started = time.perf_counter()
        answer = await line.answer(lambda: read_payload(request, model.reading, limits), compute)
        said = [counted for each in answer.predictions for counted in counted_as(each, model.classes[0])]
        figures.count_predictions(said, seconds=time.perf_counter() - started)
        return Response(answer.model_dump_json(), media_type="application/json")

    @application.get(MODEL, response_model=ModelDescription)
    async def describe() -> ModelDescription:
        """Which model answers, what it takes, how good it was found to be, and its card."""
        return description

    @application.get(LIVE, response_model=Health)
    async def live() -> Health:
        """Whether the process runs."""
        return Health(status="live")

    @application.get(READY, response_model=Health, responses={503: {"model": Health}})
    async def ready(response: Response) -> Health:
        """Whether it takes requests: the model is loaded before the first one, so only an ending server does not."""
        if application.state.stopping:
            response.status_code = 503
            return Health(status="stopping")
        return Health(status="ready")

    @application.get(METRICS_PATH, response_class=Response)
    async def metrics() -> Response:
        """What was counted since the start, for Prometheus."""
        return Response(figures.as_text(inside=line.inside), media_type=CONTENT_TYPE)

    _answer_errors(application)
    application.add_middleware(_Counting, count=figures.count_request)
    return application


def name_of(model: Served) -> ModelName:
    """What every answer says of the model."""
    return ModelName(name=model.name, version=model.version, digest=digest_of_model(model.bundle))


def counted_as(each: Prediction | Number | LabelSet, name: str) -> list[tuple[str, float | None]]:
    """By what an answer is counted: its label with its probability, each of several, or what a number is of.

    Args:
        name: of what a number is of.
    """
    if isinstance(each, Prediction):
        return [(each.label, each.probability)]
    if isinstance(each, LabelSet):
        return [(label, each.probabilities[label]) for label in each.labels]
    return [(name, None)]


def answer_of(name: ModelName, classes: tuple[str, ...], said: Any, form: Form = OF_CLASSES) -> Predictions:
    """Predictions from what a model says, (n, columns), in the form in which it is told."""
    return Predictions.model_validate({"model": name, "predictions": list(form.values(classes, said))})


def description_of(model: Served, limits: Limits) -> ModelDescription:
    """All that is told of the model."""
    bundle = model.bundle
    described = bundle.description
    metrics = bundle.read_json(METRICS)
    return ModelDescription(
        model=name_of(model),
        asked_for=model.asked_for,
        task=str(described.get("task", model.name)),
        modality=described["modality"],
        classes=list(bundle.classes),
        instance=instance_schema(model.reading),
        figures={"score": metrics.get("score"), "test": metrics.get("test")},
        plan=described.get("plan", {}),
        provenance=described.get("provenance", {}),
        versions=described.get("versions", {}),
        limits=LimitsOfRequests(**vars(limits)),
        card=(bundle.path / CARD).read_text(encoding="utf-8"),
    )


def _answer_errors(application: FastAPI) -> None:
    """Every error as a `Problem`, in a sentence."""

    @application.exception_handler(RefusalError)
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusalError)
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return _problem(error.status, error.sentence, list(error.mistakes), headers)

    @application.exception_handler(DataError)
    async def wrong(_: Request, error: Exception) -> Response:
        assert isinstance(error, DataError)
        return _problem(422, WRONG, list(error.mistakes))

    @application.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Response:
        return _problem(500, "This is a bug in autotl; the server's log says where.")

    @application.exception_handler(HTTPException)
    async def elsewhere(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return _problem(404, f"There is nothing at this path. There are: {', '.join(PATHS)}.")
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            return _problem(405, f"{request.method} is not answered here. Use {allowed}.", headers=error.headers)
        return _problem(error.status_code, str(error.detail), headers=error.headers)


def _problem(status: int, sentence: str, mistakes: list[str] | None = None, headers: Any = None) -> Response:
    return JSONResponse(Problem(error=sentence, mistakes=mistakes or []).model_dump(), status, headers=headers)


class _Counting:
    """Counts answers by path and status, and forbids browsers to guess what they are."""

    def __init__(self, app: ASGIApp, count: Callable[[str, int], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = scope["path"]
                self._count(path if path in PATHS else "other", message["status"])
                message["headers"] = [*message.get("headers", []), (b"x-content-type-options", b"nosniff")]
            await send(message)

        await self._app(scope, receive, counted)
