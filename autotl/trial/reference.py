"""Features that are there before any plan is trained: what domains are compared by.

Images and texts by the fastest pretrained network at hand, whose features a search reads from the same store; tables by
their columns, signals by their classical features. Without a network images are compared by small pictures and texts by
the words in them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from autotl.backbones import why_not_at_hand
from autotl.backbones.classical import CLASSICAL
from autotl.data.examples import Inputs, Rows, TaskData
from autotl.data.images import Images
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.plan import Plan
from autotl.plan.baselines import linear_probe
from autotl.plan.space import Space
from autotl.trial.classical.signal_features import FEWEST_SAMPLES, signal_features
from autotl.trial.learner import without_check

if TYPE_CHECKING:
    from autotl.trial.workshop import Workshop

WITHOUT_LEARNT_LAYERS = (CLASSICAL, "scratch", "pretrained_on_source", "exported")
PIXELS = 16  # a side
TERMS, TOPICS = 20_000, 64

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """Features of rows of a task's data.

    Attributes:
        words: what they are, for a sentence: `efficientnet_lite0`, `the table's columns`.
        of: rows → (n, d).
    """

    words: str
    of: Callable[[Rows], Features]


def reference(data: TaskData, space: Space, make_workshop: "Callable[[], Workshop]") -> Reference:
    """What the domains of a task are compared by.

    Args:
        make_workshop: is called where a network is needed; imports Keras.
    """
    if data.modality == "table":
        return Reference("the table's columns", lambda rows: of_rows(data, rows, columns_of))
    if data.modality == "signal":
        return Reference("classical features of the windows", lambda rows: of_rows(data, rows, features_of_windows))
    plans = [
        linear_probe(space, backbone)
        for backbone in space.values("backbone")
        if backbone.origin not in WITHOUT_LEARNT_LAYERS and why_not_at_hand(backbone, offline=True) is None
    ]
    if plans:
        return _by_network(plans, make_workshop())
    if data.modality == "text":
        return Reference("the words of the texts", _topics(data))
    return Reference(f"pictures of {PIXELS} pixels a side", lambda rows: of_rows(data, rows, _pixels))


def _by_network(plans: list[Plan], workshop: "Workshop") -> Reference:
    plan = _fastest(plans, workshop)
    learner = workshop.bench.learner(plan, without_check)
    learner.start(workshop.data.folds[0], fold_number=0)
    size = f" at {plan.image_size} px" if plan.image_size else ""
    return Reference(f"{plan.backbone.label}{size}", lambda rows: learner.predict(rows)[1])


def _fastest(plans: list[Plan], workshop: "Workshop") -> Plan:
    """By operations of one prediction, as they are listed where these are equal."""
    if len(plans) == 1:
        return plans[0]
    from autotl.backbones import flops_of_one_prediction

    networks = [workshop.bench.network(plan) for plan in plans]
    costs = [flops_of_one_prediction(network.whole, network.example_shape) for network in networks]
    return plans[costs.index(min(costs))]


def of_rows(data: TaskData, rows: Rows, read: Callable[[Inputs, Rows], Features]) -> Features:
    """Features of rows of any domains, in the order of the rows.

    Args:
        read: inputs of one domain and rows of it → their features.
    """
    domain_of = data.domain_of[rows]
    starts = np.cumsum([0, *(len(inputs) for inputs in data.inputs)])
    parts = {index: np.flatnonzero(domain_of == index) for index in np.unique(domain_of).tolist()}
    read_parts = {index: read(data.inputs[index], rows[places] - starts[index]) for index, places in parts.items()}
    first = next(iter(read_parts.values()))
    features = np.empty((len(rows), first.shape[1]), dtype=np.float32)
    for index, places in parts.items():
        features[places] = read_parts[index]
    return features


def columns_of(inputs: Inputs, rows: Rows) -> Features:
    """The columns of a table's rows as numbers, categories as columns of 0 and 1."""
    records = cast(Records, inputs)
    assert records.schema is not None, "the task's tables have a schema"
    return records.schema.wide(records.read(rows))


def features_of_windows(inputs: Inputs, rows: Rows) -> Features:
    """Classical features of windows of a signal; of very short ones their samples."""
    windows = cast(Windows, inputs).read(rows)
    return signal_features(windows) if windows.shape[1] >= FEWEST_SAMPLES else windows.reshape(len(windows), -1)


def _pixels(inputs: Inputs, rows: Rows) -> Features:
    pictures = cast(Images, inputs).read(rows, size=PIXELS)
    return pictures.reshape(len(pictures), -1).astype(np.float32)


def _topics(data: TaskData) -> Callable[[Rows], Features]:
    """Directions in which the words of both domains' texts vary most (latent semantic analysis)."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text for inputs in data.inputs for text in cast(Texts, inputs).read(np.arange(len(inputs)))]
    counted = TfidfVectorizer(max_features=TERMS, sublinear_tf=True, token_pattern=r"\S+").fit_transform(texts)
    topics = TruncatedSVD(min(TOPICS, max(counted.shape[1] - 1, 1)), random_state=0).fit_transform(counted)
    return lambda rows: topics[rows].astype(np.float32)
