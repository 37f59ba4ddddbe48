"""What came of the plans that a search began with because they did well elsewhere."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def sentences_of_beginning(rows: Sequence[Mapping[str, Any]], begun_with: Sequence[Mapping[str, Any]]) -> list[str]:
    """How far these plans carried, and what the search found beyond; nothing where it began with none.

    Args:
        rows: of the leaderboard, the best first.
        begun_with: `{plan, origin}` of each.
    """
    wanted = {_key(each["plan"], None): each["origin"] for each in begun_with}
    complete = [row for row in rows if row["status"] == "complete" and row["baseline"] is None]
    begun = [row for row in complete if _key_of(row) in wanted]
    if not begun:
        return []
    own = [row for row in rows if row["baseline"] is None and row["status"] != "skipped" and _key_of(row) not in wanted]
    best = begun[0]
    better = [row for row in complete[: complete.index(best)] if row in own]
    origin = wanted[_key_of(best)]
    where = "our portfolio" if origin == "portfolio" else f"what did best on {origin}"
    start = f"Of the plans that the search began with, trial {best['trial']}, from {where}, was the best"
    if not own:
        return [f"{start}; no other plan was tried."]
    if not better:
        return [f"{start}, and none of the {_counted(len(own), 'plan')} that the search proposed itself was better."]
    first = min(row["trial"] for row in better)
    before = sum(row["trial"] < first for row in own)
    passed = "the first plan" if before == 0 else f"after {_counted(before, 'other plan')}, one"
    return [f"{start}; {passed} that the search proposed itself was better: trial {first}."]


def _key_of(row: Mapping[str, Any]) -> str:
    return _key(row["plan"], row["asked_batch_size"])


def _key(plan: Mapping[str, Any], asked_batch_size: int | None) -> str:
    """Equal for plans that were asked for as the same, their seeds aside."""
    asked = {} if asked_batch_size is None else {"batch_size": asked_batch_size}
    return json.dumps({**plan, **asked, "seed": None}, sort_keys=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
