"""The leaderboard while a search is still going: whoever looks in, or finds a killed run, sees what there is."""

import json
from typing import Any

from autotl import leaderboard
from autotl.errors import StorageError
from autotl.run import RunFolder, Study
from autotl.run.folder import LEADERBOARD_CSV, LEADERBOARD_JSON
from autotl.search.events import Event, Listener, SearchStarted, TrialEnded, TrialStarted


def keep_standing(run: RunFolder, study: Study, listen: Listener) -> Listener:
    """A listener that writes leaderboard.json anew whenever a trial begins or ends, and then passes the event on."""
    facts = study.facts()

    def note(event: Event) -> None:
        if isinstance(event, SearchStarted | TrialStarted | TrialEnded):
            better = facts["higher_is_better"]
            write_leaderboard(run, leaderboard.standing(study.trials(), higher_is_better=better), facts)
        listen(event)

    return note


def write_leaderboard(run: RunFolder, rows: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, Any]:
    """leaderboard.json and .csv from rows in their order and the run's facts; returns the content of the former."""
    content = leaderboard.as_json(
        rows,
        task=facts["task"]["name"],
        metric=facts["task"]["metric"],
        higher_is_better=facts["higher_is_better"],
        regime=facts["regime"],
        versions=facts["versions"],
    )
    run.write(LEADERBOARD_JSON, json.dumps(content, indent=1))
    run.write(LEADERBOARD_CSV, leaderboard.as_csv(rows))
    return content


def read_leaderboard(run: RunFolder) -> dict[str, Any]:
    """leaderboard.json of a run.

    Raises:
        StorageError: it is missing or cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(run.read(LEADERBOARD_JSON))
    except FileNotFoundError as error:
        words = f"{run.path} holds no {LEADERBOARD_JSON}: its search ended before the first trial began."
        raise StorageError(words) from error
    except (OSError, ValueError) as error:
        raise StorageError(f"{run.path / LEADERBOARD_JSON} cannot be read: {error}") from error
    return content
