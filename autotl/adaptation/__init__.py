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

__all__ = ["METHODS", "Method"]
