import pytest

from autotl.data.layout import Layout, lay_out, name_of
from autotl.errors import DataError


def make(folder, *paths):
    for path in paths:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x") if "." in place.name else place.mkdir(parents=True, exist_ok=True)


def names(folder, paths):
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("paths", "given", "train", "validation", "test"),
    [
        (["p/cat/1.png", "p/dog/1.png"], ["p"], ["p"], [], []),
        (["p/train/cat/1.png", "p/test/cat/1.png"], ["p"], ["p/train"], [], ["p/test"]),
        (["p/Train/cat/1.png", "p/valid/cat/1.png"], ["p"], ["p/Train"], ["p/valid"], []),
        (["p/train/cat/1.png", "p/val/cat/1.png"], ["p/train"], ["p/train"], ["p/val"], []),
        (["p/train/1.png", "p/car/1.png", "p/bus/1.png"], ["p"], ["p"], [], []),  # a class that is called train
        (["train.csv", "test.csv", "dev.csv"], ["train.csv"], ["train.csv"], ["dev.csv"], ["test.csv"]),
        (["photos.csv", "photos_test.csv", "test.csv"], ["photos.csv"], ["photos.csv"], [], ["photos_test.csv"]),
        (["a.csv", "my_test.csv"], ["a.csv", "my_test.csv"], ["a.csv"], [], ["my_test.csv"]),
        (["a.csv", "dev_team.csv"], ["a.csv", "dev_team.csv"], ["a.csv", "dev_team.csv"], [], []),
        (["a.csv", "b.csv", "a_test.csv"], ["a.csv", "b.csv"], ["a.csv", "b.csv"], [], ["a_test.csv"]),
        (["test.csv"], ["test.csv"], ["test.csv"], [], []),
        (["p/train.csv", "p/test.csv", "p/README.md"], ["p"], ["p/train.csv"], [], ["p/test.csv"]),
        (["p/data.npz", "p/notes.txt"], ["p"], ["p/data.npz"], [], []),
        (["p/inner/cat/1.png", "p/inner/dog/1.png", "p/__MACOSX/x/1.png"], ["p"], ["p/inner"], [], []),
        (["train.csv", "test.npz", "test/a/1.png"], ["train.csv"], ["train.csv"], [], []),  # of another kind
    ],
)
def test_paths_are_sorted_into_splits_by_their_names(tmp_path, paths, given, train, validation, test):
    make(tmp_path, *paths)
    layout = lay_out([tmp_path / path for path in given])
    assert names(tmp_path, layout.train) == train
    assert names(tmp_path, layout.validation) == validation
    assert names(tmp_path, layout.test) == test


def test_what_is_left_alone_is_said(tmp_path):
    make(tmp_path, "p/train.csv", "p/sample_submission.csv")
    assert "sample_submission.csv" in lay_out([tmp_path / "p"]).notes[0]


def test_a_folder_of_several_tables_asks_which(tmp_path):
    make(tmp_path, "p/books.csv", "p/dvd.csv")
    with pytest.raises(DataError, match=r"books\.csv, dvd\.csv\. Name those to learn from"):
        lay_out([tmp_path / "p"])


def test_a_path_that_is_not_there_is_named_with_its_neighbour(tmp_path):
    make(tmp_path, "photos/cat/1.png")
    with pytest.raises(DataError, match="fotos: there is no such file or folder. Did you mean 'photos'?"):
        lay_out([tmp_path / "fotos"])


def test_a_domain_is_called_after_what_is_not_the_split(tmp_path):
    make(tmp_path, "pets/train", "pets_train.csv", "pets/train.csv")
    assert name_of(tmp_path / "pets" / "train") == name_of(tmp_path / "pets_train.csv") == "pets"
    assert name_of(tmp_path / "pets" / "train.csv") == "pets"
    assert Layout((tmp_path,)).test == ()
