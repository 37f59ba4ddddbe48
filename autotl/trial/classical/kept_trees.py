"""How models of LightGBM's trees are kept: a description in JSON beside the trees' text."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from autotl.trial.classical.lightgbm_text import LARGEST_TEXT_BYTES, Trees
from autotl.trial.classical.native import all_of, as_bytes_array, bytes_of_array, file_named, must_have_classes

DESCRIPTION = "model.json"
TREES = "model.txt"


class KeptTrees(ABC):
    """A model that is whole with its description and its trees.

    Attributes:
        called: the kind of model as errors name one that is yet unknown, and one that was read.
        trees: None where only one class is present.
    """

    called: ClassVar[tuple[str, str]]
    classes: int
    trees: Trees | None

    @abstractmethod
    def _description(self) -> bytes:
        """All but the trees, as JSON."""

    @classmethod
    @abstractmethod
    def _read(cls, description: bytes, text: bytes) -> Self:
        """The model of a description and its trees' text, both checked; StorageError where they are not such."""

    def arrays(self) -> list[NDArray[Any]]:
        """The description and the trees' text, as bytes."""
        return [as_bytes_array(self._description()), as_bytes_array(self.trees.text if self.trees else b"")]

    @classmethod
    def from_arrays(cls, arrays: Sequence[NDArray[Any]], classes: int) -> Self:
        """The model that `arrays` was called on.

        Raises:
            StorageError: they are not such arrays, or of another number of classes.
        """
        one, this = cls.called
        description, text = (bytes_of_array(array, one) for array in all_of(arrays, 2, one))
        model = cls._read(description, text)
        must_have_classes(model.classes, classes, this)
        return model

    def native_files(self) -> dict[str, bytes]:
        """`model.json` and `model.txt` (LightGBM's text; none with one class only)."""
        return {DESCRIPTION: self._description()} | ({TREES: self.trees.text} if self.trees else {})

    @classmethod
    def from_native_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model of these files.

        Raises:
            StorageError: a file is missing or not what `native_files` writes.
        """
        text = file_named(files, TREES, largest_bytes=LARGEST_TEXT_BYTES) if TREES in files else b""
        return cls._read(file_named(files, DESCRIPTION), text)
