"""Puts the two domains of a pair into a folder, as `source` and `target`, from the real data beside the checkout."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared import present

Windows = tuple[NDArray[np.float32], NDArray[np.str_]]  # (n, samples), and a class each
Rows = list[dict[str, str]]

LOADS = ("0", "1", "2", "3")
PRODUCTS = ("books", "dvd", "electronics", "kitchen")


def pairs_of(domains: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Every ordered pair of two different domains."""
    names = tuple(domains)
    return tuple((source, target) for source in names for target in names if source != target)


def digits(shared: Path, place: Path, source: str, target: str) -> None:
    """Class folders of 2,000 MNIST and 1,800 USPS images."""
    png = present(shared / "data" / "digits" / "png")
    (place / "source").symlink_to((png / source).resolve())
    (place / "target").symlink_to((png / target).resolve())


def raw_windows(shared: Path, place: Path, source: str, target: str) -> None:
    """Vibrations of two motor loads, the nine faults that all loads share."""
    for name, load in (("source", source), ("target", target)):
        x, y = faulty_windows(shared, load)
        np.savez(place / f"{name}.npz", x=x, y=y)


def spectra(shared: Path, place: Path, source: str, target: str) -> None:
    """The same windows as magnitudes of their 512 frequencies, what the published tables call the spectrum."""
    for name, load in (("source", source), ("target", target)):
        x, y = faulty_windows(shared, load)
        np.savez(place / f"{name}.npz", x=spectrum_of(x), y=y)


def faulty_windows(shared: Path, load: str) -> Windows:
    """Windows of one load, training and test part together, without the class that only load 0 has."""
    path = present(shared / "data" / "cwru_bearing") / f"windows_load{load}.npz"
    with np.load(path) as file:
        x = np.concatenate([file["x_train"], file["x_test"]])
        y = np.concatenate([file["y_train"], file["y_test"]])
    return x[y != "normal"], y[y != "normal"]


def spectrum_of(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, samples / 2) magnitudes of the discrete Fourier transform, the constant part left out."""
    samples = windows.shape[1]
    found: NDArray[np.float32] = (np.abs(np.fft.rfft(windows, axis=1))[:, 1:] / samples).astype(np.float32)
    return found


def reviews(shared: Path, place: Path, source: str, target: str) -> None:
    """Reviews of two kinds of products, all that there are of each."""
    for name, product in (("source", source), ("target", target)):
        _write(place / f"{name}.csv", reviews_of(shared, product))


def halves_of_reviews(shared: Path, place: Path, source: str, target: str) -> None:
    """Reviews of one kind of product, every second one as the source: two domains that do not differ."""
    _write(place / "source.csv", reviews_of(shared, source)[::2])
    _write(place / "target.csv", reviews_of(shared, target)[1::2])


def reviews_with_shuffled_labels(shared: Path, place: Path, source: str, target: str) -> None:
    """A source that knows nothing: its labels are those of other reviews of it."""
    known = reviews_of(shared, source)
    labels = np.random.default_rng(0).permutation([row["label"] for row in known]).tolist()
    _write(place / "source.csv", [{**row, "label": label} for row, label in zip(known, labels, strict=True)])
    _write(place / "target.csv", reviews_of(shared, target))


def reviews_of(shared: Path, product: str) -> Rows:
    """One domain's reviews in the order of its file."""
    path = present(shared / "data" / "amazon_reviews") / f"{product}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "label"], extrasaction="ignore")  # the rating tells the label
        writer.writeheader()
        writer.writerows(rows)
