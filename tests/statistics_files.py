"""Files of statistics without a backbone, and ways to spoil them."""

import json
import zipfile
from hashlib import sha256

import numpy as np

from autotl.data.statistics import Statistics
from autotl.data.statistics_file import FeaturesOf, Site, StatisticsFile, block_bytes

CLASSES = ("blue", "green", "red")


def a_file(*, seed=0, rows=90, width=4, site="north", classes=CLASSES, fingerprint="the same", **features):
    """Of random features, a third of the rows held out."""
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % len(classes)
    drawn = draws.normal(size=(rows, width)) + 3 * draws.normal(size=(len(classes), width))[labels]
    held_out = np.arange(rows) // len(classes) % 3 == 0
    learn, kept = (Statistics.of(drawn[here], labels[here], classes=len(classes)) for here in (~held_out, held_out))
    digest = sha256(block_bytes(learn) + block_bytes(kept)).hexdigest()
    described = FeaturesOf(
        **{
            "modality": "image",
            "backbone": "small_cnn",
            "reading": {"image_size": 32, "crop": "none", "tap": "last"},
            "width": width,
            "fingerprint": fingerprint,
            **features,
        }
    )
    return StatisticsFile(
        described, tuple(classes), (Site(name=site, examples=rows, digest=digest),), learn, kept, {"autotl": "0"}
    )


def rewritten(path, *, members=None, description=None):
    """The file with other members (None leaves one out) and other words in its description."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    described = {**json.loads(contents["statistics.json"]), **(description or {})}
    contents |= {"statistics.json": json.dumps(described).encode(), **(members or {})}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)
