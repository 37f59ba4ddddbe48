"""Where the benchmarks find real data and weights: a folder beside the checkout, or the one named."""

import argparse
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared"


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
