"""Makes pools of many small models on real pairs of domains, in minutes on one core, for the comparison of rules.

python -m benchmarks.selection.shallow --save FILE [--seeds 2] [--only FAMILY…]

They hold every method that small networks allow in several settings, sensible and less so: searches of a few minutes
hold too few trials for rules to differ. Features are simple ones (pixels, spectra, words), so that shifts are large.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation import METHODS
from autotl.adaptation.method import MakesPseudoLabels, Parameter, PriorCorrection, Transform, Weighting
from autotl.adaptation.shot import nearest_centroids
from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.candidates import Candidate
from autotl.scoring.label_free import Evidence, derivable, scores_at_hand
from autotl.scoring.mixval import MAJOR_PART, mix_partners
from benchmarks.adaptation.domains import LOADS, PRODUCTS, faulty_windows, pairs_of, reviews_of, spectrum_of
from benchmarks.selection import corruptions, small_network
from benchmarks.selection.pools import Pool, save, trial_of
from benchmarks.selection.small_network import Network, softmax
from benchmarks.shared import parser, present

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

SETTINGS = {  # how many of each method
    "none": 5,
    "standardize": 3,
    "coral": 3,
    "linear_ot": 3,
    "subspace": 3,
    "importance": 2,
    "label_shift": 2,
    "deep_coral": 3,
    "dann": 3,
    "mcc": 4,
    "infomax": 4,
    "self_training": 3,
    "shot": 3,
}
VALIDATION = 0.2  # of the source
COMPONENTS = 100
RARE = 0.1  # share of a class's examples that an imbalanced target keeps of its rarest class


@dataclass(frozen=True, eq=False)
class Pair:
    """Two domains with all their labels; features are finite numbers."""

    family: str
    name: str
    source: tuple[Matrix, Labels]
    target: tuple[Matrix, Labels]


@dataclass(frozen=True)
class Setting:
    """One small model."""

    method: str
    values: Mapping[str, Any]
    units: int
    rate: float
    epochs: int


def main() -> None:
    """Trains the models and keeps what they say."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--save", type=Path, required=True, help="the .npz")
    arguments.add_argument("--seeds", type=int, default=2, help="pools of each pair")
    arguments.add_argument("--only", nargs="+", default=None, help="families")
    given = arguments.parse_args()
    pools = []
    for pair in pairs(present(given.shared / "data").parent):
        if given.only is None or pair.family in given.only:
            for seed in range(given.seeds):
                pools.append(pool_of(pair, seed=seed))
                print(
                    pair.family, pair.name, seed, f"best {pools[-1].accuracies.max():.3f}", file=sys.stderr, flush=True
                )
                save(pools, given.save)


def pairs(shared: Path) -> Iterator[Pair]:
    """Digits, photographs, vibrations and reviews, and some with a target whose classes are of unlike size."""
    digits = {name: _digits(shared, name) for name in ("mnist", "usps")}
    for one, other in pairs_of(digits):
        pair = _reduced(Pair("image", f"{one}-to-{other}", digits[one], digits[other]))
        yield pair
        yield imbalanced(pair)
    yield from _corrupted(shared)
    loads = {load: _spectra(shared, load) for load in LOADS}
    for one, other in pairs_of(loads):
        pair = _reduced(Pair("signal", f"{one}-to-{other}", loads[one], loads[other]))
        yield pair
        if (one, other) in (("0", "3"), ("3", "0")):
            yield imbalanced(pair)
    texts = {product: reviews_of(shared, product) for product in PRODUCTS}
    for one, other in pairs_of(texts):
        pair = _of_words(f"{one}-to-{other}", texts[one], texts[other])
        yield pair
        if (one, other) in (("books", "kitchen"), ("kitchen", "books")):
            yield imbalanced(pair)


def imbalanced(pair: Pair) -> Pair:
    """The pair with less and less of each class of the target, in a family of its own."""
    x, y = pair.target
    kept = RARE ** np.linspace(0, 1, int(y.max()) + 1)
    draws = np.random.default_rng(0).random(len(y))
    chosen = draws < kept[y]
    return replace(pair, family="imbalanced", target=(x[chosen], y[chosen]))


def pool_of(pair: Pair, *, seed: int) -> Pool:
    """All settings trained on one pair; the best `none` by source accuracy is source-only."""
    generator = np.random.default_rng([seed, len(pair.source[0])])
    order = generator.permutation(len(pair.source[0]))
    held_out, learnt = np.split(order, [round(VALIDATION * len(order))])
    found: list[tuple[Candidate, str, float]] = []
    for number, setting in enumerate(settings(generator)):
        seen = derivable(evidence_of(setting, pair, learnt, held_out, seed=seed * 1000 + number))
        candidate = Candidate(
            number,
            scores_at_hand({**LABEL_FREE_SCORES, **ESTIMATORS}, seen),
            seen,
            METHODS[setting.method].optimises,
            cost=float(setting.units),
        )
        right = seen["target_probabilities"].argmax(axis=1) == pair.target[1]
        found.append((candidate, setting.method, float(right.mean())))
    plain = [candidate for candidate, method, _ in found if method == "none"]
    reference = min(plain, key=lambda one: (-one.score("source_accuracy"), one.cost, one.trial))
    trials = [
        trial_of(replace(one, is_reference=one is reference), method=method, accuracy=accuracy)
        for one, method, accuracy in found
    ]
    return Pool(pair.family, pair.name, seed, tuple(trials), hidden_labels=pair.target[1])


def settings(generator: np.random.Generator) -> Iterator[Setting]:
    """Every method, first with the values it is known for, then with drawn ones."""
    for method, count in SETTINGS.items():
        for place in range(count):
            drawn = {
                name: parameter.default if place == 0 else drawn_value(parameter, generator)
                for name, parameter in METHODS[method].parameters.items()
            }
            yield Setting(
                method,
                drawn,
                units=64 if place == 0 else int(generator.choice([32, 128])),
                rate=2e-3 if place == 0 else float(10 ** generator.uniform(-3.3, -2)),
                epochs=20 if place == 0 else int(generator.choice([10, 20, 30])),
            )


def drawn_value(parameter: Parameter, generator: np.random.Generator) -> Any:
    """From the range that a search would draw from."""
    for kind, values in (parameter.searched or {}).items():
        if kind == "choice":
            return values[int(generator.integers(len(values)))]
        low, high = values
        if kind == "log":
            return float(np.exp(generator.uniform(np.log(low), np.log(high))))
        return int(generator.integers(low, high + 1)) if kind == "whole" else float(generator.uniform(low, high))
    return parameter.default


def evidence_of(
    setting: Setting, pair: Pair, learnt: NDArray[np.int64], held_out: NDArray[np.int64], *, seed: int
) -> Evidence:
    """What a model of this setting says of the target, of its mixtures, and of held-out source examples."""
    generator = np.random.default_rng(seed)
    method, values = METHODS[setting.method], setting.values
    x, y, target = pair.source[0][learnt], pair.source[1][learnt], pair.target[0]
    aligning = setting.method if isinstance(method, Transform) else values.get("align", "none")
    of_source, of_target = _maps(aligning, values, x, target)
    weights = np.ones(len(x))
    if isinstance(method, Weighting):
        weights *= method.weigh(x.astype("f4"), target.astype("f4"), values, seed=seed)
    classes = int(pair.source[1].max()) + 1
    mapped_source, mapped_target = of_source(x), of_target(target)
    network = Network.drawn(x.shape[1], setting.units, classes, rate=setting.rate, generator=generator)
    small_network.train(
        network,
        (mapped_source, y, weights),
        mapped_target,
        epochs=setting.epochs,
        extra=_extra(setting, generator),
        pseudo=_pseudo(setting),
        weight=float(values.get("weight", 0.0)),
        generator=generator,
    )
    if setting.method == "shot":
        network.rate = setting.rate * values["rate"]
        small_network.go_on_without_source(
            network,
            mapped_target,
            epochs=values["epochs"],
            im_weight=values["im_weight"],
            pseudo_weight=values["pseudo_weight"],
            pseudo=lambda said, hidden: nearest_centroids(said.astype("f4"), hidden.astype("f4")),
            generator=generator,
        )
    shift = np.zeros(classes)
    if isinstance(method, PriorCorrection):
        said = network.half(mapped_target).probabilities.astype("f4")
        shift += method.prior_shift(said, np.bincount(y, minlength=classes) / len(y), values)
    partners = mix_partners(len(target), 0)
    own, mixture = (
        network.half(of_target(each)) for each in (target, MAJOR_PART * target + (1 - MAJOR_PART) * target[partners])
    )
    validation = network.half(of_source(pair.source[0][held_out]))
    return {
        "target_probabilities": softmax(own.logits + shift).astype(np.float32),
        "target_features": own.hidden.astype(np.float32),
        "mixed_probabilities": softmax(mixture.logits + shift).astype(np.float32),
        "mix_partners": partners,
        "source_probabilities": softmax(validation.logits).astype(np.float32),
        "source_labels": pair.source[1][held_out],
        "source_features": validation.hidden.astype(np.float32),
        "classifier_weights": network.weights[2].astype(np.float32),
    }


Map = Callable[[Matrix], Matrix]


def _maps(name: str, values: Mapping[str, Any], source: Matrix, target: Matrix) -> tuple[Map, Map]:
    method = METHODS[name]
    if not isinstance(method, Transform):
        return (lambda x: x), (lambda x: x)
    given = {**method.defaults, **{key: value for key, value in values.items() if key in method.parameters}}
    fitted = method.fit(source.astype("f4"), target.astype("f4"), given)
    return (lambda x: fitted.source(x.astype("f4")).astype(np.float64)), (
        lambda x: fitted.target(x.astype("f4")).astype(np.float64)
    )


def _extra(setting: Setting, generator: np.random.Generator) -> small_network.Extra | None:
    if setting.method == "dann":
        return small_network.domain_critic(64, setting.units, rate=setting.rate, generator=generator)
    losses = {"deep_coral": small_network.covariances, "infomax": small_network.information}
    if setting.method == "mcc":
        return small_network.confusion(setting.values["temperature"])
    return losses.get(setting.method)


def _pseudo(setting: Setting) -> Callable[[Matrix, float], Labels] | None:
    method = METHODS[setting.method]
    if setting.method != "self_training" or not isinstance(method, MakesPseudoLabels):
        return None
    return lambda said, progress: method.pseudo_labels(
        said.astype("f4"), said.astype("f4"), setting.values, progress=progress
    )


def _digits(shared: Path, name: str) -> tuple[Matrix, Labels]:
    """Pixels of 2,000 images, each cut to its digit: MNIST has a margin and USPS has none."""
    from PIL import Image

    with np.load(shared / "data" / "digits" / f"{name}.npz") as file:
        images, labels = file["x_train"][:2000], file["y_train"][:2000]
    cut = [Image.fromarray(_without_margin(image)) for image in images]
    small = [np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR)) for image in cut]
    return np.stack(small).reshape(len(small), -1) / 255.0, labels.astype(np.int64)


def _without_margin(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = (np.flatnonzero(image.max(axis=axis) > 50) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _corrupted(shared: Path) -> Iterator[Pair]:
    """Clean photographs as the source, others as a bad camera saw them as the target."""
    folder = shared / "data" / "cifar10"
    images, labels = corruptions.read_images(folder / "train")
    clean = corruptions.features(images), labels
    images, labels = corruptions.read_images(folder / "test")
    for name, corrupt in corruptions.CORRUPTIONS.items():
        spoilt = corruptions.features(corrupt(images)), labels
        yield _reduced(Pair("corrupted", f"clean-to-{name}", clean, spoilt))


def _spectra(shared: Path, load: str) -> tuple[Matrix, Labels]:
    windows, names = faulty_windows(shared, load)
    return np.log(1e-4 + spectrum_of(windows)).astype(np.float64), np.unique(names, return_inverse=True)[1]


def _of_words(name: str, source: list[dict[str, str]], target: list[dict[str, str]]) -> Pair:
    """Words and pairs of them that either domain uses."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [[row["text"] for row in rows] for rows in (source, target)]
    labels = [np.array([int(row["label"] == source[0]["label"]) for row in rows]) for rows in (source, target)]
    words = TfidfVectorizer(ngram_range=(1, 2), max_features=5000, sublinear_tf=True)
    counts = words.fit_transform([*texts[0], *texts[1]]).toarray()
    first, second = np.split(counts, [len(source)])
    return _reduced(Pair("text", name, (first, labels[0]), (second, labels[1])))


def _reduced(pair: Pair) -> Pair:
    """The principal components of both domains together, scaled by the source alone, so that the shift stays."""
    from sklearn.decomposition import PCA

    both = np.concatenate([pair.source[0], pair.target[0]])
    found = PCA(COMPONENTS, svd_solver="randomized", random_state=0).fit_transform(both)
    first, second = np.split(found, [len(pair.source[0])])
    scale = first.std(axis=0).mean()
    return replace(pair, source=(first / scale, pair.source[1]), target=(second / scale, pair.target[1]))


if __name__ == "__main__":
    main()
