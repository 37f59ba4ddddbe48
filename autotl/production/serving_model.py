"""The winner as one model that predicts: an example as its reading gives it in, calibrated probabilities out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.network import Network
from autotl.backbones.reading import Reading, StringReading, SubwordReading, TokenReading
from autotl.features.engine import uses_xla
from autotl.production.encoder_serving import EncoderServing
from autotl.scoring.answers import ANSWERS
from autotl.task.problem import CLASSIFICATION
from autotl.trial.classical import BagOfWords, ClassicalModel
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.learner import Learner
from autotl.trial.links import ONE_CLASS, Link
from autotl.trial.model import serving_logits
from autotl.trial.network_learner import NetworkLearner
from autotl.trial.private.head import PrivateHead

# As `serving_logits` names its layers: the first of them that is there reads what the backbone says of an example.
BEHIND_THE_BACKBONE = ("alignment", "head_hidden", "head_logits")


class ServingModel(Protocol):
    """A model as it ships."""

    @property
    def reading(self) -> Reading:
        """Gives its input for raw examples."""
        ...

    def predict(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities (n, classes) of one batch of examples as the reading gives them."""
        ...

    def predict_with_features(self, examples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities and features (n, d): what the head reads, or logarithms of the probabilities without one."""
        ...


TOKEN_IDS = "token_ids"  # the layer of a language model behind which its own network begins


@dataclass(frozen=True, eq=False)
class KerasServing:
    """A Keras model with no class of ours inside.

    Attributes:
        tokenizer: what the model does to strings up to its layer `TOKEN_IDS`; None where it has none, or was loaded.
    """

    model: keras.Model
    reading: Reading
    tokenizer: TokenReading | None = None

    def predict(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities of one batch, by a compiled graph."""
        return np.asarray(self.model.predict_on_batch(_batch(examples)), dtype=np.float32)

    def predict_with_features(self, examples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities and what the first layer behind the backbone reads."""
        if self._with_features is None:
            return _with_logarithms(self.predict(examples))
        said, features = self._with_features.predict_on_batch(_batch(examples))
        return np.asarray(said, dtype=np.float32), np.asarray(features, dtype=np.float32)

    @cached_property
    def _with_features(self) -> keras.Model | None:
        names = {layer.name: layer for layer in self.model.layers}
        first = next((names[name] for name in BEHIND_THE_BACKBONE if name in names), None)
        if first is None:
            return None
        return compiled(keras.Model(self.model.inputs, [self.model.outputs[0], first.input]))


@dataclass(frozen=True, eq=False)
class NativeServing:
    """A model of another library, with its temperature.

    Attributes:
        name: a key of `autotl.trial.classical.MODELS`.
        problem: whose answers it gives, a key of `autotl.scoring.answers.ANSWERS`.
    """

    name: str
    model: ClassicalModel
    temperature: float
    reading: Reading
    problem: str = CLASSIFICATION.name

    def predict(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities of one batch."""
        given = examples.tolist() if examples.dtype == object else examples
        said = self.model.predict(given)
        if self.temperature == 1.0:
            return said
        return np.asarray(ANSWERS[self.problem].shipped(said, self.temperature), dtype=np.float32)

    def predict_with_features(self, examples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities and their logarithms."""
        return _with_logarithms(self.predict(examples))

    def files(self) -> Mapping[str, bytes]:
        """What predicts the same elsewhere, by name."""
        return self.model.native_files()


def serving_model(learner: Learner, reading: Reading, *, temperature: float) -> ServingModel:
    """A trained model ready to ship.

    Args:
        learner: with the trained weights loaded.
        reading: of a classical model; a network has its own.
        temperature: logits are divided by it (Guo et al., ICML 2017, arXiv:1706.04599); 1 leaves them alone.
    """
    if isinstance(learner, NetworkLearner):
        return _of_network(learner, temperature)
    assert isinstance(learner, ClassicalLearner)
    if isinstance(learner.model, BagOfWords) and holds_strings():
        return _of_bag_of_words(learner.model, temperature)
    return NativeServing(learner.name, learner.model, temperature, reading, learner.problem)


def _of_network(learner: NetworkLearner, temperature: float) -> KerasServing | EncoderServing:
    """Preprocessing, backbone, head and temperature in one graph; of texts the tokenizer too."""
    front = _front(learner.trainer.network)
    link = learner.trainer.link
    if learner.trainer.network.encoder is not None and learner.words is not None:
        return _of_encoder_and_words(learner, learner.words.model, front, temperature)
    words = learner.words
    beside = [] if words is None else [link.on_tensors(words.model.keras_model()(front.example))]
    logits = serving_logits(learner.trainer.model, front.features, beside)
    return front.serving(_answering(front.example, logits, link, temperature))


def _of_encoder_and_words(
    learner: NetworkLearner, words: BagOfWords, front: "_Front", temperature: float
) -> EncoderServing:
    """The words stay outside, as the encoder does: their opinions go into the graph beside its features."""
    opinions = keras.Input((words.classes,), name="opinions")
    logits = serving_logits(learner.trainer.model, front.features, [opinions])
    model = _answering([front.example, opinions], logits, learner.trainer.link, temperature)
    serving = front.serving(model)
    assert isinstance(serving, EncoderServing)
    return replace(serving, words=words)


def holds_strings() -> bool:
    """Whether Keras's graphs can take strings; only TensorFlow's can."""
    backend: str = keras.backend.backend()
    return backend == "tensorflow"


def serving_private_head(network: Network, head: PrivateHead) -> KerasServing | EncoderServing:
    """A network with a head that was trained with privacy, by plain Keras layers alone.

    Its probabilities are not calibrated: that would take one more look at protected examples.
    """
    front = _front(network)
    read = keras.layers.UnitNormalization(name="direction")(front.features)
    read = keras.layers.Rescaling(1.0, offset=(-head.centre).tolist(), name="alignment")(read)
    read = keras.layers.UnitNormalization(name="direction_from_centre")(read)
    logits = keras.layers.Dense(head.kernel.shape[1], name="head_logits")
    model = _answering(front.example, logits(read), ONE_CLASS, temperature=1.0)
    logits.set_weights([head.kernel.astype(np.float32), head.bias.astype(np.float32)])
    return front.serving(model)


@dataclass(frozen=True, eq=False)
class _Front:
    """A network from an example as it is given to its features; of texts with the tokenizer before it.

    Attributes:
        example: what a Keras model of it takes; of an encoder on PyTorch, which stays outside, its features.
    """

    network: Network
    example: keras.KerasTensor
    features: keras.KerasTensor
    reading: Reading
    tokenizer: TokenReading | None = None

    def serving(self, model: keras.Model) -> KerasServing | EncoderServing:
        """A model that begins with `example`, ready to ship."""
        encoder, reads = self.network.encoder, self.network.reading
        if encoder is None:
            return KerasServing(model, self.reading, self.tokenizer)
        subwords = reads.tokenizer if isinstance(reads, SubwordReading) else None
        return EncoderServing(encoder, self.network.form, self.network.tap, subwords, model, self.reading)


def _front(network: Network) -> _Front:
    reading = network.reading
    if network.encoder is not None:
        features = keras.Input((network.feature_width,), name="features")
        is_text = isinstance(reading, SubwordReading)
        return _Front(network, features, features, StringReading() if is_text else reading)
    if not isinstance(reading, TokenReading):
        return _Front(network, network.whole.inputs[0], network.whole.outputs[0], reading)
    from autotl.backbones.token_layer import token_ids

    example = keras.Input((), dtype="string", name="text")
    tokens = keras.layers.Identity(dtype="int32", name=TOKEN_IDS)
    features = network.whole(tokens(token_ids(example, reading.tokenizer, reading.length)))
    return _Front(network, example, features, StringReading(), reading)


def _of_bag_of_words(model: BagOfWords, temperature: float) -> KerasServing:
    text = keras.Input((), dtype="string", name="text")
    logits = model.link.on_tensors(model.keras_model()(text))
    return KerasServing(_answering(text, logits, model.link, temperature), StringReading())


def _answering(
    example: keras.KerasTensor | list[keras.KerasTensor], logits: keras.KerasTensor, link: Link, temperature: float
) -> keras.Model:
    """Logits read by their link, those of probabilities at a temperature."""
    scaled = keras.layers.Rescaling(1.0 / temperature, name="temperature")(logits)
    said = keras.layers.Activation(link.activation, dtype="float32", name="probabilities")(scaled)
    return compiled(keras.Model(example, said, name="winner"))


def _batch(examples: NDArray[Any]) -> Any:
    return keras.ops.convert_to_tensor(examples.tolist()) if examples.dtype == object else examples


def _with_logarithms(said: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return said, said if said.shape[1] == 1 else np.log(np.maximum(said, 1e-12))  # a number is its own feature


def compiled(model: keras.Model) -> keras.Model:
    """The model ready to predict by a compiled graph."""
    model.compile(jit_compile=uses_xla())
    return model
