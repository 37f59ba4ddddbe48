"""Inputs of several paths as those of one domain, whatever their modality."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from autotl.data.examples import Inputs
from autotl.data.images import ImageFiles, Images, JoinedImages, join_images
from autotl.data.records import Records, join_records
from autotl.data.texts import Texts, join_texts
from autotl.data.windows import Windows, join_windows


def join_inputs(several: Sequence[Inputs]) -> Inputs:
    """One after the other.

    Raises:
        DataError: tables with other columns, or windows of another shape; names both.
    """
    if isinstance(several[0], Texts):
        return join_texts(cast(Sequence[Texts], several))
    if isinstance(several[0], Records):
        return join_records(cast(Sequence[Records], several))
    if isinstance(several[0], Windows):
        return join_windows(cast(Sequence[Windows], several))
    return join_images(cast(Sequence[Images], several))


def sample_files(several: Sequence[Inputs]) -> list[str]:
    """The first and the last file of each folder whose examples are read while they are used; other modalities are held
    in memory."""
    found: list[str] = []
    for inputs in several:
        if isinstance(inputs, JoinedImages):
            found += sample_files(cast(Sequence[Inputs], inputs.parts))
        elif isinstance(inputs, ImageFiles) and inputs.names:
            found += [str(Path(inputs.root, name)) for name in {inputs.names[0], inputs.names[-1]}]
    return sorted(found)
