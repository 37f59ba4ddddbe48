"""What benchmarks share: where real data and weights are, and a home apart from the user's own."""

import argparse
import atexit
import os
import shutil
import tempfile
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared"


def use_own_home() -> None:
    """From here on searches of this process know no earlier one, and leave nothing to the user's own."""
    home = tempfile.mkdtemp(prefix="autotl-benchmark-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["AUTOTL_HOME"] = home


def parser(description: str) -> argparse.ArgumentParser:
    """Arguments that every benchmark takes."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--shared", type=Path, default=BESIDE_THE_CHECKOUT, help="folder with data/ and weights/")
    return arguments


def present(folder: Path) -> Path:
    """The folder, or the end of the benchmark with a word."""
    if not folder.is_dir():
        raise SystemExit(f"nothing at {folder}: name the folder with real data by --shared")
    return folder
