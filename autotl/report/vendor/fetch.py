"""Fetch the browser code that a report inlines: `python -m autotl.report.vendor.fetch`.

Maintainers run this to move to other versions; nobody who uses autotl needs it. It asks `npm pack` for the published
archives, takes the built file and the licence out of each, unmodified, and writes `vendor.json` with version and
SHA-256. The Vega-Lite version must be the one that the installed altair writes specs for.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Package:
    """One published npm package and the built file in it that a browser runs."""

    name: str
    version: str
    built: str  # path inside the package


# The order is the order in which a page must run them.
PACKAGES = (
    Package("vega", "6.4.0", "build/vega.min.js"),
    Package("vega-lite", "6.4.1", "build/vega-lite.min.js"),
    Package("vega-interpreter", "2.3.2", "build/vega-interpreter.js"),
)


def fetch(package: Package, folder: Path) -> dict[str, str]:
    """Write the package's built file and licence into `folder`; return its line for `vendor.json`."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["npm", "pack", f"{package.name}@{package.version}", "--pack-destination", scratch],
            check=True,
            capture_output=True,
        )
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as members:
            built = _read(members, f"package/{package.built}")
            licence = _read(members, "package/LICENSE")
            manifest = json.loads(_read(members, "package/package.json"))
    file, licence_file = Path(package.built).name, f"{package.name}.LICENSE"
    (folder / file).write_bytes(built)
    (folder / licence_file).write_bytes(licence)
    return {
        "name": package.name,
        "version": package.version,
        "file": file,
        "sha256": hashlib.sha256(built).hexdigest(),
        "licence": str(manifest["license"]),
        "licence_file": licence_file,
        "source": f"npm:{package.name}@{package.version}/{package.built}",
    }


def _read(members: tarfile.TarFile, name: str) -> bytes:
    member = members.extractfile(name)
    if member is None:
        raise FileNotFoundError(f"{name} is no plain file in the published archive.")
    return member.read()


def _entries() -> Iterator[dict[str, str]]:
    for package in PACKAGES:
        yield fetch(package, HERE)


if __name__ == "__main__":
    (HERE / "vendor.json").write_text(json.dumps(list(_entries()), indent=2) + "\n", encoding="utf-8")
