"""What data seem to be that nobody has described yet: modality, input, label, groups. What cannot be told is asked."""

from collections.abc import Sequence

from autotl.data.draft import Draft
from autotl.data.first_look.arrays import describe_arrays
from autotl.data.first_look.folders import describe_folders
from autotl.data.first_look.tables import describe_tables
from autotl.data.first_look.telling import Asked
from autotl.data.layout import Layout

__all__ = ["Asked", "describe_data"]


def describe_data(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    """Puts modality, columns and window into the draft; returns the modality.

    Args:
        domains: the target and its sources.
    Raises:
        DataError: something cannot be told; says what to name.
    """
    first = domains[0].train[0]
    if first.is_dir():
        return describe_folders(draft, domains, asked)
    if first.suffix.lower() == ".npz":
        return describe_arrays(draft, domains, asked)
    return describe_tables(draft, domains, asked)
