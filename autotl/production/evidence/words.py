"""Texts: an excerpt, and the words that decide.

Paper: Li, Monroe & Jurafsky, "Understanding neural networks through representation erasure", 2016 (arXiv:1612.08220).
"""

import re
from itertools import pairwise
from typing import Any

import numpy as np

from autotl.production.evidence.covering import Question, cover

METHOD = "erasure: words are taken out one at a time, in long texts several next to each other"
MOST_PARTS = 40  # that a text is cut into
LONGEST_WORD = 24  # characters; what has no spaces is cut
PIECE = 4
MOST_SHOWN = 420  # characters of an excerpt
_WORD = re.compile(rf"\S{{1,{LONGEST_WORD}}}(?!\S)|\S{{1,{PIECE}}}")


def shown(text: str) -> dict[str, Any]:
    """The beginning of a text."""
    more = len(text) > MOST_SHOWN
    return {"kind": "words", "parts": [[text[:MOST_SHOWN], 0.0]], "cut_before": False, "cut_after": more}


def looked_at(text: str, question: Question, index: int) -> dict[str, Any]:
    """What an answer hangs on.

    Returns:
        What `shown` does, with parts `[text, lost]` of the stretch where most is decided (as `Effect` says); `before`
        and `after`, the answer to the whole text and without the part that matters most; `place`, that part. An empty
        mapping for a text of one word.
    """
    spans = parts_of(text)
    if len(spans) < 2:
        return {}
    without = [text[:start] + text[end:] for start, end in spans]
    effect = cover(question, np.array([text], dtype=object), np.array(without, dtype=object), index)
    lost = effect.lost
    most = effect.most
    first, last = _window(spans, lost)
    return {
        "parts": [
            [text[start : spans[place + 1][0] if place < last else end], effect.written(float(lost[place]))]
            for place, (start, end) in enumerate(spans)
            if first <= place <= last
        ],
        "cut_before": first > 0,
        "cut_after": last < len(spans) - 1,
        "before": effect.before,
        "after": float(effect.after[most]),
        "place": text[slice(*spans[most])],
    }


def parts_of(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end; of more than `MOST_PARTS`, runs of as many words each."""
    words = [match.span() for match in _WORD.finditer(text)]
    bounds = np.linspace(0, len(words), min(len(words), MOST_PARTS) + 1).round().astype(int).tolist()
    return [(words[begin][0], words[end - 1][1]) for begin, end in pairwise(bounds)]


def _window(spans: list[tuple[int, int]], lost: Any) -> tuple[int, int]:
    """The parts, next to each other, that fit into an excerpt and matter most: first and last."""
    best, chosen, last = -1.0, (0, 0), 0
    for first in range(len(spans)):
        last = max(last, first)
        while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= MOST_SHOWN:
            last += 1
        weight = float(np.abs(lost[first : last + 1]).sum())
        if weight > best + 1e-9:
            best, chosen = weight, (first, last)
    return chosen
