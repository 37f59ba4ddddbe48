"""How much there is to do for one plan: examples, steps and operations, told from its structure alone."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.network_costs import CutCosts, NetworkCosts, known_network_costs
from autotl.data.examples import TaskData
from autotl.plan import Plan
from autotl.plan.packets import packet_key
from autotl.plan.plan import FEWEST_STEPS

FORWARD_AND_BACK = 3  # passes' worth of operations that one training step takes
TYPICAL_FLOPS = 4e8  # of one prediction by a network that no table and no trial tells of
TYPICAL_BYTES = 2e4  # of what such a network stores of an example
OF_ROWS_FLOPS, OF_ROWS_BYTES = 1e6, 512.0  # the same of a network that reads a table's rows, or windows

StoredKey = str  # equal for activations of the same examples that are computed together


@dataclass(frozen=True)
class Examples:
    """How many examples a task has.

    Attributes:
        rows: all that have features, in all domains.
        trained, scored: rows that one fold's training, and all folds' scoring, read; by whether layers are unfrozen.
        folds: how many times a plan is trained; likewise.
        target: unlabelled target rows.
        digest: of the data.
        beside: labelled examples of tasks that are learnt together with this one.
    """

    rows: int
    trained: Mapping[bool, int]
    scored: Mapping[bool, int]
    folds: Mapping[bool, int]
    target: int
    digest: str = ""
    beside: int = 0

    @classmethod
    def of(cls, data: TaskData) -> "Examples":
        """Those of a task that has been read."""
        kinds = {False: data.folds, True: data.suffix_folds}
        return cls(
            rows=sum(len(inputs) for inputs in data.inputs),
            trained={kind: max((len(fold.train) for fold in folds), default=0) for kind, folds in kinds.items()},
            scored={kind: sum(len(fold.validation) for fold in folds) for kind, folds in kinds.items()},
            folds={kind: len(folds) for kind, folds in kinds.items()},
            target=len(data.target_rows),
            digest=str(data.summary.get("fingerprint", "")),
            beside=sum(len(each.labels) for each in data.companions),
        )


@dataclass(frozen=True)
class Work:
    """What a plan asks for, before anything is stored.

    Attributes:
        kind: `head`, `shared_head` (trained beside others), `suffix`, or a classical model's name.
        sets: activations it starts from: what tells them from others → examples and operations to compute them.
        steps: optimizer steps, over all epochs and folds.
        trained_gflop, scored_gflop: billions of operations behind the cut, while training and while scoring.
        scored_rows: examples that are scored, over all epochs.
        rows: examples that a fold's training reads, times the folds.
    """

    kind: str
    sets: Mapping[StoredKey, tuple[int, float]] = field(default_factory=dict)
    steps: float = 0.0
    trained_gflop: float = 0.0
    scored_gflop: float = 0.0
    scored_rows: float = 0.0
    rows: float = 0.0

    def to_compute(self, stored: "frozenset[StoredKey] | set[StoredKey]") -> tuple[int, float]:
        """Examples, and billions of operations, that are not stored yet."""
        missing = [found for key, found in self.sets.items() if key not in stored]
        return sum(rows for rows, _ in missing), sum(gflop for _, gflop in missing)


def work_of(
    plan: Plan, examples: Examples, *, flops: Mapping[BackboneSpec, float] | None = None, epochs: float | None = None
) -> Work:
    """What a plan asks for.

    Args:
        flops: of one prediction by networks that no table knows, as earlier trials told.
        epochs: that it will be trained for, where that is not all of them.
    """
    plan = plan.canonical()
    is_suffix = plan.unfrozen_layers != 0
    trained, folds = examples.trained[is_suffix], examples.folds[is_suffix]
    beside = 0 if plan.together is None else examples.beside
    trained += beside
    if plan.backbone.origin == CLASSICAL:
        return Work(plan.backbone.name, rows=float(trained * folds))
    epochs = float(plan.all_epochs) if epochs is None else epochs
    costs = costs_of(plan, flops or {})
    behind = costs.at_cut(plan.unfrozen_layers)
    in_head = 0.0 if is_suffix else _flops_of_head(plan, behind)
    steps = math.ceil(trained / plan.batch_size)
    passes = 1 if is_suffix or not steps else math.ceil(FEWEST_STEPS / steps)
    paired = 2 if METHODS[plan.adaptation.name].stage == "joint" else 1
    scored = examples.scored[is_suffix] * epochs + examples.target
    key = packet_key(plan)
    return Work(
        kind="suffix" if is_suffix else "head" if key is None else "shared_head",
        sets=_sets(plan, examples, costs, beside),
        steps=steps * passes * folds * epochs,
        trained_gflop=FORWARD_AND_BACK * (behind.flops + in_head) * trained * passes * folds * epochs * paired / 1e9,
        scored_gflop=(behind.flops + in_head) * scored / 1e9,
        scored_rows=float(scored),
        rows=float(trained * folds),
    )


def costs_of(plan: Plan, flops: Mapping[BackboneSpec, float]) -> NetworkCosts:
    """Of the plan's network, by the table, by earlier trials, or as they typically are."""
    known = known_network_costs(
        plan.backbone, tap=plan.tap, image_size=plan.image_size, sequence_length=plan.sequence_length
    )
    if known is not None:
        return known
    reads_rows = plan.image_size is None and plan.sequence_length is None
    told = flops.get(plan.backbone, OF_ROWS_FLOPS if reads_rows else TYPICAL_FLOPS)
    stored = OF_ROWS_BYTES if reads_rows else TYPICAL_BYTES
    cuts = {0: CutCosts(0.0, stored), 1: CutCosts(told / 10, stored), 100: CutCosts(told, stored)}
    return NetworkCosts(0, told, cuts)


def _flops_of_head(plan: Plan, cut: CutCosts) -> float:
    width = cut.stored_bytes / 4
    units = float(plan.head.parameters.get("units", 0)) or 10.0
    return 2 * width * units


def _sets(plan: Plan, examples: Examples, costs: NetworkCosts, beside: int) -> dict[StoredKey, tuple[int, float]]:
    """One pass gives the cuts that all plans of a backbone at one size will ask for, so they count as one set."""
    if plan.unfrozen_layers == "all":
        return {}  # it starts from the examples themselves
    network = [examples.digest, plan.backbone.as_plan_value(), plan.image_size, plan.crop, plan.sequence_length]
    views = [[*network, "plain"], *([*network, plan.augmentation, number] for number in range(1, plan.views + 1))]
    own = {_key(view): (examples.rows, examples.rows * costs.flops / 1e9) for view in views}
    others = {_key([*view, "beside"]): (beside, beside * costs.flops / 1e9) for view in views if beside}
    return {**own, **others}


def _key(told: object) -> StoredKey:
    """Short, and without a file's name in it: it is kept beyond the run."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
