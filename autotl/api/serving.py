"""`serve`: one model behind HTTP until a signal ends it."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autotl.api.quiet import import_keras
from autotl.api.signing_off import open_model
from autotl.errors import EnvironmentProblemError
from autotl.production.bundle import Bundle
from autotl.production.reference import Reference, model_name, read_reference
from autotl.production.registry import Registry
from autotl.production.serving.limits import Limits

if TYPE_CHECKING:
    from autotl.production.serving.served import Served

HOST = "127.0.0.1"
PORT = 8000
NEEDED = ("fastapi", "uvicorn", "multipart", "prometheus_client")
MISSING = "serving is an extra that is not installed: pip install 'autotl[serve]'"


@dataclass(frozen=True)
class Serving:
    """A server that takes requests now.

    Attributes:
        address: `http://127.0.0.1:8000`.
        sentences: what a person should know, the most important first.
    """

    address: str
    sentences: tuple[str, ...]


def serve(
    model: Path | str,
    *,
    host: str = HOST,
    port: int = PORT,
    limits: Limits | None = None,
    ready: Callable[[Serving], object],
) -> int | None:
    """Serves a bundle, or a promoted model (`kitchen@production`, `kitchen:3`), until a signal ends it.

    What an alias points at is looked up once, now: a later promotion is served after a restart.

    Args:
        port: 0 takes a free one, which `ready` is told.
        ready: is called once the model is loaded and the first request would be answered.
    Returns:
        The number of the signal that ended it; None where there was none.
    Raises:
        UsageError: there is no such model, or no such address.
        StorageError: a file of the model is not the one that was written.
        EnvironmentProblemError: the extra is not installed, or the port is taken.
    """
    limits = limits or Limits()
    named = _Named.of(model)
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise EnvironmentProblemError(MISSING)
    from autotl.production.serving.listening import address_of, is_loopback, listen, open_socket

    opened = open_socket(host, port)  # before the model is loaded: a port that is taken is told at once
    try:
        held = named.load()
        from autotl.production.serving.application import make_application

        application = make_application(held, limits)
        sentences = _sentences(held, only_here=is_loopback(opened))
        told = Serving(address_of(opened), sentences)
        return listen(application, opened, limits, ready=lambda: ready(told))
    finally:
        opened.close()


@dataclass(frozen=True)
class _Named:
    """What is to be served, before anything heavy is loaded."""

    bundle: Bundle
    name: str
    version: int | None
    asked_for: str

    @classmethod
    def of(cls, model: Path | str) -> "_Named":
        reference = read_reference(str(model))
        if reference is None:
            bundle = open_model(model)
            return cls(bundle, model_name(str(bundle.description.get("task", ""))), None, str(model))
        registry = Registry()
        version = registry.find(reference)
        bundle = registry.open(Reference(version.model, version=version.number))  # whatever the alias does meanwhile
        return cls(bundle, version.model, version.number, str(reference))

    def load(self) -> "Served":
        import_keras()
        from autotl.production.serving.served import served

        return served(self.bundle, name=self.name, version=self.version, asked_for=self.asked_for)


def _sentences(held: "Served", *, only_here: bool) -> tuple[str, ...]:
    which = f"{held.name}:{held.version}" if held.version is not None else f"{held.asked_for}, which nobody promoted"
    pinned = ""
    if held.version is not None and held.asked_for != which:
        pinned = f" That is what {held.asked_for} is now; restart to follow it elsewhere."
    lines = [f"Serving {which}.{pinned}"]
    if not only_here:
        lines.append(
            "Whoever reaches this address may ask: there is no login and no encryption here. Put both in front of it."
        )
    return tuple(lines)
