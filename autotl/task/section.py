"""What every mapping of the file is: frozen and strict, with contradictions told where they stand."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class ContradictionError(ValueError):
    """Keys that are fine alone and wrong together. Each item: the path inside the mapping, and the words."""

    def __init__(self, items: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        self.items = tuple(items)
        super().__init__("; ".join(words for _, words in self.items))


class Section(BaseModel):
    """A mapping of the file: unknown keys are mistakes, values keep their written type, nothing changes later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
