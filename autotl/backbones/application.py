"""Networks of `keras.applications`, without their classifier, with ImageNet weights, a weights file or random ones."""

import logging
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.backbones.archive import check_weights_file
from autotl.backbones.availability import downloading, keras_cache_folder
from autotl.backbones.form import Form
from autotl.backbones.layer_counts import known_layer_count
from autotl.backbones.origin import Loaded
from autotl.backbones.pixels import (
    IMAGENET_CENTRED_BGR,
    IMAGENET_STANDARDISED,
    MINUS_ONE_TO_ONE,
    RAW,
    PixelScaling,
)
from autotl.backbones.spec import BackboneSpec, existing_path
from autotl.errors import EnvironmentProblemError, TaskError, unknown_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Application:
    """What Keras does not tell about one of its networks without downloading it."""

    imagenet_file: str  # in Keras's own cache; where weights depend on the image size, those for 224 px
    scaling: PixelScaling  # RAW where the network scales inside
    imagenet_scaling: PixelScaling | None = None  # where it differs for the official weights

    def scaling_for(self, weights_file: Path | None) -> PixelScaling:
        """The scaling that goes with a weights file; the official file is known by its name, wherever it lies."""
        official = weights_file is not None and weights_file.name == self.imagenet_file
        return self.imagenet_scaling if official and self.imagenet_scaling else self.scaling


# The official EfficientNet weights (first version) want pixels divided by the root of ImageNet's deviation once more,
# which Keras puts behind its own (x / 255 - mean) / deviation' only for `weights="imagenet"`. The same, put before it:
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_OFFICIAL_EFFICIENTNET = PixelScaling(
    scale=tuple(deviation**-0.5 for deviation in _IMAGENET_DEVIATION),
    offset=tuple(
        255 * mean * (1 - deviation**-0.5) for mean, deviation in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)
    ),
)


def _efficientnet(number: int) -> Application:
    return Application(f"efficientnetb{number}_notop.h5", RAW, _OFFICIAL_EFFICIENTNET)


def _efficientnet_v2(variant: str) -> Application:
    return Application(f"efficientnetv2-{variant}_notop.h5", RAW)


def _convnext(size: str) -> Application:
    return Application(f"convnext_{size}_notop.h5", RAW)


def _with_ordering(name: str, scaling: PixelScaling) -> Application:
    return Application(f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5", scaling)


APPLICATIONS: dict[str, Application] = {
    "ConvNeXtTiny": _convnext("tiny"),
    "ConvNeXtSmall": _convnext("small"),
    "ConvNeXtBase": _convnext("base"),
    "ConvNeXtLarge": _convnext("large"),
    "ConvNeXtXLarge": _convnext("xlarge"),
    "DenseNet121": _with_ordering("densenet121", IMAGENET_STANDARDISED),
    "DenseNet169": _with_ordering("densenet169", IMAGENET_STANDARDISED),
    "DenseNet201": _with_ordering("densenet201", IMAGENET_STANDARDISED),
    "EfficientNetB0": _efficientnet(0),
    "EfficientNetB1": _efficientnet(1),
    "EfficientNetB2": _efficientnet(2),
    "EfficientNetB3": _efficientnet(3),
    "EfficientNetB4": _efficientnet(4),
    "EfficientNetB5": _efficientnet(5),
    "EfficientNetB6": _efficientnet(6),
    "EfficientNetB7": _efficientnet(7),
    "EfficientNetV2B0": _efficientnet_v2("b0"),
    "EfficientNetV2B1": _efficientnet_v2("b1"),
    "EfficientNetV2B2": _efficientnet_v2("b2"),
    "EfficientNetV2B3": _efficientnet_v2("b3"),
    "EfficientNetV2S": _efficientnet_v2("s"),
    "EfficientNetV2M": _efficientnet_v2("m"),
    "EfficientNetV2L": _efficientnet_v2("l"),
    "InceptionResNetV2": _with_ordering("inception_resnet_v2", MINUS_ONE_TO_ONE),
    "InceptionV3": _with_ordering("inception_v3", MINUS_ONE_TO_ONE),
    "MobileNet": Application("mobilenet_1_0_224_tf_no_top.h5", MINUS_ONE_TO_ONE),
    "MobileNetV2": Application("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", MINUS_ONE_TO_ONE),
    "MobileNetV3Large": Application("weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5", RAW),
    "MobileNetV3Small": Application("weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5", RAW),
    "NASNetLarge": Application("nasnet_large_no_top.h5", MINUS_ONE_TO_ONE),
    "NASNetMobile": Application("nasnet_mobile_no_top.h5", MINUS_ONE_TO_ONE),
    "ResNet50": _with_ordering("resnet50", IMAGENET_CENTRED_BGR),
    "ResNet101": _with_ordering("resnet101", IMAGENET_CENTRED_BGR),
    "ResNet152": _with_ordering("resnet152", IMAGENET_CENTRED_BGR),
    "ResNet50V2": _with_ordering("resnet50v2", MINUS_ONE_TO_ONE),
    "ResNet101V2": _with_ordering("resnet101v2", MINUS_ONE_TO_ONE),
    "ResNet152V2": _with_ordering("resnet152v2", MINUS_ONE_TO_ONE),
    "VGG16": _with_ordering("vgg16", IMAGENET_CENTRED_BGR),
    "VGG19": _with_ordering("vgg19", IMAGENET_CENTRED_BGR),
    "Xception": _with_ordering("xception", MINUS_ONE_TO_ONE),
}


SMALLEST_OF_MOST = 32  # pixels a side, as `keras.applications` demands
SMALLEST = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}


class ApplicationOrigin:
    """`{application: VGG16, weights: imagenet | none | PATH}`, or the bare class name for ImageNet weights."""

    options = frozenset({"weights"})

    def names(self) -> tuple[str, ...]:
        return tuple(APPLICATIONS)

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name not in APPLICATIONS:
            raise unknown_name(where, name, APPLICATIONS)
        weights = options.get("weights", "imagenet")
        if weights == "imagenet":
            return BackboneSpec("application", name, weights="imagenet")
        if weights in (None, "none"):
            return BackboneSpec("application", name)
        if not isinstance(weights, str):
            raise TaskError(f"{where}: weights must be 'imagenet', 'none' or a path, not {weights!r}.")
        path = existing_path(weights, folder=folder, where=f"{where}: weights")
        return BackboneSpec("application", name, weights=str(path))

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        if spec.weights is None:
            return None
        if spec.weights != "imagenet":
            return None if Path(spec.weights).is_file() else f"{spec.label}: no weights file at {spec.weights}."
        if not offline or _imagenet_file(spec.name).is_file():
            return None
        return (
            f"{spec.label}: its ImageNet weights are not on this machine. Place "
            f"{APPLICATIONS[spec.name].imagenet_file} in {keras_cache_folder()}, or give a file as "
            f"{{application: {spec.name}, weights: PATH}}, or run once without --offline to download it."
        )

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        return known_layer_count(spec.name, tap)

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return SMALLEST.get(spec.name, SMALLEST_OF_MOST)

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        import keras

        application = APPLICATIONS[spec.name]
        build = getattr(keras.applications, spec.name)
        weights_file = None
        if spec.weights == "imagenet":
            weights_file = _fetched_imagenet_file(spec.name, build)
        elif spec.weights is not None:
            weights_file = Path(spec.weights)
        with _seeded_initialisers(seed):
            model = build(include_top=False, weights=None, input_shape=(form.side, form.side, 3))
        if weights_file is not None:
            _load_weights(model, weights_file, spec)
        return Loaded(model, application.scaling_for(weights_file))


def _imagenet_file(name: str) -> Path:
    return keras_cache_folder() / APPLICATIONS[name].imagenet_file


def _fetched_imagenet_file(name: str, build: Any) -> Path:
    """The official weights in Keras's cache; where they are missing, Keras downloads and verifies them."""
    path = _imagenet_file(name)
    if path.is_file():
        return path
    logger.info("downloading the ImageNet weights of %s", name)
    try:
        with downloading():
            build(include_top=False, weights="imagenet")
    except Exception as cause:
        raise EnvironmentProblemError(
            f"{name}: the ImageNet weights could not be downloaded ({cause}). Place {path.name} in {path.parent}, "
            f"or give a file as {{application: {name}, weights: PATH}}."
        ) from cause
    if not path.is_file():
        raise EnvironmentProblemError(
            f"{name}: Keras downloaded the weights, but not to {path}; was KERAS_HOME set late?"
        )
    return path


def _load_weights(model: Any, path: Path, spec: BackboneSpec) -> None:
    # Never by the constructor's `weights=`: it refuses sizes other than 224 for some networks and may open a socket.
    try:
        check_weights_file(path)
    except TaskError as cause:
        if spec.weights != "imagenet":
            raise
        raise EnvironmentProblemError(
            f"{cause} Was its download cut off? Delete it to have it downloaded again, or place a whole {path.name} in "
            f"{path.parent}."
        ) from cause
    try:
        model.load_weights(str(path))
    except Exception as cause:
        raise TaskError(
            f"{spec.label}: the file {path} does not hold weights of {spec.name} without its classifier: {cause}"
        ) from cause


@contextmanager
def _seeded_initialisers(seed: int) -> Iterator[None]:
    """Random weights depend on `seed` alone: Keras draws the seeds of unseeded initialisers from `random`."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
