"""Inputs of several paths as those of one domain, whatever their modality."""

from collections.abc import Sequence
from typing import cast

from autotl.data.examples import Inputs
from autotl.data.images import Images, join_images
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
