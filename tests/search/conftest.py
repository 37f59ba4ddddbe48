"""A Ray cluster that the searches of a module share; one that no module asks for is never started."""

from collections.abc import Iterator

import pytest
import ray


@pytest.fixture(scope="module")
def two_cores() -> Iterator[None]:
    """A private cluster of two cores, which searches of this process use as it is."""
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
