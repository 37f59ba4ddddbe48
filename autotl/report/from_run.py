"""A report's values from what a run folder holds."""

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from autotl.production.bundle import EVIDENCE, EXAMPLES, EXAMPLES_FORMAT
from autotl.report.sections.board import MOST_ROWS
from autotl.report.values import ReportValues
from autotl.report.wording import duration
from autotl.run import RunFolder
from autotl.run.folder import STUDY, WINNER
from autotl.run.study import ENDED, reading

_log = logging.getLogger(__name__)


def report_values(run: RunFolder, leaderboard: Mapping[str, Any]) -> ReportValues:
    """Values of the run's report; its search may still be going.

    Args:
        leaderboard: the content of its leaderboard.json.
    Raises:
        StorageError: the database cannot be read.
    """
    with reading(run.path / STUDY) as study:
        facts = study.facts()
        curves = study.curves(row["trial"] for row in leaderboard["trials"][:MOST_ROWS])
    summary = facts.get("data", {})
    return ReportValues(
        task=facts.get("task", {}),
        leaderboard=leaderboard,
        setting=facts.get("setting", {}),
        data={name: value for name, value in summary.items() if name in ("notes", "broken", "houses")}
        | {"domains": _domains(summary)},
        findings=facts.get("findings", []),
        headline=facts.get("headline", {}),
        curves=curves,
        confusion=facts.get("confusion"),
        space=facts.get("space", {}),
        timing=facts.get("timing", {}),
        calibration=facts.get("calibration"),
        evidence=facts.get("evidence") or {},
        examples=_examples(run),
        refit=facts.get("refit"),
        gap=facts.get("gap"),
        together=facts.get("together"),
        importance=facts.get("importance"),
        privacy=facts.get("privacy"),
        test=facts.get("test") or {},
        price=facts.get("price"),
        versions=facts.get("versions", {}),
        reproduce=facts.get("reproduce", []),
        partial=_why_partial(run, facts, leaderboard),
        generated=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def _why_partial(run: RunFolder, facts: Mapping[str, Any], leaderboard: Mapping[str, Any]) -> str | None:
    """Why this is not a whole run, in words; None where it is."""
    if ENDED in facts:
        broken_off, not_shipped = facts.get("partial"), facts.get("not_shipped")
        return f"The winner could not be shipped: {not_shipped}" if not_shipped and not broken_off else broken_off
    counts = Counter(row["status"] for row in leaderboard["trials"])
    going = counts.pop("running", 0)
    asked = (facts.get("task") or {}).get("budget", {}).get("trials")
    last = max(path.stat().st_mtime for path in run.path.glob(f"{STUDY}*"))
    return (
        f"Its search has not ended, or was killed: {counts.total()} trials had ended and {going} were going"
        f"{f', of {asked} asked for,' if asked else ''} when this page was made, "
        f"{duration(max(time.time() - last, 0.0))} after the last sign of life"
    )


def _examples(run: RunFolder) -> Any:
    """The examples that were kept beside the winner; None where there are none, or not as they were written."""
    place = f"{WINNER}/{EVIDENCE}/{EXAMPLES}"
    try:
        found = json.loads(run.read(place)) if run.has(place) else None
        return found if found is None or found["format"] == EXAMPLES_FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):
        _log.warning("%s cannot be read: the report shows no examples", run.path / place)
        return None


def _domains(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Counts per class, or where numbers lie, where the labels are known to the search; plain counts where not."""
    return [
        {
            "name": name,
            "role": "target" if name == "target" else "source",
            "splits": {
                split: counts["classes"] if "classes" in counts else counts["rows"]
                for split, counts in splits.items()
                if isinstance(counts, Mapping) and "rows" in counts
            },
            "several": {
                split: {"examples": counts["rows"], "without": counts["without"]}
                for split, counts in splits.items()
                if isinstance(counts, Mapping) and "without" in counts
            },
            "numbers": {
                split: counts["numbers"]
                for split, counts in splits.items()
                if isinstance(counts, Mapping) and "numbers" in counts
            },
        }
        for name, splits in summary.get("domains", {}).items()
    ]
