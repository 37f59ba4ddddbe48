"""What the search may know of the labels of opened examples."""

from collections.abc import Sequence

from autotl.data.examples import Labels
from autotl.data.labels import LABELS
from autotl.data.listing import is_hidden
from autotl.data.opening import Examples
from autotl.task import Task


def known_labels(task: Task, domain: str, examples: Examples, classes: Sequence[str]) -> Labels:
    """A label per row, unknown throughout where the search may not see them."""
    kind = LABELS[task.problem]
    if examples.labels is None or is_hidden(task, domain):
        return kind.unknown(len(examples), classes)
    return kind.read(examples.labels, classes)
