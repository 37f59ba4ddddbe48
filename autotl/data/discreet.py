"""What may be told of data with protected examples: how many there are, and nothing that is counted among them."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from autotl.data.examples import TaskData
from autotl.task import Task, is_protected


def discreet(task: Task, data: TaskData, *, key: bytes) -> TaskData:
    """The same data with a summary that any reader of a report may see, and without what the audit found.

    Args:
        key: without it nobody can tell from the fingerprint whether the data are ones that he has.
    """
    summary = dict(data.summary)
    domains = cast(Mapping[str, Mapping[str, Mapping[str, Any]]], summary["domains"])
    told = {
        name: {split: _told(part) for split, part in parts.items()} if is_protected(task, name) else dict(parts)
        for name, parts in domains.items()
    }
    fingerprint = hmac.new(key, f"data {summary['fingerprint']}".encode(), hashlib.sha256).hexdigest()[:32]
    summary |= {"domains": told, "broken": [], "skipped": 0, "examples": {}, "fingerprint": fingerprint}
    return replace(data, summary=summary, findings=())


def _told(part: Mapping[str, Any]) -> dict[str, Any]:
    """Of a split of protected examples all but how many there are of each class."""
    return {name: value for name, value in part.items() if name != "classes"}
