"""Pairs of domains, and spectra of windows."""

import numpy as np
import pytest

from benchmarks.adaptation.domains import LOADS, pairs_of, spectrum_of


def test_there_are_twelve_ordered_pairs_of_four_domains():
    pairs = pairs_of(LOADS)
    assert len(set(pairs)) == 12
    assert all(source != target for source, target in pairs)


@pytest.mark.parametrize("frequency", [1, 37, 511])
def test_a_tone_stands_at_its_frequency_with_half_its_loudness(frequency):
    tone = 4.0 + 3.0 * np.sin(2 * np.pi * frequency * np.arange(1024) / 1024)[None]
    spectrum = spectrum_of(tone)
    assert spectrum.shape == (1, 512)
    assert spectrum[0].argmax() == frequency - 1
    assert spectrum[0].max() == pytest.approx(1.5, rel=1e-5)
    assert np.delete(spectrum[0], frequency - 1).max() < 1e-6
