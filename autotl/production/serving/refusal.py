"""Why a request is not answered with a prediction."""

from collections.abc import Sequence


class RefusalError(Exception):
    """A status of the 4xx kind (503 while stopping), a sentence, and every mistake where there are several.

    Attributes:
        retry_after: seconds after which asking again makes sense; None where it makes none.
    """

    def __init__(
        self, status: int, sentence: str, *, mistakes: Sequence[str] = (), retry_after: int | None = None
    ) -> None:
        self.status = status
        self.sentence = sentence
        self.mistakes = tuple(mistakes)
        self.retry_after = retry_after
        super().__init__(sentence)
