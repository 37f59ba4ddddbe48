"""Equal and clearly different domains, for tests of what lies between them."""

import numpy as np

CLASSES = ("a", "b", "c")


def clusters(seed, *, rows=300, width=6, shift=0.0, shares=(1 / 3, 1 / 3, 1 / 3), apart=4.0):
    """(points, labels) of three round clusters, `apart` from each other, all moved by `shift` along every column."""
    draws = np.random.default_rng(seed)
    labels = draws.choice(3, size=rows, p=shares)
    centres = apart * np.eye(3, width)
    return centres[labels] + draws.normal(size=(rows, width)) + shift, labels
