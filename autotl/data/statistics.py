"""Statistics instead of data: counts, sums and products of labelled features, which add up over houses.

Means, covariances and class means follow from them, and with those everything that a closed form needs: alignments of
two domains, ridge and discriminant heads, shares of classes. They hold no example; when one may be worked out from them
all the same is in docs/statistics.md. Nothing here imports Keras. How a file of them is written and checked:
`autotl.data.statistics_file`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Exact = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of so many labelled examples with features of width d, in k classes.

    Attributes:
        counts: (k,) examples of each class; whole numbers unless noise was added.
        sums: (k, d), of the features of each class.
        products: (d, d), the sum of x xᵀ over all examples; symmetric. Products of single classes are not kept: no
            closed form here reads them.
    """

    counts: Exact
    sums: Exact
    products: Exact

    def __post_init__(self) -> None:
        classes, width = self.sums.shape
        if self.counts.shape != (classes,) or self.products.shape != (width, width):
            raise ValueError(f"shapes {self.counts.shape}, {self.sums.shape}, {self.products.shape} do not fit")

    @classmethod
    def of(cls, features: NDArray[np.floating], labels: NDArray[np.int64], *, classes: int) -> "Statistics":
        """Of features (n, d) and class indices (n,), in float64."""
        exact = features.astype(np.float64)
        sums = np.zeros((classes, exact.shape[1]))
        np.add.at(sums, labels, exact)
        return cls(np.bincount(labels, minlength=classes).astype(np.float64), sums, exact.T @ exact)

    @classmethod
    def nothing(cls, *, classes: int, width: int) -> "Statistics":
        """Of no example: what sums start from."""
        return cls(np.zeros(classes), np.zeros((classes, width)), np.zeros((width, width)))

    def __add__(self, other: "Statistics") -> "Statistics":
        """Of both domains' examples together."""
        return Statistics(self.counts + other.counts, self.sums + other.sums, self.products + other.products)

    def mapped(self, matrix: NDArray[np.floating], offset: NDArray[np.floating]) -> "Statistics":
        """Of the features after `x @ matrix + offset`, exactly."""
        exact, shift = matrix.astype(np.float64), offset.astype(np.float64)
        sums = self.sums @ exact
        crossed = np.outer(sums.sum(axis=0), shift)
        products = exact.T @ self.products @ exact + crossed + crossed.T + self.examples * np.outer(shift, shift)
        return Statistics(self.counts, sums + np.outer(self.counts, shift), (products + products.T) / 2)

    def of_classes(self, places: Sequence[int | None]) -> "Statistics":
        """The same in another order of classes; None where a class is new, and so has no example here."""
        kept = np.array([place is not None for place in places])
        order = np.array([0 if place is None else place for place in places])
        counts, sums = self.counts[order] * kept, self.sums[order] * kept[:, None]
        return Statistics(counts, sums, self.products)

    @property
    def width(self) -> int:
        """How many features there are, d."""
        return self.sums.shape[1]

    @property
    def examples(self) -> float:
        """All of them; a whole number unless noise was added."""
        return float(self.counts.sum())

    @property
    def mean(self) -> Exact:
        """(d,)."""
        return np.asarray(self.sums.sum(axis=0) / self.examples)

    @property
    def scatter(self) -> Exact:
        """(d, d): products about the mean, so the covariance times the number of examples."""
        mean = self.mean
        return np.asarray(self.products - self.examples * np.outer(mean, mean))

    @property
    def class_means(self) -> Exact:
        """(k, d); the overall mean for a class without examples."""
        known = (self.counts > 0)[:, None]
        means = self.sums / np.maximum(self.counts, 1e-300)[:, None]
        return np.where(known, means, self.mean)

    @property
    def shares(self) -> Exact:
        """(k,) of the classes."""
        return np.asarray(self.counts / self.examples)

    @property
    def within(self) -> Exact:
        """(d, d) covariance about the class means, pooled over the classes and divided by the number of examples."""
        means = self.class_means
        return np.asarray((self.products - (means * self.counts[:, None]).T @ means) / self.examples)
