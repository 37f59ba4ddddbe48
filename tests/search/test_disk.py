"""What a search will write is told before it is begun, and a disk without room for it is refused."""

from collections import namedtuple
from pathlib import Path

import pytest
from pretend_search import a_space

from autotl.backbones import BackboneSpec
from autotl.errors import StorageError
from autotl.plan.space import Fixed, Options
from autotl.search import disk
from autotl.search.disk import Need, Scale, bytes_of_features, bytes_of_run, expected, refuse_full_disks

Usage = namedtuple("Usage", "total used free")
MB = 1_000_000
PLENTY = 10**15


@pytest.fixture
def free(monkeypatch):
    """Bytes that are free on every file system of the machine."""
    return lambda amount: monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(PLENTY, 0, amount))


def needs(*, run=50 * MB, features=30 * MB, run_folder=Path("/tmp/runs/new"), store=Path("/tmp/store")):
    return [
        Need(run_folder, run, "trials and models", "--out"),
        Need(store, features, "stored features", "AUTOTL_CACHE_DIR"),
    ]


def test_what_two_folders_take_of_one_disk_is_added_and_a_fifth_is_to_spare(free):
    free(96 * MB)
    refuse_full_disks(needs())
    free(96 * MB - 1)
    with pytest.raises(StorageError) as refused:
        refuse_full_disks(needs())
    assert str(refused.value) == (
        "/tmp/runs/new: the search may write up to 50 MB of trials and models in /tmp/runs/new and up to 30 MB of "
        "stored features in /tmp/store. With a fifth to spare that takes 96,000,000 bytes there, and 95,999,999 are "
        "free. Make room, or choose another folder: --out or AUTOTL_CACHE_DIR."
    )
    assert refused.value.exit_code == 8


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="one file system only")
def test_folders_on_two_file_systems_are_looked_at_each_by_itself(free, tmp_path):
    assert Path("/dev/shm").stat().st_dev != tmp_path.stat().st_dev
    free(70 * MB)
    refuse_full_disks(needs(run_folder=tmp_path / "not" / "yet", store=Path("/dev/shm/store")))
    free(40 * MB)
    with pytest.raises(StorageError) as refused:
        refuse_full_disks(needs(run_folder=tmp_path / "not" / "yet", store=Path("/dev/shm/store")))
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{tmp_path}/not/yet: ")
    assert "/dev/shm" not in line


def test_what_is_expected_is_told_in_words(free):
    free(1_234_000 * MB)
    assert expected(needs(run=2_340 * MB)) == (
        "Disk: up to 2.3 GB of trials and models in /tmp/runs/new (1,234.0 GB free), up to 30 MB of stored features in "
        "/tmp/store (1,234.0 GB free)."
    )


class TestFeatures:
    SPACE = a_space(image_size=Fixed(64), unfrozen_layers=Fixed(0))

    def test_every_network_size_cut_and_view_counts(self):
        alone = bytes_of_features(self.SPACE, 100, store_limit=PLENTY, stored=0)
        assert alone == 100 * 1280 * 4
        several = a_space(
            backbone=Options({"a": BackboneSpec("scratch", "small_cnn"), "b": BackboneSpec("scratch", "small_cnn")}),
            image_size=Options({32: 32, 64: 64}),
            unfrozen_layers=Fixed(0),
            views=Options({0: 0, 2: 2}),
        )
        assert bytes_of_features(several, 100, store_limit=PLENTY, stored=0) == alone * 2 * 2 * 3

    @pytest.mark.parametrize(
        ("size", "layers", "measured"), [(128, 1, 20_480), (224, 1, 62_720), (128, "all", 196_608)]
    )
    def test_the_estimate_is_near_what_efficientnet_lite0_gives_an_example(self, size, layers, measured):
        space = a_space(image_size=Fixed(size), unfrozen_layers=Fixed(layers))
        assert bytes_of_features(space, 1000, store_limit=PLENTY, stored=0) == pytest.approx(1000 * measured, rel=0.1)

    def test_a_store_grows_to_its_limit_only(self):
        assert bytes_of_features(self.SPACE, 10**6, store_limit=8_000 * MB, stored=7_000 * MB) == 1_000 * MB

    def test_the_features_of_one_network_must_fit_however_small_the_limit(self):
        assert bytes_of_features(self.SPACE, 10**6, store_limit=MB, stored=0) == 5_120 * MB

    def test_classical_models_store_none(self):
        trees = self.SPACE.with_backbones([BackboneSpec("classical", "boosted_trees")])
        assert bytes_of_features(trees, 10**6, store_limit=PLENTY, stored=0) == 0


class TestRun:
    def test_more_trials_examples_and_unfrozen_layers_take_more(self):
        space, deep = a_space(unfrozen_layers=Fixed(0)), a_space(unfrozen_layers=Fixed("all"))
        base = bytes_of_run(space, Scale(examples=1000, scored=1000, classes=2, trials=10))
        assert (
            base < bytes_of_run(space, Scale(1000, 1000, 2, trials=20)) < bytes_of_run(deep, Scale(1000, 1000, 2, 20))
        )
        assert base < bytes_of_run(space, Scale(1000, scored=2000, classes=2, trials=10))
