"""The properties of examples that have nothing to do with what they show, whatever their modality."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from autotl.data.auditing.image_properties import image_properties
from autotl.data.auditing.properties import Integers, Properties
from autotl.data.auditing.signal_properties import signal_properties
from autotl.data.auditing.table_properties import order_properties, table_properties
from autotl.data.auditing.text_properties import text_properties
from autotl.data.examples import Inputs
from autotl.data.looks import Looks
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows


def can_be_described(inputs: Inputs, looks: Looks) -> NDArray[np.bool_]:
    """(n,) which examples `properties_of` can tell of: of very many images not every one was looked at."""
    if isinstance(inputs, Texts | Windows | Records):
        return np.ones(len(inputs), dtype=np.bool_)
    return looks.rows(inputs.digests) >= 0


def properties_of(inputs: Inputs, labels: Integers, looks: Looks) -> Iterator[Properties]:
    """Each kind of properties that is to be held against the labels by itself.

    Args:
        labels: (n,) of these examples.
        looks: at images.
    """
    if isinstance(inputs, Texts):
        yield text_properties(inputs.texts)
    elif isinstance(inputs, Windows):
        yield signal_properties(inputs)
    elif isinstance(inputs, Records):
        yield table_properties(inputs)
        yield order_properties(inputs.lines, labels)
    else:
        yield image_properties(looks, inputs.digests)
