"""Fixtures that every room's tests share. Real data and weights stand beside the checkout and may be missing."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real data sets, read-only."""
    return _present(SHARED / "data", "real data sets")


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """Folder with real pretrained weights as KerasHub presets, read-only."""
    return _present(SHARED / "weights", "real pretrained weights")


@pytest.fixture(autouse=True)
def own_home_and_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's registry, history or feature store."""
    base = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("AUTOTL_HOME", str(base / "home"))
    monkeypatch.setenv("AUTOTL_CACHE_DIR", str(base / "cache"))


def _present(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        pytest.skip(f"{what} are not at hand: no folder {folder.parent.name}/{folder.name} beside the checkout")
    return folder
