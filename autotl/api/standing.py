"""The leaderboard while a search is still going: whoever looks in, or finds a killed run, sees what there is."""

import json
import time
from typing import Any

from autotl import leaderboard
from autotl.errors import StorageError
from autotl.run import RunFolder, Study
from autotl.run.folder import LEADERBOARD_CSV, LEADERBOARD_JSON, STUDY
from autotl.run.study import ENDED, reading
from autotl.search.events import Event, Listener, SearchStarted, TrialEnded, TrialStarted

REST = 20.0  # times what the last writing took: so much of the driver's time at most goes into it


def keep_standing(run: RunFolder, study: Study, listen: Listener) -> Listener:
    """A listener that writes leaderboard.json anew when trials have begun or ended, and passes every event on.

    The file holds all trials, so its cost grows with them: between two writings there is a pause of many times what the
    last one took, and the next event after the pause brings the file up to date. Whoever reads a run that has not ended
    reads the study (`read_leaderboard`), where every trial stands at once.
    """
    facts = study.facts()
    is_behind, not_before = False, 0.0

    def note(event: Event) -> None:
        nonlocal is_behind, not_before
        is_behind = is_behind or isinstance(event, SearchStarted | TrialStarted | TrialEnded)
        if is_behind and (started := time.monotonic()) >= not_before:
            write_leaderboard(run, _standing(study.trials(), facts), facts)
            is_behind, not_before = False, time.monotonic() + REST * (time.monotonic() - started)
        listen(event)

    return note


def _standing(rows: list[dict[str, Any]], facts: dict[str, Any]) -> list[dict[str, Any]]:
    return leaderboard.standing(rows, higher_is_better=facts["higher_is_better"])


def write_leaderboard(run: RunFolder, rows: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, Any]:
    """leaderboard.json and .csv from rows in their order and the run's facts; returns the content of the former."""
    content = _content(rows, facts)
    run.write(LEADERBOARD_JSON, json.dumps(content, indent=1))
    run.write(LEADERBOARD_CSV, leaderboard.as_csv(rows))
    return content


def _content(rows: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, Any]:
    return leaderboard.as_json(
        rows,
        task=facts["task"]["name"],
        metric=facts["task"]["metric"],
        higher_is_better=facts["higher_is_better"],
        regime=facts["regime"],
        versions=facts["versions"],
    )


def read_leaderboard(run: RunFolder) -> dict[str, Any]:
    """leaderboard.json of a run; where its search has not ended, or was killed, what would be written there now.

    Raises:
        StorageError: it is missing or cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(run.read(LEADERBOARD_JSON))
    except FileNotFoundError as error:
        why = "its search ended before the first trial began, or has not come so far"
        words = f"{run.path} holds no {LEADERBOARD_JSON}: {why}."
        raise StorageError(words) from error
    except (OSError, ValueError) as error:
        raise StorageError(f"{run.path / LEADERBOARD_JSON} cannot be read: {error}") from error
    return _as_it_stands(run) or content


def _as_it_stands(run: RunFolder) -> dict[str, Any] | None:
    """The leaderboard of a run that has not ended; None of one that has, or without its study."""
    if not run.has(STUDY):
        return None
    try:
        with reading(run.path / STUDY) as study:
            facts = study.facts()
            return None if ENDED in facts else _content(_standing(study.trials(), facts), facts)
    except (StorageError, KeyError):  # no more than the file can be had
        return None
