"""The contract of `leaderboard.json` (`docs/run-folder.md`), as a list of what is wrong with a given content."""

import json
import math
from collections.abc import Mapping
from typing import Any

HEAD = ("schema", "task", "metric", "higher_is_better", "regime", "versions", "trials")
ROW = {
    "trial": int,
    "status": str,
    "winner": bool,
    "baseline": (str, type(None)),
    "baseline_of": (str, type(None)),
    "plan": dict,
    "score": (dict, type(None)),
    "scores": dict,
    "guards": dict,
    "tie_group": (int, type(None)),
    "epochs": int,
    "seconds": dict,
    "params": (int, type(None)),
    "model_mb": (int, float, type(None)),
    "latency_ms": (int, float, type(None)),
    "latency_estimated": bool,
    "failure": (str, type(None)),
    "test": (dict, type(None)),
    "refit_test": (dict, type(None)),
}
EXTRA = {
    "flops": (int, type(None)),
    "reason": (str, type(None)),
    "memory_mb": (int, float, type(None)),
    "gpu_mb": (int, float, type(None)),
    "attempt": int,
    "asked_batch_size": (int, type(None)),
    "extracted": int,
    "repeat_of": (int, type(None)),
    "seeds": (dict, type(None)),
    "epsilon": (int, float),
}
PLAN = ("backbone", "tap", "unfrozen_layers", "learning_rate", "head", "adaptation")  # and what its modality adds
SECONDS = {"features", "train", "score", "propose", "overhead"}
STATUSES = ("complete", "pruned", "failed", "skipped", "running")
KINDS = ("few_labels", "validation", "cross_validation", "label_free")
REGIMES = KINDS


def problems(content: Mapping[str, Any]) -> list[str]:
    """Everything that a reader of `leaderboard.json` could stumble over; empty when the contract is kept."""
    found = [f"missing key: {key}" for key in HEAD if key not in content]
    found += [f"unknown key: {key}" for key in content if key not in HEAD]
    if found:
        return found
    if content["schema"] != 1:
        found.append(f"schema is {content['schema']!r}")
    if content["regime"] not in REGIMES:
        found.append(f"regime is {content['regime']!r}")
    try:
        json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:
        found.append(f"not plain JSON: {error}")
    rows = content["trials"]
    for row in rows:
        found += [f"trial {row.get('trial')}: {problem}" for problem in _problems_of_row(row)]
    return found or _problems_of_order(rows)


def _problems_of_row(row: Mapping[str, Any]) -> list[str]:
    found = [f"missing key: {key}" for key in ROW if key not in row]
    found += [f"unknown key: {key}" for key in row if key not in ROW and key not in EXTRA]
    if found:
        return found
    for key, kinds in {**ROW, **EXTRA}.items():
        if key in row and not isinstance(row[key], kinds):
            found.append(f"{key} is {row[key]!r}")
        if key in row and isinstance(row[key], bool) and kinds is not bool:
            found.append(f"{key} is {row[key]!r}")
    if found:
        return found
    if row["status"] not in STATUSES:
        found.append(f"status is {row['status']!r}")
    if set(row["seconds"]) != SECONDS or not all(_is_number(spent) for spent in row["seconds"].values()):
        found.append(f"seconds are {row['seconds']!r}")
    found += [f"plan lacks {key}" for key in PLAN if key not in row["plan"]]
    if "adaptation" in row["plan"] and "method" not in row["plan"]["adaptation"]:
        found.append("plan.adaptation has no method")
    if row["baseline"] and row["baseline_of"]:
        found.append("both baseline and baseline_of")
    if (row["failure"] is None) == (row["status"] in ("failed", "skipped")):
        found.append(f"status {row['status']} with failure {row['failure']!r}")
    if row["score"] is not None:
        found += _problems_of_score(row["score"], row["status"])
    if row["status"] == "complete" and row["score"] is None:
        found.append("complete without a score")
    for key in ("test", "refit_test"):
        if row[key] is not None:
            found += _problems_of_interval(row[key], key)
    found += [f"scores.{name} is {value!r}" for name, value in row["scores"].items() if not _is_number_or_none(value)]
    if row["winner"] and row["status"] != "complete":
        found.append("a winner that is not complete")
    return found


def _problems_of_score(score: Mapping[str, Any], status: str) -> list[str]:
    kinds = KINDS
    found = [] if score.get("kind") in kinds else [f"score.kind is {score.get('kind')!r}"]
    if score.get("kind") == "label_free" and (score.get("low"), score.get("high")) != (None, None):
        found.append("a label-free score with an interval")
    return found + _problems_of_interval(score, "score")


def _problems_of_interval(figure: Mapping[str, Any], name: str) -> list[str]:
    missing = [f"{name} lacks {key}" for key in ("value", "low", "high") if key not in figure]
    if missing:
        return missing
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    if not all(_is_number_or_none(end) for end in (value, low, high)):
        return [f"{name} is {dict(figure)!r}"]
    ends = [end for end in (low, value, high) if end is not None]
    return [] if ends == sorted(ends) else [f"{name} has its value outside of its interval: {dict(figure)!r}"]


def _problems_of_order(rows: list[Mapping[str, Any]]) -> list[str]:
    found = []
    places = [STATUSES.index(row["status"]) for row in rows]
    if places != sorted(places):
        found.append(f"not best first: {[row['status'] for row in rows]}")
    winners = [row["trial"] for row in rows if row["winner"]]
    candidates = [row["trial"] for row in rows if row["tie_group"] is not None]
    if len(winners) != (1 if candidates else 0):
        found.append(f"winners: {winners}")
    if winners and rows[0]["trial"] != winners[0]:
        found.append(f"the winner {winners[0]} does not stand first")
    numbers = [row["trial"] for row in rows]
    if len(set(numbers)) < len(numbers):
        found.append("a trial stands twice")
    names = [row["baseline"] for row in rows if row["baseline"]]
    if len(set(names)) < len(names):
        found.append(f"a baseline's name on several rows: {names}")
    groups = [row["tie_group"] for row in rows if row["tie_group"] is not None]
    if groups != sorted(groups):
        found.append(f"tie groups out of order: {groups}")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_number(value)
