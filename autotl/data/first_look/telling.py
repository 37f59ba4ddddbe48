"""What is said of data of every kind: modality, encoding, what is to be learnt, groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotl.data.column_roles import Columns, group_columns, is_quantity, why_not_divided
from autotl.data.draft import Draft
from autotl.data.label_lists import look_like_lists
from autotl.data.modality import Guess
from autotl.errors import DataError

ENCODINGS = ("utf-8", "cp1252", "latin-1")  # tried in this order; the last one reads everything


@dataclass(frozen=True)
class Asked:
    """What a person says of the data beside where they are; None where it is to be told from the data."""

    label: str | None = None
    modality: str | None = None
    input: str | None = None


def put_modality(draft: Draft, asked: Asked, guess: Guess, path: Path) -> str:
    """The modality as the person says, or as the data tell."""
    if asked.modality is not None:
        draft.put("modality", asked.modality)
        return asked.modality
    if guess.modality is None:
        words = f"{path}: the modality is not clear: {guess.reason}"
        raise DataError(f"{words}. Name it: --modality image, text, table or signal.")
    draft.put("modality", guess.modality, guess.reason)
    draft.say(f"Modality: {guess.modality}, because {guess.reason}.")
    return guess.modality


def put_encoding(draft: Draft, found: Sequence[str]) -> None:
    """The encoding of texts where it is none that everybody expects."""
    other = next((encoding for encoding in found if encoding != "utf-8"), None)
    if other is not None:
        draft.put("encoding", other, "the bytes are not UTF-8; is every accent as it should be?")
        draft.say(f"The text is not UTF-8; it is read as {other}. Check a few accents.")


def put_problem(draft: Draft, label: str, cells: Sequence[str]) -> bool:
    """Says what is to be learnt where the labels are no classes; returns whether they are."""
    if is_quantity(cells):
        draft.put("problem", "regression", f"{label} holds numbers that hardly repeat: a quantity, and no classes")
        draft.say("The labels are numbers that hardly repeat: learnt as numbers, not as classes.")
        return False
    if look_like_lists(cells):
        draft.put(
            "problem", "multilabel", f"{label} holds lists of labels; if each is a class of its own: classification"
        )
        draft.say("The labels are lists of names: an example may bear several of them, or none.")
        return False
    return True


def put_group(draft: Draft, others: Columns, labels: Sequence[str] | None, lacking: Mapping[str, str]) -> None:
    """The coarsest column of groups that can be divided; one that cannot is shown with the reason."""
    why_not: dict[str, str] = {}
    for name in group_columns(others):
        why = lacking.get(name) or why_not_divided(others[name], labels)
        if why is None:
            count = len(set(others[name]))
            draft.put("data.columns.group", name, f"{count:,} of them: the rows of one stay on one side of every split")
            draft.say(f"Grouped by {name!r} ({count:,}): what is tested on was never trained on in another row.")
            return
        why_not[name] = why
    for name, why in list(why_not.items())[:1]:
        draft.offer("data.columns.group", name, f"keeps what belongs together on one side; not done: {why}")
        draft.say(f"Column {name!r} looks like a group, but {why}: rows of one may stand in training and in test.")
