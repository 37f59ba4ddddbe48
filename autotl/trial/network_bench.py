"""What all plans with a network share: networks, divisions, compiled trainers and features, kept for reuse."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.backbones.cut import Division, divide, place_of_cut, places_for_taps
from autotl.backbones.form import Form
from autotl.backbones.network import Network, build_network
from autotl.backbones.places import Places
from autotl.backbones.size import count_parameters, flops_of_one_prediction
from autotl.data.examples import PLAIN, Fold, Inputs, TaskData, View
from autotl.features import ComputePrecision, ExtractionProgress, FeatureSet, FeatureStore
from autotl.features.extraction import to_the_end
from autotl.features.extractor import Extractor
from autotl.features.kept import Kept
from autotl.features.store import SHARE_OF_ONE_SET
from autotl.plan import Plan
from autotl.trial.forms import form_of
from autotl.trial.joined_words import WORDS, JoinedWords, fitted_on
from autotl.trial.material import Material
from autotl.trial.model import Structure
from autotl.trial.network_learner import NetworkLearner, TogetherLearner
from autotl.trial.outcome import Size
from autotl.trial.rows_of_tasks import labels_of_all
from autotl.trial.scorer import Scorer
from autotl.trial.trainer import Trainer

KEPT_WORDS = 12  # bags of words, one a fold
KEPT_NETWORKS = 8  # pretrained networks that stay in a worker's memory
KEPT_TRAINERS = 24  # compiled structures
KEPT_FEATURES = 12  # opened feature sets, each with up to 64 MiB in memory


class NetworkBench:
    """What all plans with a network share.

    Networks, compiled trainers and opened features are kept between plans; each plan still starts from exactly the
    pretrained weights and its own seed, so its result does not depend on what was trained before it.

    Args:
        precision: what frozen layers are computed in.
        unfrozen_choices: numbers of unfrozen layers that plans will ask for; one pass over the examples gives all their
            cuts.
        taps: that plans will ask for; what they share is computed once. None where all ask for the same features.
    """

    def __init__(
        self,
        data: TaskData,
        store: FeatureStore,
        scorer: Scorer,
        *,
        precision: ComputePrecision = "float32",
        unfrozen_choices: Sequence[int] = (),
        taps: Sequence[str] = (),
    ) -> None:
        self.data = data
        self.store = store
        self.scorer = scorer
        self._inputs = (*data.inputs, *(each.inputs for each in data.companions))
        self._extractor = Extractor(store, precision)
        self._unfrozen_choices = unfrozen_choices
        self._taps = taps
        self._networks: Kept[tuple[BackboneSpec, Form, str], Network] = Kept(KEPT_NETWORKS)
        self._divisions: dict[tuple[int, Any, int], Division] = {}
        self._trainers: Kept[tuple[Any, ...], Trainer] = Kept(KEPT_TRAINERS)
        self._sizes: dict[tuple[Any, ...], Size] = {}
        self._features: Kept[tuple[str, int, View], FeatureSet] = Kept(KEPT_FEATURES)
        self._words: Kept[bytes, JoinedWords] = Kept(KEPT_WORDS)

    def learner(self, plan: Plan, check: Callable[[], None]) -> NetworkLearner:
        """The plan's model, with every activation that it trains on at hand; `check` may raise to stop."""
        trainer = self.trainer(plan)
        learner = NetworkLearner if plan.together is None else TogetherLearner
        return learner(self, plan, trainer, self.material(plan, trainer, check), check)

    def material(self, plan: Plan, trainer: Trainer, check: Callable[[], None]) -> Material:
        """The activations that the plan trains on; what is not stored yet is computed."""
        for features in self._features.values():
            features.release()
        domains = range(len(self._read_by(plan)))
        sets = [
            [to_the_end(self._storing(trainer, plan, index, view, check)) for index in domains] for view in _views(plan)
        ]
        division = trainer.division
        labels = self.data.labels if plan.together is None else labels_of_all(self.data)
        return Material(sets, labels, tokens_at=division.tokens_at, padding_id=division.padding_id)

    def _read_by(self, plan: Plan) -> tuple[Inputs, ...]:
        """The examples that a plan reads: of the task's domains and, where it learns others as well, of those."""
        return self.data.inputs if plan.together is None else self._inputs

    def extraction(self, plan: Plan, check: Callable[[], None]) -> Iterator[ExtractionProgress]:
        """Stores every activation that the plan starts from, telling after each block how far that is."""
        trainer = self.trainer(plan)
        wanted = [(domain, view) for view in _views(plan) for domain in range(len(self._read_by(plan)))]
        rows = sum(len(self._inputs[domain]) for domain, _ in wanted)
        done = ExtractionProgress(0, rows, 0, 0.0)
        for domain, view in wanted:
            for step in self._storing(trainer, plan, domain, view, check):
                yield done.with_part(step)
            done = done.with_part(ExtractionProgress.of_stored(len(self._inputs[domain])))

    def trainer(self, plan: Plan) -> Trainer:
        """The compiled trainer of the plan's structure, built on first use."""
        form = form_of(plan, self.data)
        classes, domains = len(self.data.classes), len(self.data.domains)
        joined = classes if plan.join == WORDS else 0
        learns_by = self.data.problem.loss_for(self.data.metric)
        structure = Structure.of(
            plan.head, plan.adaptation, classes=classes, domains=domains, joined=joined, learns_by=learns_by
        )
        if plan.together is not None:
            companions = tuple(len(each.classes) for each in self.data.companions)
            structure = replace(structure, companions=companions, weighing=plan.together)
        key = (plan.backbone, form, plan.tap, plan.unfrozen_layers, plan.views, structure.key())
        if key not in self._trainers:
            network = self.network(plan)
            self._trainers[key] = Trainer(network, self._division(network, plan), structure)
        return self._trainers[key]

    def network(self, plan: Plan) -> Network:
        """The pretrained network of a plan, loaded on first use."""
        form = form_of(plan, self.data)
        key = (plan.backbone, form, plan.tap)
        if key not in self._networks:
            for gone in self._networks.make_room():  # before another takes memory beside it
                self._forget(gone)
            self._networks[key] = build_network(plan.backbone, form=form, tap=plan.tap, seed=self.scorer.seed)
        return self._networks[key]

    def words(self, fold: Fold, check: Callable[[], None]) -> JoinedWords:
        """A bag of words fitted on a fold, once for all plans that join one."""
        key = fold.train.tobytes()
        if key not in self._words:
            self._words[key] = fitted_on(fold, self.data, self.scorer, check)
        return self._words[key]

    def size_of(self, plan: Plan, trainer: Trainer) -> Size:
        """Parameters, megabytes and FLOPs of the whole model, its own head included."""
        structure = trainer.model.structure
        key = (plan.backbone, form_of(plan, self.data), plan.tap, structure.key())
        if key not in self._sizes:
            network = trainer.network
            in_head = sum(int(np.prod(variable.shape)) for layer in trainer.model.head for variable in layer.weights)
            in_head -= (int(trainer.model.head[-1].kernel.shape[0]) + 1) * sum(structure.companions)
            mapped = trainer.model.map_of_target()
            in_head += 0 if mapped is None else mapped.matrix.size + mapped.offset.size
            params = count_parameters(network.whole) + in_head
            flops = flops_of_one_prediction(network.whole, network.example_shape) + 2 * in_head
            self._sizes[key] = Size(params=params, model_mb=params * 4 / 1e6, flops=flops)
        return self._sizes[key]

    def features_of(self, division: Division, inputs: Inputs) -> FeatureSet:
        """Activations of inputs outside the task's pools; nothing behind the cut is touched."""
        return self._extractor.features(division, inputs)

    def _storing(
        self, trainer: Trainer, plan: Plan, domain: int, view: View, check: Callable[[], None]
    ) -> Generator[ExtractionProgress, None, FeatureSet]:
        """Opens a set of features, computing what is not stored."""
        key = (trainer.division.digest, domain, view)
        if key not in self._features:
            trainer.network.restore_pretrained_weights()
            later = self._later_cuts(trainer.division, plan)
            inputs = self._inputs[domain]
            found = yield from self._extractor.extraction(
                trainer.division, inputs, view=view, later_cuts=later, on_block=check
            )
            self._features[key] = found.resident()
        return self._features[key]

    def _later_cuts(self, division: Division, plan: Plan) -> list[int]:
        """Where plans that unfreeze more of the same network will cut it, and where those with another tap go on."""
        network = division.network
        if plan.unfrozen_layers == "all":
            return []
        more = [choice for choice in self._unfrozen_choices if plan.unfrozen_layers < choice <= len(network.layers)]
        if not more and not self._taps:
            return []
        places, largest = Places(network), self._largest_per_example(plan)
        cuts = [place_of_cut(places, choice, max_bytes_per_example=largest) for choice in more]
        return [
            *cuts,
            *places_for_taps(places, self._taps, self._unfrozen_choices or (0,), max_bytes_per_example=largest),
        ]

    def _largest_per_example(self, plan: Plan) -> int:
        examples = max(sum(len(inputs) for inputs in self._inputs), 1) * (1 + plan.views)
        return int(self.store.limit_bytes * SHARE_OF_ONE_SET) // examples

    def _division(self, network: Network, plan: Plan) -> Division:
        key = (id(network), plan.unfrozen_layers, plan.views)
        if key not in self._divisions:
            largest = self._largest_per_example(plan)
            self._divisions[key] = divide(network, plan.unfrozen_layers, max_bytes_per_example=largest)
        return self._divisions[key]

    def _forget(self, network: Network) -> None:
        self._divisions = {key: value for key, value in self._divisions.items() if key[0] != id(network)}
        self._trainers.drop(lambda trainer: trainer.network is network)


def _views(plan: Plan) -> list[View]:
    """The plain view of every example, and the random ones that the plan asks for."""
    return [PLAIN, *(View(plan.augmentation or "none", number) for number in range(1, plan.views + 1))]
