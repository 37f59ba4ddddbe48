"""Sentences that say good or bad of something, in the words that `encoder_folders` gives its tokenizers."""

import csv
from pathlib import Path

import numpy as np
from encoder_folders import BAD, GOOD

FILLING = ("the", "film", "was", "a", "book", "and", "very", "story", "acting", "plot")


def write_moods(path: Path, *, rows: int, seed: int) -> None:
    """A CSV of sentences that four words of a mood stand in, and no two alike."""
    draws = np.random.default_rng(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for row in range(rows):
            words = [*draws.choice(FILLING, size=draws.integers(2, 6)), *draws.choice((GOOD, BAD)[row % 2], size=4)]
            writer.writerow([f"{' '.join(draws.permutation(words))} {row}", ("good", "bad")[row % 2]])
