"""The registry: the models that people promoted, their aliases, and who moved which when and why.

```text
registry/<model>/
  versions/<n>/bundle/        the bundle, read-only, without the examples in its evidence; its card says who signed off
  versions/<n>/version.json   where it came from, its figures, the SHA-256 of every file of the bundle
  history.jsonl               every promotion and rollback, oldest first; lines are only ever added
```

A version is made under another name and renamed when it is whole; what the history does not tell of does not exist. A
line of the history holds the digest of its version.json, so a change of any promoted file is seen.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from autotl.data.file_digest import sha256_of
from autotl.errors import StorageError, UsageError, suggestion
from autotl.production.bundle import CARD, DESCRIPTION, EVIDENCE, EXAMPLES, METRICS, Bundle, open_bundle
from autotl.production.home import home_folder
from autotl.production.reference import Reference
from autotl.run.folder import write_whole

REGISTRY = "registry"
VERSIONS = "versions"
BUNDLE = "bundle"
VERSION = "version.json"
HISTORY = "history.jsonl"
LOCK = ".lock"
SCHEMA = 1

UNFINISHED = ".unfinished"
WAIT_SECONDS = 120.0  # for somebody else who is promoting

_LEFT_BEHIND = (f"{EVIDENCE}/{EXAMPLES}",)  # content of the data: a version is passed on, the run folder is not
_NOT_THE_MODEL = (CARD, METRICS, DESCRIPTION, *_LEFT_BEHIND)  # files that may differ between two versions of one model


@dataclass(frozen=True)
class SignOff:
    """Who decided, when and why.

    Attributes:
        at: ISO 8601, with the zone.
        gates: the figures that were required and met, in words.
    """

    by: str
    at: str
    reason: str
    gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Move:
    """A line of the history: an alias came to point at a version.

    Attributes:
        previous: the version that it pointed at before.
        record: SHA-256 of the version.json that was signed off.
    """

    event: Literal["promote", "rollback"]
    alias: str
    version: int
    previous: int | None
    by: str
    at: str
    reason: str
    gates: tuple[str, ...]
    record: str


@dataclass(frozen=True)
class Version:
    """A promoted model. `record` is all of its version.json."""

    model: str
    number: int
    folder: Path
    record: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.model}:{self.number}"

    @property
    def bundle_folder(self) -> Path:
        """Where its bundle lies."""
        return self.folder / BUNDLE


class Registry:
    """The promoted models of one folder. Everything is read when it is asked for: others may be promoting."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = home_folder() / REGISTRY if folder is None else folder

    def models(self) -> list[str]:
        """Names of the models, sorted."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{HISTORY}"))

    def history(self, model: str) -> list[Move]:
        """Every promotion and rollback of a model, oldest first.

        Raises:
            UsageError: there is no such model.
            StorageError: the history cannot be read.
        """
        path = self.folder / model / HISTORY
        if model not in self.models():
            raise UsageError(f"{self.folder} has no model {model!r}. {self._menu(model)}")
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            return [Move(**{**line, "gates": tuple(line["gates"])}) for line in lines]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{path} cannot be read: {error!r}") from error

    def numbers(self, model: str) -> list[int]:
        """The versions that were ever signed off, oldest first; none of a model that is not there."""
        return sorted({move.version for move in self.history(model)}) if model in self.models() else []

    def version(self, model: str, number: int) -> Version:
        """A version, its version.json checked and its other files not.

        Raises:
            UsageError: there is no such version; those that there are, are listed.
            StorageError: version.json is not the one that was signed off, or of another schema.
        """
        digests = {move.version: move.record for move in self.history(model)}
        if number not in digests:
            there = ", ".join(str(each) for each in sorted(digests))
            raise UsageError(f"{model} has no version {number}. There are: {there}.")
        folder = self.folder / model / VERSIONS / str(number)
        path = folder / VERSION
        if not path.is_file() or sha256_of(path) != digests[number]:
            raise StorageError(f"{path} is missing or not the file that was signed off.")
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise StorageError(
                f"{path} was written by another version of autotl: its schema is {record['schema']}, this one reads "
                f"{SCHEMA}."
            )
        return Version(model, number, folder, record)

    def aliases(self, model: str) -> dict[str, int]:
        """Alias -> the version that it points at."""
        return {move.alias: move.version for move in self.history(model)}

    def find(self, reference: Reference) -> Version:
        """The version that is meant, without checking its files.

        Raises:
            UsageError: no such model, alias or version; those that there are, are listed.
        """
        aliases = self.aliases(reference.model)
        if reference.alias is not None and reference.alias not in aliases:
            raise UsageError(
                f"{reference.model} has no alias {reference.alias!r}. {suggestion(reference.alias, aliases)}"
            )
        number = reference.version if reference.alias is None else aliases[reference.alias]
        assert number is not None, "one of both is there"
        return self.version(reference.model, number)

    def open(self, reference: Reference) -> Bundle:
        """The bundle that is meant, every file of it checked.

        Raises:
            UsageError: there is no such thing.
            StorageError: a file is not the one that was signed off; it is named.
        """
        version = self.find(reference)
        verify(version)
        return open_bundle(version.bundle_folder)

    def add(self, model: str, bundle: Bundle, record: Mapping[str, Any], *, alias: str, sign_off: SignOff) -> Version:
        """Makes a version of a bundle and points the alias at it; a version that is the same already is taken as it is.

        Args:
            record: where the bundle came from (`source`) and its `figures`; becomes part of version.json.
        Raises:
            StorageError: no right to write, a full disk, a bundle that changes meanwhile.
        """
        with self._locked(model):
            same = self._same(model, bundle, record)
            if same is not None:
                self._refuse_standing(same, alias)
            version = self._make(model, bundle, record, alias, sign_off) if same is None else same
            self._append("promote", version, alias, sign_off)
        return version

    def point(self, version: Version, *, alias: str, sign_off: SignOff) -> None:
        """Points an alias at a version that is there.

        Raises:
            UsageError: it does already.
            StorageError: a file of the version is not the one that was signed off.
        """
        with self._locked(version.model):
            self._refuse_standing(version, alias)
            verify(version)
            self._append("promote", version, alias, sign_off)

    def roll_back(self, model: str, *, alias: str, to: int | None, sign_off: SignOff) -> Version:
        """Points an alias at the version before, or at an earlier one.

        A second time goes one further back, not to where the first came from.

        Args:
            to: a version that the alias has pointed at.
        Raises:
            UsageError: there is nothing to go back to.
            StorageError: a file of that version is not the one that was signed off; the alias stays.
        """
        current = self.find(Reference(model, alias)).number
        with self._locked(model):
            earlier = _stack(self.history(model), alias)[:-1]
            if not earlier:
                raise UsageError(
                    f"{model}@{alias} is version {current} and has been no other that it could go back to."
                )
            number = earlier[-1] if to is None else to
            if number not in earlier or number == current:
                there = ", ".join(str(each) for each in sorted(set(earlier)))
                raise UsageError(
                    f"{model}@{alias} cannot go back to version {number}: before version {current} it was {there}. "
                    f"To point it anywhere else: autotl promote {model}:{number} --alias {alias}"
                )
            version = self.find(Reference(model, version=number))
            verify(version)
            self._append("rollback", version, alias, sign_off)
        return version

    def _same(self, model: str, bundle: Bundle, record: Mapping[str, Any]) -> Version | None:
        """A whole version of the same trial with the same model and figures."""
        files = _of_the_model(_digests(bundle.path))
        for number in reversed(self.numbers(model)):
            try:
                version = self.version(model, number)
                verify(version)
            except StorageError:  # a damaged one is left alone, and a new one made
                continue
            known = all(version.record[name] == _plain(record)[name] for name in ("source", "figures"))
            if known and _of_the_model(version.record["files"]) == files:
                return version
        return None

    def _refuse_standing(self, version: Version, alias: str) -> None:
        moves = [move for move in self.history(version.model) if move.alias == alias]
        if moves and moves[-1].version == version.number:
            raise UsageError(f"{version.model}@{alias} is version {version.number} already, by {moves[-1].by}.")

    def _make(self, model: str, bundle: Bundle, record: Mapping[str, Any], alias: str, sign_off: SignOff) -> Version:
        place = self.folder / model / VERSIONS
        taken = {int(path.name) for path in place.iterdir() if path.name.isdecimal()}
        number = max(taken, default=0) + 1  # of a promotion that was cut off, too: numbers are used once
        unfinished = place / UNFINISHED
        try:
            shutil.rmtree(unfinished, ignore_errors=True)  # of a promotion that was cut off: nobody else holds the lock
            for name in _names(bundle.path):
                if name in _LEFT_BEHIND:
                    continue
                write_whole(unfinished / BUNDLE / name, (bundle.path / name).read_bytes())
            _sign(unfinished / BUNDLE, f"{model}:{number}", alias, sign_off)
            open_bundle(unfinished / BUNDLE)  # what was copied is what its own digests vouch for
            whole = {
                "schema": SCHEMA,
                "model": model,
                "version": number,
                **record,
                "sign_off": {"alias": alias, **asdict(sign_off)},
                "files": _digests(unfinished / BUNDLE),
            }
            write_whole(unfinished / VERSION, json.dumps(whole, indent=1).encode())
            for path in unfinished.rglob("*"):
                if path.is_file():
                    path.chmod(0o444)  # against slips of the hand; the digests are against everything else
            unfinished.rename(place / str(number))
        except OSError as error:
            raise StorageError(f"{place / str(number)} could not be written: {error.strerror}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return Version(model, number, place / str(number), _plain(whole))

    def _append(self, event: Literal["promote", "rollback"], version: Version, alias: str, sign_off: SignOff) -> None:
        path = self.folder / version.model / HISTORY
        before = path.read_bytes() if path.is_file() else b""
        move = Move(
            event,
            alias,
            version.number,
            self.aliases(version.model).get(alias) if before else None,
            **asdict(sign_off),
            record=sha256_of(version.folder / VERSION),
        )
        line = json.dumps(asdict(move), ensure_ascii=False)
        write_whole(path, before + f"{line}\n".encode())

    @contextmanager
    def _locked(self, model: str) -> Iterator[None]:
        folder = self.folder / model
        try:
            (folder / VERSIONS).mkdir(parents=True, exist_ok=True)
            with FileLock(folder / LOCK, timeout=WAIT_SECONDS):
                yield
        except Timeout as error:
            raise StorageError(f"somebody else has been promoting {model} for {WAIT_SECONDS:.0f} seconds.") from error
        except PermissionError as error:
            raise StorageError(f"the registry {folder} cannot be written to: {error.strerror}") from error

    def _menu(self, model: str) -> str:
        models = self.models()
        return suggestion(model, models) if models else "It is empty: autotl promote RUN --alias production --reason …"


def verify(version: Version) -> None:
    """Compares every file of a version with what was signed off.

    Raises:
        StorageError: one is changed, missing or added; it is named.
    """
    expected: Mapping[str, str] = version.record["files"]
    found = set(_names(version.bundle_folder))
    for name in sorted(found | set(expected)):
        path = version.bundle_folder / name
        if name not in found or name not in expected or sha256_of(path) != expected[name]:
            raise StorageError(
                f"{path} is not the file that was signed off as {version}, so the model is not used. "
                "Promote its run again, or go back: autotl rollback"
            )


def _stack(moves: Sequence[Move], alias: str) -> list[int]:
    """The versions that an alias has come through, the current one last; a rollback takes off what it undid."""
    stack: list[int] = []
    for move in moves:
        if move.alias != alias:
            continue
        if move.event == "promote":
            stack.append(move.version)
        else:
            while stack and stack[-1] == move.previous:
                stack.pop()
            while stack and stack[-1] != move.version:
                stack.pop()
    return stack


def _sign(bundle: Path, version: str, alias: str, sign_off: SignOff) -> None:
    """Writes into the card who signed the model off, and the card's digest into the bundle's description."""
    gates = "\n".join(f"- Required and met: {gate}" for gate in sign_off.gates) or "- No figure was required."
    signed = (
        f"\n## Sign-off\n\n- Version: {version}, promoted as {alias}\n- By: {sign_off.by}\n- At: {sign_off.at}\n"
        f"- Reason: {sign_off.reason}\n{gates}\n"
    )
    card = bundle / CARD
    write_whole(card, card.read_bytes() + signed.encode())
    description = json.loads((bundle / DESCRIPTION).read_text(encoding="utf-8"))
    description["files"][CARD] = sha256_of(card)
    write_whole(bundle / DESCRIPTION, json.dumps(description, indent=1).encode())


def _names(folder: Path) -> list[str]:
    """Files under a folder by their relative names; whatever is not a folder counts, links too."""
    if not folder.is_dir():
        return []
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )


def _digests(folder: Path) -> dict[str, str]:
    return {name: sha256_of(folder / name) for name in _names(folder)}


def _of_the_model(files: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if name not in _NOT_THE_MODEL}


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from JSON."""
    read: dict[str, Any] = json.loads(json.dumps(record))
    return read
