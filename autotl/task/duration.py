"""Durations as people write them: `90s`, `30m`, `2h`, `1h30m`, `1d`."""

import re
from datetime import timedelta

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FORM = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_LONGEST = timedelta(days=365)


def parse_duration(written: object) -> timedelta:
    """The duration in these words.

    Raises:
        ValueError: no duration, nothing or more than a year; the message says how to write one.
    """
    match = _FORM.fullmatch(written) if isinstance(written, str) and written else None
    if match is None:
        raise ValueError(f"{written!r} is not a duration. Write 90s, 30m, 2h or 1h30m.")
    seconds = sum(int(number[:9] or 0) * unit for number, unit in zip(match.groups("0"), _UNITS.values(), strict=True))
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise ValueError(f"{written!r} is out of range. Allowed: from 1s to {_LONGEST.days}d.")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest words that `parse_duration` reads back to it: `1h30m`."""
    rest, words = int(duration.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        count, rest = divmod(rest, seconds)
        words += f"{count}{unit}" if count else ""
    return words or "0s"
