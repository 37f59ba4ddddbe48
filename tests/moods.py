"""Sentences that say good or bad of something, in the words that `encoder_folders` gives its tokenizers."""

import csv
from pathlib import Path

import numpy as np
from encoder_folders import BAD, GOOD
from numpy.typing import NDArray

from autotl.data.texts import Texts, texts_of

FILLING = ("the", "film", "was", "a", "book", "and", "very", "story", "acting", "plot")


def sentences(count: int, *, seed: int) -> list[str]:
    """Good and bad ones in turns, with four words of their mood each, and no two alike."""
    draws = np.random.default_rng(seed)
    found = []
    for row in range(count):
        words = [*draws.choice(FILLING, size=draws.integers(2, 6)), *draws.choice((GOOD, BAD)[row % 2], size=4)]
        found.append(f"{' '.join(draws.permutation(words))} {row}")
    return found


def moods(count: int, *, seed: int) -> tuple[Texts, NDArray[np.int64]]:
    """Sentences and their labels."""
    return texts_of(sentences(count, seed=seed), [f"text {row}" for row in range(count)]), np.arange(count) % 2


def write_moods(path: Path, *, rows: int, seed: int) -> None:
    """A CSV of them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((text, ("good", "bad")[row % 2]) for row, text in enumerate(sentences(rows, seed=seed)))
