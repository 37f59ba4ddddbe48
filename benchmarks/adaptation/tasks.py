"""The rows of the benchmark: which pairs of domains, what is searched, and what others published."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.adaptation import domains

WriteDomains = Callable[[Path, Path, str, str], None]  # (shared, place, source, target)

TASK = """\
name: {name}
modality: {modality}
data:
  # every target example is adapted to, and its own label tests: the transductive protocol
  target: {{train: target{ending}, labels: none, validation: 0, test: {{labels_of: train}}}}
  source: {{name: {source}, train: source{ending}}}
metric: accuracy
budget: {{trials: {trials}, wall: {wall}}}
baselines: none
seed: {seed}
"""
LABELLED = """\
name: {name}
modality: {modality}
data:
  target: {{train: target{ending}, validation: 0.2, test: none}}
metric: accuracy
seed: {seed}
"""
# How a space ends: all methods, or those that help on many published tasks where a trial takes long.
ALL_METHODS = "  adaptation: auto\n"
ALIGN = "align: {choice: [standardize, none]}"
ROBUST_METHODS = f"""\
  adaptation:
    choice:
      none: {{}}
      standardize: {{}}
      mcc: {{weight: {{log: [0.3, 3.0]}}, temperature: {{linear: [1.0, 4.0]}}, {ALIGN}}}
      infomax: {{weight: {{log: [0.1, 1.0]}}, {ALIGN}}}
      deep_coral: {{weight: {{log: [1.0, 300.0]}}, {ALIGN}}}
      dan: {{weight: {{log: [0.1, 3.0]}}, joint: {{choice: [false, true]}}, {ALIGN}}}
      cdan: {{weight: {{log: [0.1, 3.0]}}, entropy: {{choice: [false, true]}}, {ALIGN}}}
      dann: {{weight: {{log: [0.1, 3.0]}}, {ALIGN}}}
      self_training: {{weight: {{log: [0.3, 3.0]}}, {ALIGN}}}
      shot: {{epochs: {{whole: [5, 10]}}, rate: {{log: [0.03, 0.3]}}, {ALIGN}}}
"""
# The first of a choice is what each method is tried with first.
DIGITS = """\
start_with:
  - {backbone: efficientnet_lite0, image_size: 64, tap: P4, unfrozen_layers: 24, learning_rate: 0.002,
     backbone_rate_ratio: 0.3, epochs: 5, views: 2, augmentation: crop}
search_space:
  backbone: efficientnet_lite0
  image_size: 64
  crop: {choice: [content, none]}            # MNIST has a margin, USPS has none
  tap: P4
  unfrozen_layers: {choice: [24, 12]}
  head: {choice: {linear: {}, hidden: {units: 128}}}
  learning_rate: {log: [1.0e-3, 4.0e-3]}
  backbone_rate_ratio: {log: [0.1, 0.6]}
  dropout: {choice: [0.0, 0.3]}
  label_smoothing: {choice: [0.0, 0.1]}
  weight_decay: 1.0e-4
  batch_size: 32
  epochs: 5
  views: {choice: [2, 0]}
  augmentation: crop
"""
WINDOWS = """\
start_with:
  - {backbone: pretrained_on_source, learning_rate: 0.002, epochs: 12}
search_space:
  backbone: pretrained_on_source
  tap: last
  unfrozen_layers: {choice: [4, 0, all]}
  head: {choice: {linear: {}, hidden: {units: 128}}}
  learning_rate: {log: [1.0e-3, 6.0e-3]}
  backbone_rate_ratio: {log: [0.1, 1.0]}
  dropout: {choice: [0.0, 0.3]}
  label_smoothing: {choice: [0.0, 0.1]}
  weight_decay: 1.0e-4
  batch_size: 32
  epochs: 12
"""
REVIEWS = """\
start_with:
  - {backbone: all_minilm_l6_v2, sequence_length: 128, tap: E3, join: bag_of_words, learning_rate: 0.01, epochs: 10}
search_space:
  backbone: all_minilm_l6_v2
  sequence_length: 128
  pooling: mean
  join: {choice: [bag_of_words, none]}
  tap: E3                                    # the last encoders know similar sentences, not similar opinions
  unfrozen_layers: 0
  head: {choice: {linear: {}, hidden: {units: 128}}}
  learning_rate: {log: [1.0e-3, 2.0e-2]}
  dropout: {choice: [0.0, 0.3]}
  label_smoothing: {choice: [0.0, 0.1]}
  weight_decay: {log: [1.0e-5, 1.0e-2]}
  batch_size: 32
  epochs: 10
"""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        ending: of the files that `write` makes; empty for folders.
        search: what the task searches, as YAML, but for the methods of adaptation.
        published: figures of others, whose networks, crops and splits differ.
        wants: what we ask of the winner.
        methods: of adaptation, the end of `search`.
        useless: whether no winner is the right answer.
    """

    title: str
    modality: str
    ending: str
    pairs: tuple[tuple[str, str], ...]
    write: WriteDomains
    search: str
    published: str
    wants: str
    seeds: int = 5
    wall: str = "6m"
    methods: str = ROBUST_METHODS
    useless: bool = False

    def task(self, source: str, target: str, *, seed: int, trials: int, wall: str) -> str:
        """The task of a pair: labels of the source alone."""
        return self._filled(TASK, source, target, seed=seed, trials=trials, wall=wall) + self.search + self.methods

    def labelled_task(self, source: str, target: str, *, seed: int) -> str:
        """The target alone, with its labels."""
        return self._filled(LABELLED, source, target, seed=seed)

    def _filled(self, written: str, source: str, target: str, **values: object) -> str:
        name, known = f"{source}-to-{target}", f"known-{source}"
        return written.format(name=name, source=known, modality=self.modality, ending=self.ending, **values)


MNIST, USPS = "mnist_2000", "usps_1800"

ROWS: dict[str, Row] = {
    "mnist-usps": Row(
        "MNIST to USPS, 2,000/1,800",
        "image",
        "",
        ((MNIST, USPS),),
        domains.digits,
        DIGITS,
        published="source-only 75.2; DANN 77.1; ADDA 89.4; CoGAN 91.2; MSTN 92.9; MEDA 94.3",
        wants="92.0",
    ),
    "usps-mnist": Row(
        "USPS to MNIST, 1,800/2,000",
        "image",
        "",
        ((USPS, MNIST),),
        domains.digits,
        DIGITS,
        published="ADDA 90.1; MCD 94.1",
        wants="88",
    ),
    "cwru-0-3": Row(
        "CWRU load 0 to 3, raw windows, 9 faults",
        "signal",
        ".npz",
        (("0", "3"),),
        domains.raw_windows,
        WINDOWS,
        published="10 classes: source-only 86.9; MK-MMD 93.7; CDAN 96.9; JMMD 99.7; DANN 100",
        wants="99.0",
    ),
    "cwru-pairs": Row(
        "CWRU, 12 pairs of loads, spectrum, 9 faults",
        "signal",
        ".npz",
        domains.pairs_of(domains.LOADS),
        domains.spectra,
        WINDOWS,
        published="10 classes: source-only 80.7; MK-MMD 92.8; DANN 93.7; CORAL 94.3",
        wants="93",
        seeds=1,
    ),
    "amazon": Row(
        "Amazon reviews, 12 pairs of products",
        "text",
        ".csv",
        domains.pairs_of(domains.PRODUCTS),
        domains.reviews,
        REVIEWS,
        published="DANN 76.3; tri-training 79.2; mSDA and DANN 81.3 (thousands of unlabelled reviews more)",
        wants="source-only + 3.0, no pair more than 1 point below it",
        seeds=1,
        wall="3m",
        methods=ALL_METHODS,
    ),
    "no-shift": Row(
        "No shift: kitchen reviews in two halves",
        "text",
        ".csv",
        (("kitchen", "kitchen"),),
        domains.halves_of_reviews,
        REVIEWS,
        published="-",
        wants="within 0.5 points of source-only",
        wall="3m",
        methods=ALL_METHODS,
    ),
    "useless-source": Row(
        "A useless source: shuffled labels, books to kitchen",
        "text",
        ".csv",
        (("books", "kitchen"),),
        domains.reviews_with_shuffled_labels,
        REVIEWS,
        published="-",
        wants="no winner, exit code 5",
        wall="3m",
        methods=ALL_METHODS,
        useless=True,
    ),
}
