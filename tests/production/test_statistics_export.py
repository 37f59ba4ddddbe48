"""What leaves a house: sums over enough examples, some of them held out, and nothing that tells of one."""

import numpy as np
import pytest
from pretend import a_task

from autotl.data.noising import Noise
from autotl.data.statistics import Statistics
from autotl.data.statistics_file import FeaturesOf
from autotl.errors import DataError
from autotl.production.statistics_export import house_of, statistics_of, without_rare
from autotl.trial.private.noise import KEY_BYTES, SecretDraws

WIDTH = 4
FEATURES = FeaturesOf(
    modality="image", backbone="small_cnn", reading={"image_size": 32}, width=WIDTH, fingerprint="the same"
)


def features_of(data):
    """Features that follow the labels, row by row."""
    draws = np.random.default_rng(0)
    drawn = draws.normal(size=(len(data.labels), WIDTH)) + 3 * np.eye(WIDTH)[np.maximum(data.labels, 0)]
    return lambda rows: drawn[rows].astype(np.float32)


def a_house(*, rows=240, labels=None):
    data = a_task(rows=rows, **({} if labels is None else {"labels": labels}))
    return house_of("north", data, "target", features_of(data))


def made_of(house, *, noise=None, seed=0, **options):
    draws = SecretDraws(bytes(KEY_BYTES), seed)
    return statistics_of(house, FEATURES, noise=noise, versions={}, draws=draws, **options)


def test_a_file_tells_of_every_labelled_example_once():
    house = a_house()
    made = made_of(house)
    whole = Statistics.of(house.features(house.rows), house.data.labels[house.rows], classes=3)
    np.testing.assert_allclose(made.whole.products, whole.products)
    np.testing.assert_allclose(made.whole.sums, whole.sums[::-1])  # classes in alphabetical order
    assert made.held_out.examples == pytest.approx(0.2 * len(house.rows), abs=2)
    assert made.sites[0].examples == len(house.rows)
    assert made.classes == tuple(sorted(house.data.classes))


def test_who_is_held_out_follows_from_content_alone():
    made, again = made_of(a_house(), seed=0), made_of(a_house(), seed=1)
    assert made.digest == again.digest


def test_the_house_measures_a_head_on_what_it_held_out():
    measured = made_of(a_house()).sites[0].measured
    assert measured.examples == made_of(a_house()).held_out.examples
    assert measured.accuracy > 0.8


def few_of_one(few, rows=120):
    return np.where(np.arange(rows) < few, 2, np.arange(rows) % 2)


def test_a_class_that_cannot_be_told_of_twice_is_told_of_once():
    made = made_of(a_house(rows=120, labels=few_of_one(15)))
    assert made.held_out is None
    assert made.learn.examples == 120
    assert made.sites[0].measured is None


def test_a_class_with_few_examples_is_refused_or_left_out():
    house = a_house(rows=120, labels=few_of_one(9))
    with pytest.raises(DataError, match=r"fewer than 10 examples of a class.* has 9.*--rare leave_out"):
        made_of(house)
    fewer = without_rare(house)
    made = made_of(fewer)
    assert len(made.classes) == 2
    assert fewer.left_out == (house.data.classes[2],)
    assert made.whole.examples == 111
    alone = a_house(rows=120, labels=np.where(np.arange(120) < 115, 0, 1 + np.arange(120) % 2))
    with pytest.raises(DataError, match="of 1 class with enough examples"):
        made_of(without_rare(alone))


def test_with_noise_nothing_is_told_that_has_none():
    noise = Noise(8.0, 1e-5, clip=2.0)
    one, other = made_of(a_house(), noise=noise, seed=0), made_of(a_house(), noise=noise, seed=1)
    assert one.sites[0].noise.epsilon == 8.0
    assert one.sites[0].noise.deviation == pytest.approx(noise.deviation)
    assert one.sites[0].measured is None
    assert not np.isclose(one.learn.counts, other.learn.counts).any()
    assert (one.learn.counts != np.rint(one.learn.counts)).all()


def test_with_noise_an_example_more_moves_no_other_to_the_other_side():
    noise = Noise(1e4, 0.5, clip=100.0)  # next to none, so that the sums tell
    house, fewer = a_house(), a_house()
    fewer = type(fewer)("north", fewer.data, fewer.rows[1:], fewer.features)
    one, other = made_of(house, noise=noise), made_of(fewer, noise=noise)
    moved = abs(one.learn.examples - other.learn.examples), abs(one.held_out.examples - other.held_out.examples)
    assert sorted(round(each) for each in moved) == [0, 1]


def test_under_noise_the_noised_count_decides_which_class_is_rare():
    noise = Noise(1.0, 1e-5, clip=2.0)
    told = [
        made_of(a_house(rows=300, labels=few_of_one(few, rows=300)), noise=noise, seed=seed, leave_out_rare=True)
        for few in (9, 10)
        for seed in range(12)
    ]
    classes = [made.classes for made in told]
    assert {len(each) for each in classes[:12]} == {len(each) for each in classes[12:]} == {2, 3}
    assert all(made.whole.counts.min() >= 10 for made in told)
    assert all(made.whole.sums.shape == (len(made.classes), WIDTH) for made in told)


def test_a_domain_without_labels_has_no_statistics():
    with pytest.raises(DataError, match="has no labelled example"):
        a_house(labels=np.full(240, -1))
    with pytest.raises(DataError, match="there is no domain 'south'. Domains: target"):
        house_of("north", a_task(rows=60), "south", lambda rows: rows)
