"""An exported model used as its users do: by the files that were laid beside it, without autotl in between."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from autotl.run.folder import write_whole

PREDICT, PREPROCESS, RUNTIME = "predict.py", "preprocess.py", "runtime.py"
_MODULES = ("predict", "preprocess", "runtime", "content", "signal_features")


def lay_beside(folder: Path, *, preprocess: str, runtime: str) -> None:
    """Copies the files that turn raw files into probabilities.

    Args:
        preprocess, runtime: as in `autotl.production.formats.format.Beside`.
    """
    here = resources.files("autotl.production.beside")
    write_whole(folder / PREDICT, here.joinpath(PREDICT).read_bytes())
    write_whole(folder / PREPROCESS, here.joinpath(f"{preprocess}.py").read_bytes())
    write_whole(folder / RUNTIME, here.joinpath("runtimes", f"{runtime}.py").read_bytes())
    for package, name in _NEEDED_BY.get(preprocess, ()):
        write_whole(folder / name, resources.files(package).joinpath(name).read_bytes())


# files of autotl's own that need NumPy alone, and go along as they are
_NEEDED_BY = {
    "pixels": (("autotl.data", "content.py"),),
    "features": (("autotl.trial.classical", "signal_features.py"),),
}


@contextmanager
def shipped_model(folder: Path, *, threads: int | None = None) -> Iterator[Any]:
    """What `predict.load()` of a folder gives.

    Args:
        threads: that the runtime may use, where it can be told.
    """
    with _modules_of(folder):
        yield importlib.import_module("predict").load(folder, threads)


def shipped_tensor(folder: Path, path: Path) -> NDArray[Any]:
    """The model's input for raw files; the model itself need not be there yet."""
    described = json.loads((folder / "preprocess.json").read_text(encoding="utf-8"))
    with _modules_of(folder):
        examples = importlib.import_module("predict").Model(described, run=None).examples(path)
        tensor: NDArray[Any] = importlib.import_module("preprocess").preprocess([raw for _, raw in examples], described)
    return tensor


@contextmanager
def _modules_of(folder: Path) -> Iterator[None]:
    """Has the modules of an export at hand, and forgets them again afterwards."""
    before = {name: sys.modules.pop(name, None) for name in _MODULES}
    dont_write, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # an export holds no cache of ours
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = dont_write
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
