"""TensorFlow greets at length when it is imported, on the process's own stderr, before any of its switches is read; its
converters tell of their progress there."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from autotl.errors import AutotlError


def import_keras() -> None:
    """Imports Keras and finds its devices without the greeting; what was held back is shown where that fails."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of compiling several models, which is our trade
    with stderr_held_back():
        from autotl.features.engine import uses_gpu

        uses_gpu()


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Keeps what is written to stderr, and shows it where a bug ends the block; our own errors say what is wrong."""
    try:
        kept = os.dup(2)
    except OSError:  # no stderr at all, as in some services
        yield
        return
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except AutotlError:
            raise
        except BaseException:
            os.dup2(kept, 2)
            held_back.seek(0)
            os.write(2, held_back.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
