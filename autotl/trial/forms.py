"""In which form a plan's network takes the task's examples."""

from typing import cast

from autotl.backbones.form import Form
from autotl.data.examples import TaskData
from autotl.data.records import Records
from autotl.data.windows import Windows
from autotl.plan import Plan


def form_of(plan: Plan, data: TaskData) -> Form:
    """What the plan chose, completed by what the data are like."""
    window = cast(Windows, data.inputs[0]).shape if data.modality == "signal" else None
    return Form(
        data.modality,
        image_size=plan.image_size,
        sequence_length=plan.sequence_length,
        pooling=plan.pooling or "mean",
        schema=cast(Records, data.inputs[0]).schema if data.modality == "table" else None,
        window=window,
        crop=plan.crop or "none",
    )
