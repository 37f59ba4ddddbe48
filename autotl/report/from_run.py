"""A report's values from what a run folder holds; nothing is computed that was not stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from autotl.report.values import ReportValues
from autotl.run import RunFolder, Study
from autotl.run.folder import STUDY


def report_values(run: RunFolder, leaderboard: Mapping[str, Any]) -> ReportValues:
    """Values of the run's report.

    Args:
        leaderboard: the content of its leaderboard.json.
    Raises:
        StorageError: the database cannot be read.
    """
    study = Study(run.path / STUDY)
    try:
        facts, curves = study.facts(), study.curves()
    finally:
        study.close()
    summary = facts.get("data", {})
    return ReportValues(
        task=facts.get("task", {}),
        leaderboard=leaderboard,
        setting=facts.get("setting", {}),
        data={name: value for name, value in summary.items() if name in ("notes", "broken")}
        | {"domains": _domains(summary)},
        findings=facts.get("findings", []),
        headline=facts.get("headline", {}),
        curves=curves,
        confusion=facts.get("confusion"),
        space=facts.get("space", {}),
        timing=facts.get("timing", {}),
        calibration=facts.get("calibration"),
        refit=facts.get("refit"),
        gap=facts.get("gap"),
        versions=facts.get("versions", {}),
        reproduce=facts.get("reproduce", []),
        partial=facts.get("partial"),
        generated=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def _domains(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Counts per class where the labels are known to the search, plain counts where not."""
    return [
        {
            "name": name,
            "role": "target" if name == "target" else "source",
            "splits": {
                split: counts["classes"] if "classes" in counts else counts["rows"]
                for split, counts in splits.items()
                if isinstance(counts, Mapping) and "rows" in counts
            },
        }
        for name, splits in summary.get("domains", {}).items()
    ]
