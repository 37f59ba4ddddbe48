"""The trials worth a thought for whoever must trade score against latency and size."""

from collections.abc import Sequence

from autotl.leaderboard.ranking import pareto_front
from autotl.report.entries import Entry
from autotl.report.values import Json

MOST_ON_THE_FRONT = 20


def front(entries: Sequence[Entry], leaderboard: Json, *, higher_is_better: bool) -> list[Entry]:
    """Trials that no other beats in score, latency and size at once, best score first; none where nothing is to trade:
    fewer than two of them, or neither latencies nor sizes known."""
    rows = leaderboard.get("trials", [])
    if not any(entry.latency_ms or entry.model_mb for entry in entries):
        return []
    unbeaten = set(pareto_front(rows, higher_is_better=higher_is_better))
    found = [entry for entry in entries if entry.trial in unbeaten and entry.score is not None]
    ordered = sorted(found, key=lambda entry: entry.score.value if entry.score else 0.0, reverse=higher_is_better)
    return ordered[:MOST_ON_THE_FRONT] if len(ordered) > 1 else []
