"""What a network costs to run and to train, told without TensorFlow.

`network_costs.json` is written by `python -m benchmarks.backbone_tables`; a test compares it with networks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from autotl.backbones.spec import BackboneSpec

REFERENCE_PIXELS = 224  # a side
REFERENCE_TOKENS = 128
_ORIGINS = ("package", "scratch", "application")  # of networks that autotl builds itself


@dataclass(frozen=True)
class CutCosts:
    """What lies behind a cut of a network, of one example.

    Attributes:
        flops: of one pass forwards through what is trained.
        stored_bytes: of what crosses the cut, in float32.
    """

    flops: float
    stored_bytes: float


@dataclass(frozen=True)
class NetworkCosts:
    """A network up to a tap, its head left out, at one size of examples.

    Attributes:
        params: numbers that it holds.
        flops: of one prediction.
        cuts: by the number of unfrozen layers, the last one being all of them.
    """

    params: int
    flops: float
    cuts: Mapping[int, CutCosts]

    def at_cut(self, unfrozen_layers: int | Literal["all"]) -> CutCosts:
        """Between two numbers of layers that the table holds, a straight line."""
        known = sorted(self.cuts)
        if unfrozen_layers == "all" or unfrozen_layers >= known[-1]:
            return self.cuts[known[-1]]
        if unfrozen_layers in self.cuts:
            return self.cuts[unfrozen_layers]
        trained = [layers for layers in known if layers > 0]  # behind all layers only the pooled features cross
        flops = np.interp(unfrozen_layers, trained, [self.cuts[layers].flops for layers in trained])
        stored = np.interp(unfrozen_layers, trained, [self.cuts[layers].stored_bytes for layers in trained])
        return CutCosts(float(flops), float(stored))


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    text = files("autotl.backbones").joinpath("network_costs.json").read_text(encoding="utf-8")
    costs: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return costs


def known_network_costs(
    spec: BackboneSpec, *, tap: str = "last", image_size: int | None = None, sequence_length: int | None = None
) -> NetworkCosts | None:
    """The costs at a size of examples; None of a network that is not in the table.

    Arithmetic and maps grow with the pixels, or with the tokens of a text; pooled features do not.
    """
    entry = _table().get(spec.name, {}).get(tap) if spec.origin in _ORIGINS else None
    if entry is None:
        return None
    if sequence_length is not None:
        larger = sequence_length / REFERENCE_TOKENS
    else:
        larger = ((image_size or REFERENCE_PIXELS) / REFERENCE_PIXELS) ** 2
    rows: Sequence[Sequence[float]] = entry["cuts"]
    cuts = {
        int(layers): CutCosts(mflops * 1e6 * larger, kilobytes * 1e3 * (larger if layers else 1.0))
        for layers, mflops, kilobytes in rows
    }
    return NetworkCosts(int(entry["params"]), float(entry["mflops"]) * 1e6 * larger, cuts)
