"""A pickle that somebody planted in a bundle is never opened, whatever name it bears and whichever digest is right.

Those in run folders: tests/api/test_resuming.py; in a checkpoint's file: tests/backbones/test_torch_checkpoint.py.
"""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import pytest
from small_bundles import a_bundle

from autotl.cli.app import run
from autotl.production.bundle import CARD, DESCRIPTION, METRICS, MODEL, NATIVE, PORTRAIT


class Exploding:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (exec, (f"open({str(self.mark)!r}, 'w').close()",))


def plant(folder: Path, name: str, content: bytes) -> None:
    """The content under a name, with a digest that is right."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    description = json.loads((folder / DESCRIPTION).read_text())
    description["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(description))


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """A bundle of trees, and rows for it."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("bundle")
        a_bundle("trees", place / "winner", patch)
    (place / "rows.csv").write_text("Level [mm],noise,kind,open,seen\n1,2,x,true,01.02.2020 10:30\n")
    return place


NAMES = [MODEL, METRICS, CARD, PORTRAIT, "tokenizer.json", "model.pkl", "model.joblib", f"{NATIVE}/model.pkl"]


@pytest.mark.parametrize("name", [*NAMES, "native file", DESCRIPTION])
def test_it_is_never_opened(pets, name, tmp_path, capsys):
    folder, mark = shutil.copytree(pets / "winner", tmp_path / "winner"), tmp_path / "opened"
    planted = pickle.dumps(Exploding(mark))
    if name == DESCRIPTION:
        (folder / DESCRIPTION).write_bytes(planted)
    else:
        native = f"{NATIVE}/{next((folder / NATIVE).iterdir()).name}"
        plant(folder, native if name == "native file" else name, planted)
    for command in (["predict", str(folder), str(pets / "rows.csv")], ["watch", str(folder), str(pets / "rows.csv")]):
        assert run(command) in (0, 2, 4, 8)
    capsys.readouterr()
    assert not mark.exists()
    pickle.loads(planted)
    assert mark.exists(), "it would have told"
