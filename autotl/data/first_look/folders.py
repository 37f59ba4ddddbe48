"""What class folders seem to hold: images or texts, and whose labels are known."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from autotl.data.auditing.codes import MAX_BROKEN_SHARE
from autotl.data.draft import Draft
from autotl.data.first_look.telling import ENCODINGS, Asked, put_encoding, put_modality
from autotl.data.layout import Layout
from autotl.data.listing import FILES
from autotl.data.modality import folder_facts, guess_modality
from autotl.data.texts import BrokenTextError, read_text_file
from autotl.errors import DataError


def describe_folders(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    """Puts the modality, and what class folders tell of labels."""
    for option in ("label", "input"):
        if (name := getattr(asked, option)) is not None:
            words = f"{domains[0].train[0]} is a folder, whose class folders are the labels: it has no {name!r}."
            raise DataError(f"{words} Leave out --{option}, or name a table.")
    trains = [path for layout in domains for path in layout.train]
    files = {path: [name for _, _, names in os.walk(path) for name in names] for path in trains if path.is_dir()}
    modality = put_modality(draft, asked, guess_modality([folder_facts(names) for names in files.values()]), trains[0])
    if modality not in FILES:
        raise DataError(
            f"{trains[0]}: a folder holds images or texts. For modality {modality} name a table or an array."
        )
    suffixes = FILES[modality][1]
    if modality == "text":
        texts = [
            root / name for path in trains for root, name in _files_below(path) if Path(name).suffix.lower() in suffixes
        ]
        put_encoding(draft, [_text_encoding(texts)])
    target = domains[0]
    if len(domains) > 1 and not any(_has_class_folders(path, suffixes) for path in target.train):
        draft.put("data.target.labels", "none", "the target's labels are not known: all is learnt from the sources")
    if target.test and not any(_has_class_folders(path, suffixes) for path in target.test):
        draft.forget_test(f"{target.test[0]} holds no class folders, so nothing says what is right")
    return modality


def _files_below(path: Path) -> Iterator[tuple[Path, str]]:
    for root, _, names in os.walk(path):
        yield from ((Path(root), name) for name in sorted(names))


def _has_class_folders(path: Path, suffixes: frozenset[str]) -> bool:
    return any(root != path and Path(name).suffix.lower() in suffixes for root, name in _files_below(path))


def _text_encoding(files: Sequence[Path]) -> str:
    """The first encoding in which nearly all the texts can be read."""
    for encoding in ENCODINGS:
        broken = sum(_cannot_read(file, encoding) for file in files[:: max(1, len(files) // 1_000)])
        if broken <= MAX_BROKEN_SHARE * min(len(files), 1_000):
            return encoding
    return ENCODINGS[0]


def _cannot_read(file: Path, encoding: str) -> bool:
    try:
        read_text_file(file, encoding)
    except BrokenTextError as error:
        return encoding in str(error)  # too large or gone is no matter of the encoding
    return False
