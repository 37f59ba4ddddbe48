"""Signals as windows of equal length, from arrays of windows or cut from long tables of samples.

The samples are held once as float32 and a window is a place among them, so that overlapping windows cost no memory.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from autotl.data.auditing.codes import MAX_BROKEN_SHARE
from autotl.data.date_text import date_form, read_date
from autotl.data.examples import Finding, Rows
from autotl.data.images import digest_of
from autotl.data.labels import CLASSES, LabelKind
from autotl.data.number_text import number_notation, read_numbers
from autotl.data.tables import Table, TableError
from autotl.errors import DataError

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

SHORTEST = 4  # samples; less is a row of a table, not a signal
LONGEST = 10_000_000  # samples in a window, all channels together: 40 MB
MOST_CHANNELS = 1_000
GAP = 1.5  # a step longer than so many usual ones lacks a sample
SAME_RATE = 1.02  # units whose usual steps differ by less are sampled alike
CROWDED = 0.5  # a step shorter than so many usual ones is no even sampling
_BLOCK_VALUES = 4_000_000  # looked at together
_SHOWN = 20


class BrokenWindowsError(Exception):
    """These values are no windows; the message completes the sentence 'the array …'."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one length over samples that stand in memory once."""

    samples: Samples  # (total, channels)
    starts: NDArray[np.int64]  # (n,) first sample of each window
    length: int  # samples in a window
    ids: tuple[str, ...]
    digests: tuple[str, ...]  # of each window's values and shape
    channels: tuple[str, ...] = ()  # names in order, where the data has them
    origin: str = "the signal"  # begins a message, for example the path as the task has it

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, int]:
        """(time, channels) of one window."""
        return self.length, self.samples.shape[1]

    def read(self, rows: Rows) -> Samples:
        """Windows, float32 (len(rows), time, channels)."""
        if not len(rows):
            return np.empty((0, *self.shape), dtype=np.float32)
        # a view of every place a window could start at: picking from it needs no table of sample numbers
        everywhere = np.lib.stride_tricks.sliding_window_view(self.samples, self.shape)[:, 0]
        return np.ascontiguousarray(everywhere[self.starts[rows]])

    def take(self, rows: Rows) -> "Windows":
        """These windows only, in this order; samples that none of them covers are let go."""
        covered = _covered(self.starts[rows], self.length, len(self.samples))
        place = np.cumsum(covered) - 1
        return replace(
            self,
            samples=self.samples if covered.all() else self.samples[covered],
            starts=place[self.starts[rows]].astype(np.int64),
            ids=tuple(self.ids[row] for row in rows.tolist()),
            digests=tuple(self.digests[row] for row in rows.tolist()),
        )

    def renamed(self, ids: Sequence[str]) -> "Windows":
        """The same windows under other ids."""
        return replace(self, ids=tuple(ids))


def join_windows(several: Sequence[Windows]) -> Windows:
    """One after the other as one domain.

    Raises:
        DataError: their shapes or channels differ; names both.
    """
    if len(several) == 1:
        return several[0]
    check_alike(several)
    first = several[0]
    offsets = np.cumsum([0, *(len(part.samples) for part in several)])
    return Windows(
        np.concatenate([part.samples for part in several]),
        np.concatenate([part.starts + offset for part, offset in zip(several, offsets, strict=False)]),
        first.length,
        tuple(name for part in several for name in part.ids),
        tuple(digest for part in several for digest in part.digests),
        next((part.channels for part in several if part.channels), ()),
        ", ".join(dict.fromkeys(part.origin for part in several)),
    )


def check_alike(several: Sequence[Windows]) -> None:
    """That windows have one shape and the same channels in one order, so that one model can take them all.

    Raises:
        DataError: they have not; names both.
    """
    first = several[0]
    for other in several[1:]:
        if other.shape != first.shape:
            seen = " and ".join(f"those of {part.origin} {_in_words(part.shape)}" for part in (first, other))
            raise DataError(f"windows must have one shape: {seen}. Cut or resample one of them to match the other.")
        if first.channels and other.channels and other.channels != first.channels:
            seen = " and ".join(f"{part.origin} has {', '.join(part.channels)}" for part in (first, other))
            raise DataError(f"signals must have the same channels in one order: {seen}.")


def samples_from_array(values: NDArray[np.generic]) -> Samples:
    """An array of windows as float32 (n, time, channels); one without channels gets a single one.

    Raises:
        BrokenWindowsError: no such array; the message completes the sentence 'the array …'.
    """
    if values.dtype.hasobject:
        raise BrokenWindowsError(f"holds {_of_objects(values)}. Cut or pad them to one length and save plain numbers")
    if values.dtype.kind not in "iuf":
        raise BrokenWindowsError(f"holds values of type {values.dtype}. Signals are float or whole numbers")
    if values.ndim not in (2, 3):
        raise BrokenWindowsError(f"has shape {values.shape}. Windows are (n, time) or (n, time, channels)")
    time, channels = values.shape[1], values.shape[2] if values.ndim == 3 else 1
    if not time or not channels or time < SHORTEST:
        raise BrokenWindowsError(f"holds windows of {_in_words((time, channels))}. At least {SHORTEST} samples")
    if channels > MOST_CHANNELS or time * channels > LONGEST:
        allowed = f"At most {MOST_CHANNELS:,} channels and {LONGEST:,} values a window: cut the windows shorter"
        swapped = " or put time before channels" if channels > time else ""
        raise BrokenWindowsError(f"holds windows of {_in_words((time, channels))}. {allowed}{swapped}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is found as broken
        return np.ascontiguousarray(values.reshape(len(values), time, channels), dtype=np.float32)


def windows_from_samples(
    samples: Samples, *, ids: Sequence[str], channels: Sequence[str] = (), origin: str = "the signal"
) -> Windows:
    """An array (n, time, channels) as windows.

    Raises:
        ValueError: not one id a window.
    """
    count, time, width = samples.shape
    if len(ids) != count:
        raise ValueError(f"{count} windows need as many ids, got {len(ids)}.")
    flat = samples.reshape(count * time, width)
    starts = np.arange(count, dtype=np.int64) * time
    return Windows(flat, starts, time, tuple(ids), _digests(flat, starts, time), tuple(channels), origin)


@dataclass(frozen=True)
class Inspection:
    """What one look at every window tells.

    Attributes:
        broken: row → why it cannot be used, completing the sentence 'the window …'.
        constant: rows whose channels never change.
        dead_channels: channels that never change in any window, by name or number.
    """

    broken: Mapping[int, str]
    constant: tuple[int, ...]
    dead_channels: tuple[str, ...]

    def usable(self, count: int) -> Rows:
        """Of so many rows, those that are not broken."""
        return np.array([row for row in range(count) if row not in self.broken], dtype=np.int64)


def inspect_windows(windows: Windows) -> Inspection:
    """Looks at every window, a block at a time."""
    broken: dict[int, str] = {}
    constant: list[int] = []
    alive = np.zeros(windows.shape[1], dtype=bool)
    for rows, block in _blocks(windows):
        finite = np.isfinite(block)
        sound = finite.all(axis=(1, 2))
        for index in np.flatnonzero(~sound).tolist():
            broken[int(rows[index])] = _not_finite(block[index], finite[index], windows.channels)
        changes = (block != block[:, :1]).any(axis=1)
        alive |= changes[sound].any(axis=0)
        constant += rows[sound & ~changes.any(axis=1)].tolist()
    dead = () if len(broken) + len(constant) == len(windows) else np.flatnonzero(~alive).tolist()
    names = tuple(windows.channels[index] if windows.channels else str(index) for index in dead)
    return Inspection(broken, tuple(constant), names)


def window_findings(windows: Windows, seen: Inspection, *, where: str) -> list[Finding]:
    """What an inspection found: broken windows are a warning up to 1 % of all, above that an error."""
    findings: list[Finding] = []
    total = len(windows)
    if seen.broken:
        listed = tuple(f"{windows.ids[row]} {why}" for row, why in list(seen.broken.items())[:_SHOWN])
        share = len(seen.broken) / total
        words = f"{where}: {len(seen.broken):,} of {total:,} windows ({share:.2%}) cannot be used"
        if share <= MAX_BROKEN_SHARE:
            message = f"{words} and were skipped: {'; '.join(listed[:3])}."
            findings.append(Finding("broken_window", "warning", message, listed))
        else:
            hint = f"Repair them: up to {MAX_BROKEN_SHARE:.0%} are skipped. Or 'audit: {{allow: [broken_window]}}'."
            findings.append(Finding("broken_window", "error", f"{words}: {'; '.join(listed[:3])}. {hint}", listed))
    if seen.constant:
        ids = tuple(windows.ids[row] for row in seen.constant[:_SHOWN])
        words = f"{where}: {len(seen.constant):,} of {total:,} windows never change, such as {ids[0]}."
        findings.append(Finding("constant_window", "warning", f"{words} Was the sensor off?", ids))
    if seen.dead_channels:
        words = f"channels that never change in any window: {', '.join(seen.dead_channels)}. A model learns nothing."
        findings.append(Finding("constant_channel", "warning", f"{where}: {words}", seen.dead_channels))
    return findings


def _not_finite(window: Samples, finite: NDArray[np.bool_], channels: Sequence[str]) -> str:
    sample, channel = np.argwhere(~finite)[0].tolist()
    which = f", channel {channels[channel] if channels else channel}" if window.shape[1] > 1 else ""
    count = int((~finite).sum())
    kind = "NaN" if np.isnan(window[sample, channel]) else "infinite"
    return f"holds values that are no number: {count:,}, the first at sample {sample}{which}: {kind}"


def _blocks(windows: Windows) -> Iterator[tuple[Rows, Samples]]:
    size = max(1, _BLOCK_VALUES // (windows.shape[0] * windows.shape[1]))
    for start in range(0, len(windows), size):
        rows = np.arange(start, min(start + size, len(windows)), dtype=np.int64)
        yield rows, windows.read(rows)


def _digests(samples: Samples, starts: NDArray[np.int64], length: int) -> tuple[str, ...]:
    header = repr((length, samples.shape[1])).encode()
    return tuple(digest_of(header + samples[start : start + length].tobytes()) for start in starts.tolist())


def _covered(starts: NDArray[np.int64], length: int, total: int) -> NDArray[np.bool_]:
    """(total,) whether any window holds the sample."""
    edges = np.zeros(total + 1, dtype=np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + length, -1)
    return np.cumsum(edges[:-1]) > 0


def _in_words(shape: tuple[int, int]) -> str:
    samples, channels = shape
    return f"{samples:,} samples x {channels:,} channel{'s' if channels != 1 else ''}"


def _of_objects(values: NDArray[np.generic]) -> str:
    lengths = sorted({len(value) for value in values.ravel()[:1_000].tolist() if hasattr(value, "__len__")})
    if len(lengths) > 1:
        return f"windows of unequal length, from {lengths[0]:,} to {lengths[-1]:,} samples"
    return "Python objects, as NumPy keeps windows of unequal length"


@dataclass(frozen=True)
class SignalColumns:
    """Which columns of a long table hold what; all others are channels.

    Attributes:
        time: seconds, or dates; None where the rows are one even sampling.
        unit: the machine or record that a sample belongs to; None where the whole table is one.
        label: of each sample; None where the table has none.
        group: units that must stay on one side of every split; None: each unit is its own group.
        drop: columns to leave out.
    """

    time: str | None = None
    unit: str | None = None
    label: str | None = None
    group: str | None = None
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class CutSignal:
    """Windows cut from a long table.

    Attributes:
        labels: per window what most of its samples bear, of two equally frequent the earlier one; numbers: their mean.
        groups: per window its unit, or the group that its unit belongs to. Overlapping windows share samples and are
            always of one group.
        mixed: rows whose samples bear several labels; `mixed_findings` tells of them where labels may be known.
        findings: of the samples and their times; nothing here depends on a label.
    """

    windows: Windows
    labels: tuple[str, ...] | None
    groups: tuple[str, ...]
    mixed: tuple[int, ...]
    findings: tuple[Finding, ...]


def cut_table(
    table: Table,
    columns: SignalColumns,
    *,
    window: int,
    stride: int | None,
    where: str,
    origin: str,
    kind: LabelKind = CLASSES,
) -> CutSignal:
    """Cuts every unit of a long table into windows.

    A window crosses neither units nor gaps: where a step in time is longer than 1.5 or shorter than 0.5 usual ones
    (the unit's median) a segment ends, and what is left of it after its last whole window is not used. The rows of
    a unit may be mixed with those of others but stand in the order of time.

    Args:
        window: samples.
        stride: samples from one window's start to the next one's; None: as long as the window, so that none overlap.
        where: place in the task, the beginning of a message.
        origin: name of the table; also the group where there is no unit.
        kind: what a label is.
    Raises:
        DataError: a column is not there or holds no numbers, time goes back, a unit of two groups, or no window fits.
    """
    place = f"{where}: {origin}"
    stride = window if stride is None else stride
    _check_lengths(window, stride, place)
    names = _channels(table, columns, place)
    units = _units(table, columns, origin)
    groups = _groups(table, columns, units, place)
    labels = _labels(table, columns, kind, place)
    time = None if columns.time is None else _times(table, columns.time, place)
    order = np.argsort(units.number, kind="stable")
    segments = [
        segment
        for rows in np.split(order, np.cumsum(np.bincount(units.number))[:-1])
        for segment in _segments(rows, time, units.names[units.number[rows[0]]], table, place)
    ]
    starts = [(segment, offset) for segment in segments for offset in range(0, len(segment.rows) - window + 1, stride)]
    findings = (
        *_gap_findings(segments, table, place),
        *_rate_findings(segments, place),
        *_short_findings(segments, units, window, place),
    )
    if not starts:
        longest = max(len(segment.rows) for segment in segments)
        reasons = " ".join(finding.message.removeprefix(f"{place}: ") for finding in findings[:1])
        words = f"no window of {window:,} samples fits: the longest stretch without a gap has {longest:,}."
        raise DataError(f"{place}: {words} Write a shorter 'window'. {reasons}".strip())
    samples = np.empty((len(table.lines), len(names)), dtype=np.float32)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is found as broken
        for channel, name in enumerate(names):
            samples[:, channel] = _channel(table, name, place)[order]
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    firsts = np.array([place_of[segment.rows[offset]] for segment, offset in starts], dtype=np.int64)
    rows_of = [segment.rows[offset : offset + window] for segment, offset in starts]
    ids = tuple(_named(units, segment, offset) for segment, offset in starts)
    told, mixed = (None, ()) if labels is None else kind.of_windows(labels, rows_of)
    return CutSignal(
        Windows(samples, firsts, window, ids, _digests(samples, firsts, window), tuple(names), origin),
        told,
        tuple(groups[segment.unit] for segment, _ in starts),
        mixed,
        findings,
    )


def mixed_findings(cut: CutSignal, *, where: str) -> list[Finding]:
    """Windows across a change of label. Only for labels that the search may know."""
    if not cut.mixed:
        return []
    ids = tuple(cut.windows.ids[row] for row in cut.mixed[:_SHOWN])
    words = f"{len(cut.mixed):,} of {len(cut.windows):,} windows hold samples of several labels, such as {ids[0]}"
    message = f"{where}: {cut.windows.origin}: {words}. Each bears the label of most of its samples."
    return [Finding("mixed_window", "warning", message, ids)]


@dataclass(frozen=True)
class _Units:
    """Names in the order of their first rows, and which one each row belongs to."""

    names: tuple[str, ...]
    number: NDArray[np.int64]
    are_given: bool


@dataclass(frozen=True)
class _Segment:
    """Rows of one unit that follow each other evenly."""

    unit: str
    rows: Rows
    offset: int  # of its first row within the unit
    after_gap: bool
    step: float = 0.0  # the unit's usual step in time; 0 where it is not known


def _check_lengths(window: int, stride: int, place: str) -> None:
    if not SHORTEST <= window <= LONGEST:
        raise DataError(f"{place}: a window of {window:,} samples is not allowed. From {SHORTEST} to {LONGEST:,}.")
    if stride < 1:
        raise DataError(f"{place}: a stride of {stride:,} samples is not allowed. 1 or more.")


def _channels(table: Table, columns: SignalColumns, place: str) -> list[str]:
    """The columns that hold samples; all named ones must be there."""
    named = {"time": columns.time, "unit": columns.unit, "label": columns.label, "group": columns.group}
    try:
        for meaning, name in named.items():
            if name is not None:
                table.column(name, meaning=meaning)
        for name in columns.drop:
            table.column(name, meaning="dropped")
    except TableError as error:
        raise DataError(f"{place}: {error}") from error
    left = [name for name in table.columns if name not in {*named.values(), *columns.drop}]
    if not left:
        raise DataError(f"{place}: no column of samples is left. Its columns: {', '.join(table.columns)}.")
    if len(left) > MOST_CHANNELS:
        raise DataError(f"{place}: {len(left):,} columns of samples are too many. At most {MOST_CHANNELS:,}.")
    if not len(table.lines):
        raise DataError(f"{place}: holds no rows below its header.")
    return left


def _channel(table: Table, name: str, place: str) -> Floats:
    """Samples; NaN where the cell is empty or a word for missing, which breaks the windows that hold it."""
    cells = table.columns[name]
    values, fits = _numbers(cells)
    if not fits.all():
        row = int(np.flatnonzero(~fits)[0])
        words = f"line {table.lines[row]}: column {name!r}: {cells[row]!r} is no number"
        more = f" ({int((~fits).sum()):,} such cells)" if (~fits).sum() > 1 else ""
        hint = f"Samples are numbers: repair it, or leave the column out with data.columns: {{drop: [{name}]}}."
        raise DataError(f"{place}: {words}{more}. {hint}")
    return values


def _numbers(cells: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """Values, and whether each cell is a number or a word for missing."""
    try:
        return np.fromiter(map(float, cells), dtype=np.float64, count=len(cells)), np.ones(len(cells), dtype=bool)
    except ValueError:  # not all are plain numbers, as they nearly always are
        return read_numbers(cells, number_notation(cells, np.ones(len(cells), dtype=np.int64))[0])


def _times(table: Table, name: str, place: str) -> Floats:
    """Seconds, from numbers as they are or from dates."""
    cells = table.columns[name]
    values, fits = _numbers(cells)
    if not fits.all():
        form, _ = date_form(cells, np.ones(len(cells), dtype=np.int64))
        moments = [read_date(cell, form) for cell in cells]
        origin = next((moment for moment in moments if moment is not None), None)
        if origin is not None:
            values = np.array([np.nan if m is None else (m - origin).total_seconds() for m in moments])
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        words = f"line {table.lines[wrong[0]]}: column {name!r}: {cells[wrong[0]]!r} is no time."
        raise DataError(f"{place}: {words} Expected a number of seconds, or a date such as 2024-01-31 14:30:00.")
    return values


def _units(table: Table, columns: SignalColumns, origin: str) -> _Units:
    if columns.unit is None:
        return _Units((origin,), np.zeros(len(table.lines), dtype=np.int64), are_given=False)
    numbers: dict[str, int] = {}
    number = [numbers.setdefault(unit, len(numbers)) for unit in table.columns[columns.unit]]
    return _Units(tuple(numbers), np.array(number, dtype=np.int64), are_given=True)


def _groups(table: Table, columns: SignalColumns, units: _Units, place: str) -> dict[str, str]:
    """The group of each unit: its own name unless the table names groups. A unit never belongs to two."""
    if columns.group is None:
        return {name: name for name in units.names}
    groups: dict[str, str] = {}
    for number, group, line in zip(units.number.tolist(), table.columns[columns.group], table.lines, strict=True):
        unit = units.names[number]
        if groups.setdefault(unit, group) != group:
            words = f"line {line}: {unit!r} belongs to the groups {groups[unit]!r} and {group!r}."
            raise DataError(f"{place}: {words} One unit is one record and stays on one side: name its parts as units.")
    return groups


def _labels(table: Table, columns: SignalColumns, kind: LabelKind, place: str) -> Sequence[str] | None:
    if columns.label is None:
        return None
    try:
        return kind.written(table.columns[columns.label], table.lines, column=columns.label)
    except TableError as error:
        raise DataError(f"{place}: {error}") from error


def _segments(rows: Rows, time: Floats | None, unit: str, table: Table, place: str) -> Iterator[_Segment]:
    """The even stretches of one unit, whose rows these are."""
    if time is None or len(rows) < 2:
        yield _Segment(unit, rows, 0, after_gap=False)
        return
    steps = np.diff(time[rows])
    back = np.flatnonzero(steps <= 0)
    if len(back):
        here, before = rows[back[0] + 1], rows[back[0]]
        seen = f"time {time[here]:.12g} of {unit!r} comes after {time[before]:.12g} (line {table.lines[before]})"
        hint = "Sort the rows of each unit by time, once each; or name what tells records apart as data.columns.unit."
        raise DataError(f"{place}: line {table.lines[here]}: {seen}. {hint}")
    usual = float(np.median(steps))
    ends = np.flatnonzero((steps > GAP * usual) | (steps < CROWDED * usual)) + 1
    bounds = [0, *ends.tolist(), len(rows)]
    for begin, end in pairwise(bounds):
        yield _Segment(unit, rows[begin:end], begin, after_gap=begin > 0, step=usual)


def _gap_findings(segments: Sequence[_Segment], table: Table, place: str) -> list[Finding]:
    after = [segment for segment in segments if segment.after_gap]
    if not after:
        return []
    lines = tuple(f"line {table.lines[segment.rows[0]]} of {segment.unit!r}" for segment in after[:_SHOWN])
    words = f"places where time does not go on evenly: {len(after):,}, first before {lines[0]}"
    return [Finding("uneven_time", "warning", f"{place}: {words}. No window reaches across.", lines)]


def _rate_findings(segments: Sequence[_Segment], place: str) -> list[Finding]:
    """Units that were sampled faster or slower than others."""
    timed = [segment for segment in segments if segment.step]
    if not timed:
        return []
    fast, slow = min(timed, key=lambda segment: segment.step), max(timed, key=lambda segment: segment.step)
    if slow.step <= SAME_RATE * fast.step:
        return []
    words = f"units differ in sampling: a step of {fast.step:g} in {fast.unit!r}, of {slow.step:g} in {slow.unit!r}"
    hint = "Resample them to one rate, or a window means another length of time in each."
    return [Finding("sampling_rate", "warning", f"{place}: {words}. {hint}", (fast.unit, slow.unit))]


def _short_findings(segments: Sequence[_Segment], units: _Units, window: int, place: str) -> list[Finding]:
    samples: Counter[str] = Counter()
    for segment in segments:
        samples[segment.unit] = max(samples[segment.unit], len(segment.rows))
    short = tuple(unit for unit in units.names if samples[unit] < window)
    if not short or not units.are_given:
        return []
    words = f"{len(short):,} of {len(units.names):,} units give no window of {window:,} samples, such as {short[0]!r}"
    return [Finding("short_unit", "warning", f"{place}: {words} ({samples[short[0]]:,}).", short[:_SHOWN])]


def _named(units: _Units, segment: _Segment, offset: int) -> str:
    sample = f"sample {segment.offset + offset}"
    return f"{segment.unit} {sample}" if units.are_given else sample
