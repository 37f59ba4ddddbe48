"""Where words go: data and results to standard output, everything else to standard error."""

import sys

from rich.console import Console


def screen() -> Console:
    """What the user asked for."""
    return Console()


def errors() -> Console:
    """What the user must know beside it."""
    return Console(stderr=True)


def say(words: str) -> None:
    """A line, written as it is: foreign text is no markup, and a long path is never wrapped."""
    screen().print(words, markup=False, highlight=False, soft_wrap=True)


def warn(words: str) -> None:
    """A line beside the results."""
    errors().print(words, markup=False, highlight=False, soft_wrap=True)


def tell_error(words: str) -> None:
    """Why a command ended without what was asked of it."""
    errors().print(words, style="red", markup=False, highlight=False, soft_wrap=True)


def write_data(text: str) -> None:
    """Text for another program, without a word of ours."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
