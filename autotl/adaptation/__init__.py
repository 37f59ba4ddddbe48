"""How two domains are brought together: one file per method, one line in the table."""

from autotl.adaptation.cdan import Cdan
from autotl.adaptation.coral import Coral
from autotl.adaptation.dan import Dan
from autotl.adaptation.dann import Dann
from autotl.adaptation.deep_coral import DeepCoral
from autotl.adaptation.importance import Importance
from autotl.adaptation.infomax import InfoMax
from autotl.adaptation.label_shift import LabelShift
from autotl.adaptation.linear_ot import LinearOt
from autotl.adaptation.mcc import Mcc
from autotl.adaptation.method import Method
from autotl.adaptation.none import NoAdaptation
from autotl.adaptation.self_training import SelfTraining
from autotl.adaptation.shot import Shot
from autotl.adaptation.standardize import Standardize
from autotl.adaptation.subspace import Subspace
from autotl.adaptation.tent import Tent

# This table is also the menu in error messages and docs.
METHODS: dict[str, Method] = {
    "none": NoAdaptation(),
    "standardize": Standardize(),
    "coral": Coral(),
    "linear_ot": LinearOt(),
    "subspace": Subspace(),
    "importance": Importance(),
    "label_shift": LabelShift(),
    "deep_coral": DeepCoral(),
    "dan": Dan(),
    "dann": Dann(),
    "cdan": Cdan(),
    "mcc": Mcc(),
    "infomax": InfoMax(),
    "self_training": SelfTraining(),
    "shot": Shot(),
    "tent": Tent(),
}

# What papers and other libraries call them: only error messages know these names, so that a plan has one spelling.
OTHER_NAMES: dict[str, str] = {
    "source_only": "none",
    "no_adaptation": "none",
    "adabn": "standardize",
    "normalize": "standardize",
    "location_scale": "standardize",
    "optimal_transport": "linear_ot",
    "ot": "linear_ot",
    "sa": "subspace",
    "subspace_alignment": "subspace",
    "iw": "importance",
    "importance_weighting": "importance",
    "reweighting": "importance",
    "kliep": "importance",
    "kmm": "importance",
    "bbse": "label_shift",
    "mlls": "label_shift",
    "prior_shift": "label_shift",
    "dcoral": "deep_coral",
    "ddc": "dan",
    "mmd": "dan",
    "mk_mmd": "dan",
    "jan": "dan",
    "jmmd": "dan",
    "revgrad": "dann",
    "gradient_reversal": "dann",
    "adversarial": "dann",
    "cdan_e": "cdan",
    "minimum_class_confusion": "mcc",
    "im": "infomax",
    "information_maximization": "infomax",
    "fixmatch": "self_training",
    "pseudo_label": "self_training",
    "pseudo_labels": "self_training",
    "cbst": "self_training",
    "shot_im": "shot",
}

__all__ = ["METHODS", "OTHER_NAMES", "Method"]
