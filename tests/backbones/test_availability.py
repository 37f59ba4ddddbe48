"""Asking whether weights are at hand opens no socket and reads the caches that the libraries use."""

import sys
from pathlib import Path

import pytest

from autotl.backbones import availability, known_names, offline_by_environment, parse_spec, why_not_at_hand


def test_no_question_opens_a_socket(tmp_path: Path, no_sockets: None) -> None:
    for name in known_names():
        spec = parse_spec(name, folder=tmp_path, where="task.yaml")
        for offline in (True, False):
            answer = why_not_at_hand(spec, offline=offline)
            assert answer is None or (answer.startswith(spec.label) and answer.endswith("."))


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_environment_asks_for_offline(value: str, offline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTL_OFFLINE", value)
    assert offline_by_environment() is offline


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTL_CACHE_DIR", str(tmp_path))
    assert availability.cache_folder() == tmp_path
    monkeypatch.delenv("AUTOTL_CACHE_DIR")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert availability.cache_folder() == tmp_path / "xdg" / "autotl"


def test_the_newest_complete_version_in_the_cache_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    for version, files in (("2", ("config.json", "model.weights.h5")), ("10", ("config.json", "model.weights.h5"))):
        folder = tmp_path / "models" / "me" / "net" / "keras" / "small" / version
        folder.mkdir(parents=True)
        for name in files:
            (folder / name).write_text("")
    half = tmp_path / "models" / "me" / "net" / "keras" / "small" / "11"
    half.mkdir()
    (half / "config.json").write_text("")
    found = availability.cached_preset_folder("kaggle://me/net/keras/small")
    assert found is not None
    assert found.name == "10"


def test_downloading_gives_up_after_a_short_silence_and_leaves_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with availability.downloading():
        assert socket.getdefaulttimeout() == availability.DOWNLOAD_TIMEOUT_SECONDS <= 10
        sys.stdout.write("Downloading data from …")
    assert socket.getdefaulttimeout() is None
    assert capsys.readouterr().out == ""
