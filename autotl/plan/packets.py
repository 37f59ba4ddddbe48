"""Which plans can be trained side by side."""

import json

from autotl.adaptation import METHODS
from autotl.adaptation.method import Weighting
from autotl.backbones.classical import CLASSICAL
from autotl.plan.plan import Plan

FREE = ("learning_rate", "dropout", "label_smoothing", "weight_decay", "epochs", "adaptation", "seed")


def packet_key(plan: Plan) -> str | None:
    """Equal for plans that may share a packet: linear heads on the same stored features, in batches of one size.

    They may differ in `FREE` fields, of the methods only in what weighs examples. None of a plan that trains anything
    but a linear head: several of those gain nothing by being trained together.
    """
    plan = plan.canonical()
    method = METHODS[plan.adaptation.name]
    if plan.backbone.origin == CLASSICAL or plan.backbone.has_head or plan.unfrozen_layers != 0:
        return None
    if plan.head.name != "linear" or plan.join is not None or plan.together is not None or plan.epochs < 1:
        return None
    if plan.adaptation.name != "none" and not isinstance(method, Weighting):
        return None
    if plan.adaptation.parameters.get("align", "none") != "none":
        return None  # its features are others
    return json.dumps({name: value for name, value in plan.as_dict().items() if name not in FREE}, sort_keys=True)
