"""Classical models stand in the place of a backbone; they are named, never loaded or divided."""

import pytest

from autotl.backbones import ORIGINS, BackboneSpec, build_network, layer_count, parse_spec, smallest_image_size
from autotl.backbones.classical import CLASSICAL, NAMES, ClassicalOrigin
from autotl.backbones.form import Form
from autotl.errors import TaskError
from autotl.trial.classical import MODELS, MODELS_FOR


def test_every_name_has_a_model_and_every_model_a_name():
    assert set(NAMES) == set(MODELS)
    assert all(set(NAMES) == set(models) for models in MODELS_FOR.values())
    assert ORIGINS[CLASSICAL].names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_and_written_by_its_bare_name(name, tmp_path):
    spec = parse_spec(name, folder=tmp_path, where="task.yaml:3")
    assert spec == BackboneSpec(CLASSICAL, name)
    assert spec.label == spec.as_plan_value() == name
    assert parse_spec({"classical": name}, folder=tmp_path, where="task.yaml:3") == spec


@pytest.mark.parametrize("name", NAMES)
def test_it_is_always_at_hand_and_owns_no_layer(name):
    spec = BackboneSpec(CLASSICAL, name)
    assert ORIGINS[CLASSICAL].why_not_at_hand(spec, offline=True) is None
    assert layer_count(spec) == 0
    assert smallest_image_size(spec) == 1
    with pytest.raises(TaskError, match=f"backbone {name} is no network"):
        build_network(spec, form=Form("text", sequence_length=16))


def test_an_unknown_one_has_a_menu_and_a_guess(tmp_path):
    with pytest.raises(TaskError, match="'boosted_tree' is not known. Allowed: bag_of_words, .*Did you mean 'boosted"):
        parse_spec({"classical": "boosted_tree"}, folder=tmp_path, where="task.yaml:3")
    with pytest.raises(TaskError, match="'trees' is not an option of 'classical'. It takes no options"):
        parse_spec({"classical": "random_forest", "trees": 9}, folder=tmp_path, where="task.yaml:3")
    assert ClassicalOrigin.options == frozenset()
