"""A real exported source, made of a tiny trained network, and the target's data that go with it."""

import numpy as np
from pretend import a_plan, a_task, a_workshop, images
from pretend_domains import two_domains

from autotl.backbones.exported import spec_of
from autotl.data.examples import UNKNOWN, Fold, TaskData
from autotl.data.exported import ExportedSource
from autotl.data.images import ImageArray, array_digests
from autotl.plan import Plan
from autotl.plan.source_free import brought_fields
from autotl.production.source_export import write_exported


def an_exported_source(
    folder, *, data: TaskData | None = None, name: str = "colours.source.zip", **plan
) -> ExportedSource:
    """A network trained on bright images, written to `folder / name`."""
    data = data or a_task(rows=240)
    chosen = a_plan(**{"unfrozen_layers": "all", "backbone_rate_ratio": 1.0, "epochs": 10, **plan}).canonical()
    learner = a_workshop(folder, data).fit(chosen, data.folds[0])
    return write_exported(
        folder / name,
        learner,
        chosen,
        data,
        data.folds[0].train,
        task="colours",
        temperature=1.25,
        metric="accuracy",
        scores={"accuracy": 0.8},
        versions={"autotl": "0.1.0"},
    )


def at_the_target(exported: ExportedSource, *, target: int = 90, seed: int = 0) -> TaskData:
    """Unlabelled images that are darker and a little bluish, with the exported source beside them."""
    plain, _ = images(target, seed=seed + 1)
    shifted = (0.5 * plain.pixels + np.array([0, 12, 20])).astype(np.uint8)
    nothing = np.empty(0, dtype=np.int64)
    return two_domains(
        target=target,
        seed=seed,
        classes=exported.classes,
        domains=("target",),
        inputs=(ImageArray(shifted, plain.ids, array_digests(shifted)),),
        labels=np.full(target, UNKNOWN),
        folds=(Fold(nothing, nothing),),
        suffix_folds=(Fold(nothing, nothing),),
        source_validation=nothing,
        exported=exported,
    )


def an_adapting_plan(exported: ExportedSource, **values) -> Plan:
    """A plan that starts from the exported network."""
    return Plan(
        spec_of(exported),
        **{"learning_rate": 3e-3, "batch_size": 16, "seed": 7, **brought_fields(spec_of(exported)), **values},
    )
