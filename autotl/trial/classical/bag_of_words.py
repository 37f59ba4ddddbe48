"""Words and pairs of words, weighed by how rare they are, and a linear model: the figure to beat on text.

Terms are cut as Keras's `TextVectorization` cuts them (lower case and punctuation removed, ASCII only; white space
divides), so that the fitted model can be rebuilt from plain Keras layers and both agree. Against scikit-learn's own
pattern of words that costs nothing that can be measured (IMDB 0.896 and 0.895, mean of four Amazon domains 0.841 and
0.838).
"""

# ruff: noqa: ARG003  everything here runs on one thread

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from autotl.data.labels import LABELS
from autotl.data.splits import cross_validation, joint_groups
from autotl.errors import StorageError
from autotl.scoring.metrics import LEAST_PROBABILITY
from autotl.trial.classical.model import Labels, Probabilities, classes_present, over_all_classes
from autotl.trial.classical.native import (
    LARGEST_JSON_BYTES,
    MOST_CLASSES,
    all_of,
    as_bytes_array,
    bytes_of_array,
    file_named,
    json_bytes,
    json_object,
    must_have_classes,
    npy_array,
    npy_bytes,
    whole_number,
)
from autotl.trial.links import A_NUMBER, EACH_LABEL, ONE_CLASS, Link
from autotl.trial.outcome import Size

if TYPE_CHECKING:
    import keras
    from scipy.sparse import csr_array

VOCABULARY = "vocabulary.json"
RARITY = "inverse_document_frequency.npy"
COEFFICIENTS = "coefficients.npy"
INTERCEPT = "intercept.npy"

MOST_TERMS = 50_000
LONGEST_TERM = 100  # characters; longer ones are not words, and would swell the vocabulary
FEWEST_TEXTS_WITH_TERM = 2
FOLDS = 5
STRENGTHS = (1.0, 10.0, 100.0)  # inverse of the L2 penalty, chosen by log loss on held-out folds
USUAL_STRENGTH = 10.0  # where there are too few texts to choose
FEWEST_IN_CLASS = 5  # for a choice
ABSENT_LOGIT = float(np.log(LEAST_PROBABILITY))  # of a class without a training text

_PLACEHOLDER = "text"  # the one term, without weight, of a model whose texts hold no words: Keras needs one
_ASCII_UPPER_TO_LOWER = {ord("A") + index: ord("a") + index for index in range(26)}
_PUNCTUATION = dict.fromkeys(map(ord, "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"))
_STANDARDISED = _ASCII_UPPER_TO_LOWER | _PUNCTUATION
_WORD = re.compile(r"[^ \t\n\r\v\f]+")

Logits = NDArray[np.float32]  # (n, classes)


def terms_of(text: str) -> list[str]:
    """The text's words, then its pairs of neighbouring words, as `TextVectorization(ngrams=2)` finds them."""
    # half of a surrogate pair cannot be written as UTF-8, the only thing that TensorFlow knows
    words = _WORD.findall(text.encode("utf-8", "ignore").decode("utf-8").translate(_STANDARDISED))
    return words + [f"{first} {second}" for first, second in pairwise(words)]


@dataclass(frozen=True)
class BagOfWords:
    """A fitted model.

    Attributes:
        terms: the vocabulary, in the order of the columns.
        rarity: (terms,) inverse document frequency.
        coefficients: (terms, classes).
        intercept: (classes,).
        link: how its logits are read.
    """

    link: ClassVar[Link] = ONE_CLASS

    terms: tuple[str, ...]
    rarity: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return len(self.intercept)

    @classmethod
    def fit(
        cls,
        examples: Sequence[str],
        labels: Labels,
        *,
        classes: int,
        class_weights: NDArray[np.float32],
        seed: int,
        threads: int,
        check: Callable[[], None],
    ) -> Self:
        """Trains on texts; the penalty is chosen by cross-validation on them.

        Raises:
            ValueError: no texts.
        """
        corpus = cls.corpus(examples, labels, class_weights, classes=classes)
        folds = _folds(examples, corpus.strata, None, seed)
        strength, _ = _best_strength(corpus, folds, check)
        return cls(*corpus.fitted(np.arange(len(labels)), strength))

    @classmethod
    def corpus(
        cls, texts: Sequence[str], labels: Labels, class_weights: NDArray[np.float32], *, classes: int
    ) -> "_Corpus":
        """Training texts, counted."""
        return _Corpus.of(texts, labels, class_weights, classes=classes)

    def predict(self, examples: Sequence[str]) -> Probabilities:
        """Probabilities (n, classes) of texts; one without a known word gets the model's prior."""
        logits = self.logits(examples).astype(np.float64)
        return over_all_classes(_softmax(logits), np.arange(self.classes), self.classes)

    def logits(self, examples: Sequence[str]) -> Logits:
        """What `predict` reads by the link, (n, classes); with two classes one is the other's negative."""
        if not len(examples):
            return np.zeros((0, self.classes), dtype=np.float32)
        return _logits(_counted(examples, self.terms), self.rarity, self.coefficients, self.intercept)

    def keras_model(self) -> "keras.Model":
        """The same model of plain Keras layers: strings (n,) to probabilities (n, classes), ready to save or export."""
        import keras
        from keras import layers, ops

        plain = {"dtype": "float32"}  # whatever the session's policy: counts pass what float16 can hold
        vectorise = layers.TextVectorization(
            standardize="lower_and_strip_punctuation",
            split="whitespace",
            ngrams=2,
            output_mode="count",
            vocabulary=list(self.terms),
            name="terms",
        )
        weigh = layers.EinsumDense("nt,t->nt", output_shape=len(self.terms) + 1, name="rarity", **plain)
        classify = layers.Dense(self.classes, activation=self.link.activation, name="probabilities", **plain)
        text = keras.Input((), dtype="string", name="text")
        counts = ops.cast(vectorise(text), "float32")
        damped = ops.log(ops.maximum(counts, 1.0)) + ops.minimum(counts, 1.0)  # 1 + log(count), and 0 for none
        model = keras.Model(text, classify(layers.UnitNormalization(**plain)(weigh(damped))), name="bag_of_words")
        # the first column counts words outside the vocabulary, which the model does not know
        weigh.set_weights([np.concatenate([np.zeros(1, np.float32), self.rarity])])
        unknown = np.zeros((1, self.classes), np.float32)
        classify.set_weights([np.concatenate([unknown, self.coefficients]), self.intercept])
        return model

    def arrays(self) -> list[NDArray[Any]]:
        """The vocabulary as bytes, then rarity, coefficients and intercept."""
        return [as_bytes_array(self._vocabulary()), self.rarity, self.coefficients, self.intercept]

    @classmethod
    def from_arrays(cls, arrays: Sequence[NDArray[Any]], classes: int) -> Self:
        """The model that `arrays` was called on.

        Raises:
            StorageError: they are not such arrays, or of another number of classes.
        """
        vocabulary, *numbers = all_of(arrays, 4, "a bag of words")
        terms, seen = _read_vocabulary(bytes_of_array(vocabulary, "the vocabulary"))
        must_have_classes(seen, classes, "the bag of words")
        for array, shape in zip(numbers, _shapes(len(terms), classes), strict=True):
            if array.shape != shape or array.dtype != np.float32:
                raise StorageError(
                    f"a bag of words of {len(terms)} terms and {classes} classes holds float32 of shape {shape}; "
                    f"this is {array.dtype} of shape {array.shape}."
                )
        return cls(terms, *map(_finite, numbers))

    def native_files(self) -> dict[str, bytes]:
        """The vocabulary as JSON and three `.npy` files."""
        return {
            VOCABULARY: self._vocabulary(),
            RARITY: npy_bytes(self.rarity),
            COEFFICIENTS: npy_bytes(self.coefficients),
            INTERCEPT: npy_bytes(self.intercept),
        }

    @classmethod
    def from_native_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model of these files.

        Raises:
            StorageError: a file is missing or not what `native_files` writes.
        """
        terms, classes = _read_vocabulary(file_named(files, VOCABULARY, largest_bytes=LARGEST_JSON_BYTES))
        shapes = zip((RARITY, COEFFICIENTS, INTERCEPT), _shapes(len(terms), classes), strict=True)
        return cls(
            terms,
            *(
                _finite(npy_array(file_named(files, name), name, dtype=np.float32, shape=shape))
                for name, shape in shapes
            ),
        )

    def size(self) -> Size:
        """Of the rebuilt model, which counts every term for every text."""
        params = self.rarity.size + self.coefficients.size + self.intercept.size
        flops = 2 * self.coefficients.size + 6 * self.rarity.size
        return Size(params=params, model_mb=(4 * params + len(self._vocabulary())) / 1e6, flops=flops)

    def _vocabulary(self) -> bytes:
        return json_bytes({"classes": self.classes, "terms": list(self.terms)})


class BagOfWordsPerLabel(BagOfWords):
    """The same of texts with several labels each: a logistic regression a label, on one vocabulary.

    `fit` takes labels (n, labels), 1 where a text bears the label, and as class weights how much a text that bears a
    label counts for it, beside one that does not.
    """

    link = EACH_LABEL

    @classmethod
    def corpus(
        cls, texts: Sequence[str], labels: Labels, class_weights: NDArray[np.float32], *, classes: int
    ) -> "_Corpus":
        """Training texts, counted."""
        return _CorpusOfSets.of(texts, labels, class_weights, classes=classes)

    def predict(self, examples: Sequence[str]) -> Probabilities:
        """Probabilities (n, labels) of texts, each of its label alone."""
        said = self.link.probabilities(self.logits(examples))
        return np.clip(said, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY).astype(np.float32)


class BagOfWordsForNumbers(BagOfWords):
    """The same of texts with a number each: a ridge regression, whose one "logit" is the number."""

    link = A_NUMBER

    @classmethod
    def fit(
        cls,
        examples: Sequence[str],
        labels: Labels,
        *,
        loss: str = "squared_error",
        **settings: Any,
    ) -> Self:
        """Trains on texts; the penalty is chosen by cross-validation on them.

        Args:
            labels: (n,) numbers.
            loss: that heads beside it learn by; a ridge regression is one of squared errors in any case.
        """
        return super().fit(examples, labels, **settings)

    @classmethod
    def corpus(
        cls, texts: Sequence[str], labels: Labels, class_weights: NDArray[np.float32], *, classes: int
    ) -> "_Corpus":
        """Training texts, counted."""
        return _CorpusOfNumbers.of(texts, labels, class_weights, classes=classes)

    def predict(self, examples: Sequence[str]) -> Probabilities:
        """Numbers (n, 1) of texts; one without a known word gets the intercept."""
        return self.logits(examples)


@dataclass(frozen=True)
class CrossFitted:
    """A bag of words and its logits as features for another model.

    Attributes:
        model: trained on all the texts; gives the logits of other ones.
        logits: (n, classes) of the training texts, each by a model that did not train on it.
    """

    model: BagOfWords
    logits: Logits


def cross_fitted_logits(
    texts: Sequence[str],
    labels: Labels,
    *,
    classes: int,
    class_weights: NDArray[np.float32],
    seed: int,
    check: Callable[[], None],
    groups: NDArray[np.int64] | None = None,
    kind: type[BagOfWords] = BagOfWords,
) -> CrossFitted:
    """Logits of training texts that say what those of new texts would say, so that a network may learn to trust them.

    Logits of the model's own training texts are nearly always right, and a network joined to them would learn nothing
    else. Vocabulary and rarities are those of each fold too; only the penalty's strength is one for all.

    Args:
        groups: (n,) texts of one number are held out together; equal texts always are.
        kind: of bag of words.
    Raises:
        ValueError: no texts.
    """
    corpus = kind.corpus(texts, labels, class_weights, classes=classes)
    folds = _folds(texts, corpus.strata, groups, seed)
    strength, held_out = _best_strength(corpus, folds, check)
    if held_out is None:
        held_out = _held_out_logits(corpus, folds, strength, check)
    return CrossFitted(kind(*corpus.fitted(np.arange(len(labels)), strength)), held_out)


@dataclass(frozen=True)
class _Corpus:
    """Counted training texts, of which models are fitted on any rows without counting again."""

    counts: "csr_array"  # (n, all terms)
    terms: NDArray[np.object_]
    labels: Labels
    weights: NDArray[np.float64]
    classes: int

    @classmethod
    def of(cls, texts: Sequence[str], labels: Labels, class_weights: NDArray[np.float32], *, classes: int) -> Self:
        counts, terms = _count_all(texts)
        return cls(counts, terms, labels, cls.weigh(labels, class_weights), classes)

    @staticmethod
    def weigh(labels: Labels, class_weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """How much each label counts, in the shape of the labels."""
        classes_present(labels)
        return class_weights[labels].astype(np.float64)

    @property
    def strata(self) -> Labels:
        """By which texts are dealt into folds."""
        return self.labels

    @property
    def can_choose(self) -> bool:
        """Whether there are enough texts of each class to choose a penalty by."""
        counts = np.bincount(self.labels)
        return bool(counts[counts > 0].min() >= FEWEST_IN_CLASS)

    def regression(
        self, rows: NDArray[np.int64], weighed: "csr_array", strength: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coefficients (terms, classes) and intercept (classes,) of a model on these rows, whose weighed counts are
        given; a class without a text is nearly impossible."""
        present = classes_present(self.labels[rows])
        coefficients = np.zeros((weighed.shape[1], self.classes), np.float32)
        intercept = np.full(self.classes, ABSENT_LOGIT, np.float32)
        intercept[present] = 0.0
        if len(present) > 1:
            coefficients[:, present], intercept[present] = _regression(
                weighed, self.labels[rows], self.weights[rows], strength
            )
        return coefficients, intercept

    def loss(self, logits: Logits) -> float:
        """Of held-out texts, weighted."""
        chosen = _softmax(logits.astype(np.float64))[np.arange(len(logits)), self.labels]
        return float(np.average(-np.log(np.maximum(chosen, LEAST_PROBABILITY)), weights=self.weights))

    def fitted(
        self, rows: NDArray[np.int64], strength: float
    ) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Terms, rarity, coefficients and intercept of a model trained on these rows alone."""
        columns, rarity, coefficients, intercept = self.fitted_columns(rows, strength)
        if not len(columns):
            nothing = np.zeros((1, self.classes), np.float32)
            return (_PLACEHOLDER,), np.zeros(1, np.float32), nothing, intercept
        return tuple(self.terms[columns].tolist()), rarity, coefficients, intercept

    def fitted_columns(
        self, rows: NDArray[np.int64], strength: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """The same with the columns of `counts` in place of terms."""
        counts = self.counts[rows]
        texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
        columns = _chosen_terms(texts_with)
        rarity = (np.log((1 + len(rows)) / (1 + texts_with[columns])) + 1).astype(np.float32)
        return columns, rarity, *self.regression(rows, _weighed(counts[:, columns], rarity), strength)


class _CorpusOfSets(_Corpus):
    """Texts with several labels each: labels and weights are (n, labels)."""

    @staticmethod
    def weigh(labels: Labels, class_weights: NDArray[np.float32]) -> NDArray[np.float64]:
        if not len(labels):
            raise ValueError("a model needs at least one training example.")
        return np.where(labels == 1, class_weights, 1.0).astype(np.float64)

    @property
    def can_choose(self) -> bool:
        borne = self.labels.sum(axis=0)
        return bool(borne.any()) and int(borne[borne > 0].min()) >= FEWEST_IN_CLASS

    def regression(
        self, rows: NDArray[np.int64], weighed: "csr_array", strength: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        coefficients = np.zeros((weighed.shape[1], self.classes), np.float32)
        intercept = np.full(self.classes, ABSENT_LOGIT, np.float32)
        for index in range(self.classes):
            borne, weights = self.labels[rows, index], self.weights[rows, index]
            if borne.all():
                intercept[index] = -ABSENT_LOGIT
            elif borne.any():
                no_and_yes, of_both = _regression(weighed, borne, weights, strength)
                coefficients[:, index] = no_and_yes[:, 1] - no_and_yes[:, 0]
                intercept[index] = of_both[1] - of_both[0]
        return coefficients, intercept

    def loss(self, logits: Logits) -> float:
        signed = np.where(self.labels == 1, logits, -logits).astype(np.float64)
        return float(np.average(np.logaddexp(0.0, -signed), weights=self.weights))


class _CorpusOfNumbers(_Corpus):
    """Texts with a number each."""

    @staticmethod
    def weigh(labels: Labels, class_weights: NDArray[np.float32]) -> NDArray[np.float64]:  # noqa: ARG004
        if not len(labels):
            raise ValueError("a model needs at least one training example.")
        return np.ones(len(labels))

    @property
    def strata(self) -> Labels:
        return LABELS["regression"].strata(self.labels)

    @property
    def can_choose(self) -> bool:
        return len(self.labels) >= FOLDS * FEWEST_IN_CLASS

    def regression(
        self, rows: NDArray[np.int64], weighed: "csr_array", strength: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A ridge regression; the mean where there is no term."""
        from sklearn.linear_model import Ridge
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # comes with scikit-learn

        numbers = self.labels[rows]
        if not weighed.shape[1] or np.ptp(numbers) == 0:
            return np.zeros((weighed.shape[1], 1), np.float32), np.array([numbers.mean()], np.float32)
        with threadpool_limits(1, user_api="blas"):
            # a text has unit length, so a penalty of 1 weighs like one more text; the strengths suit it as they are
            model = Ridge(alpha=10.0 / strength, solver="sparse_cg", tol=1e-6).fit(weighed, numbers)
        return model.coef_.astype(np.float32)[:, None], np.array([model.intercept_], np.float32)

    def loss(self, logits: Logits) -> float:
        return float(np.square(logits[:, 0] - self.labels).mean())


def _count_all(texts: Sequence[str]) -> "tuple[csr_array, NDArray[np.object_]]":
    """Counts (n, terms) of every term that could be chosen, in alphabetical order."""
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import CountVectorizer

    for fewest in (FEWEST_TEXTS_WITH_TERM, 1):  # one where no term is in two texts
        vectoriser = CountVectorizer(analyzer=_known_terms, min_df=min(fewest, len(texts)))
        try:
            counts = vectoriser.fit_transform(texts)
        except ValueError:  # an empty vocabulary
            continue
        return csr_array(counts), vectoriser.get_feature_names_out()
    return csr_array((len(texts), 0), dtype=np.int64), np.array([], dtype=object)


def _known_terms(text: str) -> list[str]:
    # a zero byte would end the term in Keras's table of strings
    return [term for term in terms_of(text) if len(term) <= LONGEST_TERM and "\0" not in term]


def _counted(texts: Sequence[str], terms: Sequence[str]) -> "csr_array":
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import CountVectorizer

    vocabulary = {term: column for column, term in enumerate(terms)}
    return csr_array(CountVectorizer(analyzer=_known_terms, vocabulary=vocabulary).transform(texts))


def _chosen_terms(texts_with: NDArray[np.int64]) -> NDArray[np.int64]:
    """Columns of the terms in the most texts, ties in alphabetical order."""
    enough = np.flatnonzero(texts_with >= FEWEST_TEXTS_WITH_TERM)
    if not len(enough):
        enough = np.flatnonzero(texts_with)
    order = np.argsort(-texts_with[enough], kind="stable")[:MOST_TERMS]
    return np.sort(enough[order])


def _weighed(counts: "csr_array", rarity: NDArray[np.float32]) -> "csr_array":
    """Rows of length one: (1 + log count) times rarity, or all zero."""
    from scipy.sparse import csr_array

    counts = counts.astype(np.float64)
    values = (1 + np.log(counts.data)) * rarity[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, weights=np.square(values), minlength=counts.shape[0]))
    return csr_array((values / lengths[rows], counts.indices, counts.indptr), shape=counts.shape)


def _regression(
    weighed: "csr_array", labels: Labels, weights: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coefficients (terms, classes present) and intercept of a logistic regression, one column a class."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if not weighed.shape[1]:
        shares = np.bincount(np.searchsorted(np.unique(labels), labels), weights=weights)
        return np.zeros((0, len(shares)), np.float32), np.log(shares / shares.sum()).astype(np.float32)
    # a second thread of BLAS gains nothing on sparse rows, and where cores are shared waiting for it costs 30 times
    with threadpool_limits(1, user_api="blas"):
        model = LogisticRegression(C=strength, max_iter=1000).fit(weighed, labels, sample_weight=weights)
    coefficients, intercept = model.coef_.T, model.intercept_
    if coefficients.shape[1] == 1:  # two classes: halves of opposite sign have the same softmax
        coefficients = np.concatenate([-coefficients, coefficients], axis=1) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return coefficients.astype(np.float32), intercept.astype(np.float32)


def _best_strength(
    corpus: _Corpus, folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], check: Callable[[], None]
) -> tuple[float, Logits | None]:
    """The strength with the least log loss on held-out texts, and those texts' logits (None where none was chosen)."""
    if len(folds) < 2 or not corpus.can_choose:
        return USUAL_STRENGTH, None
    found = {strength: _held_out_logits(corpus, folds, strength, check) for strength in STRENGTHS}
    best = min(STRENGTHS, key=lambda strength: corpus.loss(found[strength]))
    return best, found[best]


def _held_out_logits(
    corpus: _Corpus,
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    strength: float,
    check: Callable[[], None],
) -> Logits:
    logits = np.zeros((len(corpus.labels), corpus.classes), dtype=np.float32)
    for train, held_out in folds:
        check()
        columns, rarity, coefficients, intercept = corpus.fitted_columns(train, strength)
        logits[held_out] = _logits(corpus.counts[held_out][:, columns], rarity, coefficients, intercept)
    return logits


def _folds(
    texts: Sequence[str], strata: Labels, groups: NDArray[np.int64] | None, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to train on and rows held out; none where all texts belong together."""
    if not len(texts):
        return []
    given = None if groups is None else [str(group) for group in groups.tolist()]
    together = joint_groups(texts, given)
    folds = cross_validation(np.arange(len(strata)), strata, together, folds=FOLDS, draws=np.random.default_rng(seed))
    return [(fold.train, fold.validation) for fold in folds if len(fold.train) and len(fold.validation)]


def _logits(
    counts: "csr_array",
    rarity: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    intercept: NDArray[np.float32],
) -> Logits:
    found: NDArray[np.float64] = _weighed(counts, rarity) @ coefficients.astype(np.float64) + intercept
    return found.astype(np.float32)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _shapes(terms: int, classes: int) -> tuple[tuple[int, ...], ...]:
    return (terms,), (terms, classes), (classes,)


def _finite(array: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(array).all():
        raise StorageError("a bag of words holds a number that is not finite.")
    return array


def _read_vocabulary(content: bytes) -> tuple[tuple[str, ...], int]:
    found = json_object(content, VOCABULARY, keys=("classes", "terms"))
    classes = whole_number(found, "classes", VOCABULARY, least=1, most=MOST_CLASSES)
    terms = found["terms"]
    if (
        not isinstance(terms, list)
        or not 1 <= len(terms) <= MOST_TERMS
        or not all(isinstance(term, str) and _known_terms(term)[-1:] == [term] for term in terms)
        or len(set(terms)) != len(terms)
    ):
        raise StorageError(
            f"{VOCABULARY}: terms should list 1 to {MOST_TERMS} different words or pairs of words, in lower case."
        )
    return tuple(terms), classes
