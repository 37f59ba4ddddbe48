"""What kind each column of a table is, decided on training rows alone.

A column is, in this order of trial,

- left out, with a warning: nothing in it, one value throughout, an identifier, or a copy of an earlier column;
- numeric: 95 % of its filled cells are numbers in one notation, or all are true/false. Few distinct whole numbers stay
  numbers; only whole numbers with leading zeros (`007`) are codes and become categories;
- a date: 95 % of its filled cells are dates of one form;
- categorical: everything else.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.cells import Cells, shortened
from autotl.data.date_text import DATE_PARTS, date_form, date_parts, read_date
from autotl.data.examples import Finding, Rows
from autotl.data.number_text import READ_AS_DECIMALS, Booleans, Floats, ambiguous_comma, number_notation, read_numbers
from autotl.data.records import Records
from autotl.data.schema import MAX_CATEGORIES, CategoricalColumn, DateColumn, NumericColumn, Schema
from autotl.errors import DataError

KIND_SHARE = 0.95  # of the filled cells; the others are read as missing and reported
IDENTIFIER_SHARE = 0.9  # of distinct texts among the filled cells
IDENTIFIER_ROWS = 20  # fewer rows tell no identifier from a feature
EXPECTED_REPEATS = 10.0  # whole numbers drawn at random would hold so many repeats; e^-10 is the chance of none
UNSEEN_SHARE = 0.01  # of categories that training has not; more are told
_SHOWN = 20


@dataclass(frozen=True)
class Fitted:
    """A schema, and what was noticed while fitting it."""

    schema: Schema
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]  # columns that the schema does not hold


def fit_schema(records: Records, rows: Rows, *, where: str, allow: Collection[str] = ()) -> Fitted:
    """Decides the kind of every column and all that encoding needs, from the training rows alone.

    Args:
        rows: the training rows.
        where: place in the task, the beginning of a message.
        allow: with `identifier`, columns that look like identifiers are kept.
    Raises:
        DataError: no column is left to learn from.
    """
    training = records.take(rows)
    findings: list[Finding] = []
    columns: list[NumericColumn | CategoricalColumn | DateColumn] = []
    contents: dict[bytes, str] = {}
    for name, cells in training.cells.items():
        column, noticed = _fit_column(_Sight(name, cells, training, f"{where}: column {name!r}"), allow)
        findings += noticed
        if column is None:
            continue
        content = _content(column, cells)
        twin = contents.setdefault(content, name)
        if twin != name:
            words = f"{where}: column {name!r} says the same as {twin!r} in every row. It was left out."
            findings.append(Finding("duplicate_column", "warning", words))
            continue
        columns.append(column)
    if not columns:
        reasons = " ".join(finding.message for finding in findings[:3])
        raise DataError(f"{where}: no column of {records.origin} is left to learn from. {reasons}")
    used = {column.name for column in columns}
    return Fitted(
        Schema(columns=tuple(columns)), tuple(findings), tuple(name for name in training.cells if name not in used)
    )


@dataclass(frozen=True)
class _Sight:
    """A column under inspection, with what its messages need."""

    name: str
    cells: Cells
    records: Records
    place: str

    def first(self, texts: Booleans) -> str:
        """The first cell of these texts: line and content."""
        row = int(np.flatnonzero(texts[self.cells.codes])[0])
        return f"line {self.records.lines[row]}: {shortened(self.cells.texts[self.cells.codes[row]])!r}"

    def finding(self, code: str, words: str) -> Finding:
        return Finding(code, "warning", f"{self.place}: {words}")

    def throughout(self, values: NDArray[Any], holds: Callable[[Any], bool]) -> bool:
        """Whether something holds for a value per row, or for those of each table that was joined: many number their
        rows anew."""
        begins = np.flatnonzero(np.diff(self.records.lines) <= 0) + 1  # lines begin anew with each table
        return holds(values) or (len(begins) > 0 and all(holds(part) for part in np.split(values, begins)))


_Outcome = tuple[NumericColumn | CategoricalColumn | DateColumn | None, list[Finding]]


def _fit_column(sight: _Sight, allow: Collection[str]) -> _Outcome:
    texts, counts = sight.cells.texts, sight.cells.counts()
    filled = np.array([bool(text.strip()) for text in texts], dtype=bool)
    if not filled.any():
        return None, [sight.finding("empty_column", f"all {len(sight.cells):,} cells are empty. It was left out.")]
    if len(texts) == 1:
        return None, [_constant(sight, texts[0])]
    notation, number_share = number_notation(texts, counts)
    if number_share >= KIND_SHARE and not _are_codes(texts):
        return _fit_numbers(sight, notation, allow)
    form, date_share = date_form(texts, counts)
    if date_share >= KIND_SHARE:
        return _fit_dates(sight, form)
    column, findings = _fit_categories(sight, filled, allow)
    if number_share >= 0.5 and not _are_codes(texts):
        strays = filled & ~read_numbers(texts, notation)[1]
        words = (
            f"{number_share:.0%} of its filled cells are numbers, the others are not, such as {sight.first(strays)}. "
            "It is read as text: repair them if it means numbers."
        )
        findings.insert(0, sight.finding("mixed_types", words))
    return column, findings


def _fit_numbers(sight: _Sight, notation: str, allow: Collection[str]) -> _Outcome:
    texts, codes = sight.cells.texts, sight.cells.codes
    values, fits = read_numbers(texts, notation)
    findings = _strays(sight, fits, "numbers")
    present = values[codes][~np.isnan(values[codes])]
    if not len(present):
        words = "none of its numbers is finite. It was left out."
        return None, [sight.finding("empty_column", words)]
    if len(present) == len(codes) and present.min() == present.max():
        return None, [_constant(sight, texts[0])]
    if "identifier" not in allow and len(present) == len(codes) and sight.throughout(present, _are_serial):
        words = (
            f"{len(present):,} whole numbers, none twice in a table: an identifier or a counter, not a feature. It was "
            "left out. If it is a feature, write 'audit: {allow: [identifier]}'."
        )
        return None, [sight.finding("identifier", words)]
    if ambiguous_comma(texts, notation) is not None:
        commas = np.array(["," in text for text in texts], dtype=bool)
        words = f"its commas, such as {sight.first(commas)}, {READ_AS_DECIMALS}"
        findings.append(sight.finding("ambiguous_numbers", words))
    return NumericColumn.model_validate(
        {"name": sight.name, "notation": notation, "median": float(np.median(present))}
    ), findings


def _fit_dates(sight: _Sight, form: str) -> _Outcome:
    texts, codes = sight.cells.texts, sight.cells.codes
    moments = [moment for text in texts if (moment := read_date(text, form)) is not None]
    origin = min(moments)
    values, fits = date_parts(texts, form, origin)
    findings = _strays(sight, fits, "dates")
    present = values[codes][~np.isnan(values[codes][:, 0])]
    parts = [part for index, part in enumerate(DATE_PARTS) if present[:, index].min() < present[:, index].max()]
    if not parts:
        if len(present) == len(codes):
            return None, [_constant(sight, texts[0])]
        parts = ["days"]  # one moment or none: that it is missing may still say something
    are_dates = fits & ~np.isnan(values[:, 0])
    if form == "31/01/2024" and all(read_date(texts[index], "01/31/2024") for index in np.flatnonzero(are_dates)):
        words = (
            f"its dates, such as {sight.first(are_dates)}, fit day/month and month/day alike; day/month is read. "
            "If they mean month/day, write them as 2024-01-31."
        )
        findings.append(sight.finding("ambiguous_dates", words))
    medians = [float(np.median(present[:, DATE_PARTS.index(part)])) for part in parts]
    content = {"name": sight.name, "form": form, "origin": origin.isoformat(), "parts": tuple(parts)}
    return DateColumn.model_validate({**content, "medians": tuple(medians)}), findings


def _fit_categories(sight: _Sight, filled: Booleans, allow: Collection[str]) -> _Outcome:
    texts, codes, counts = sight.cells.texts, sight.cells.codes, sight.cells.counts()
    rows = int(counts[filled].sum())
    distinct = int(filled.sum())
    if "identifier" not in allow and sight.throughout(np.where(filled, np.arange(len(texts)), -1)[codes], _are_names):
        words = (
            f"{distinct:,} different texts in {rows:,} filled cells, such as {sight.first(filled)}: an identifier or "
            "free text, not a category. It was left out. If it is a feature, write 'audit: {allow: [identifier]}'."
        )
        return None, [sight.finding("identifier", words)]
    by_count = sorted(np.flatnonzero(filled).tolist(), key=lambda index: (-counts[index], texts[index]))
    kept = by_count[:MAX_CATEGORIES]
    findings: list[Finding] = []
    if distinct > MAX_CATEGORIES:
        covered = int(counts[kept].sum()) / rows
        words = (
            f"{distinct:,} categories. The {MAX_CATEGORIES} most frequent, {covered:.0%} of the rows, are told apart."
        )
        findings.append(Finding("many_categories", "info", f"{sight.place}: {words}"))
    categories = tuple(sorted(texts[index] for index in kept))
    return CategoricalColumn(name=sight.name, categories=categories), findings


def _constant(sight: _Sight, text: str) -> Finding:
    return sight.finding("constant_column", f"every cell is {shortened(text)!r}. It was left out.")


def _strays(sight: _Sight, fits: Booleans, what: str) -> list[Finding]:
    if fits.all():
        return []
    count = int(sight.cells.counts()[~fits].sum())
    words = f"{count:,} of {len(sight.cells):,} cells are no {what}, such as {sight.first(~fits)}. Read as missing."
    return [sight.finding("mixed_types", words)]


def _are_codes(texts: Sequence[str]) -> bool:
    """Whole numbers of which some begin with a zero: postcodes, part numbers."""
    filled = [text.strip() for text in texts if text.strip()]
    return all(text.isdecimal() for text in filled) and any(text[0] == "0" and len(text) > 1 for text in filled)


def _are_names(codes: NDArray[np.int64]) -> bool:
    """Texts, by their code (negative where the cell is empty), of which nearly all are different."""
    filled = codes[codes >= 0]
    return len(filled) >= IDENTIFIER_ROWS and len(np.unique(filled)) >= IDENTIFIER_SHARE * len(filled)


def _are_serial(values: Floats) -> bool:
    """Whole numbers without a repeat, where numbers drawn at random from their range would surely hold some."""
    if len(values) < IDENTIFIER_ROWS or (values != np.floor(values)).any():
        return False
    spread = float(values.max() - values.min()) + 1
    return len(values) ** 2 / (2 * spread) >= EXPECTED_REPEATS and len(np.unique(values)) == len(values)


def _content(column: NumericColumn | CategoricalColumn | DateColumn, cells: Cells) -> bytes:
    """Digest of a column's values, equal for columns that tell the same; categories count by where they stand."""
    if column.kind == "categorical":
        _, first, inverse = np.unique(cells.codes, return_index=True, return_inverse=True)
        values = np.argsort(np.argsort(first))[inverse].astype(np.float32)
    else:
        values = column.encode(cells.texts)[0][cells.codes]
    return xxhash.xxh3_128_digest(column.kind.encode() + np.ascontiguousarray(values).tobytes())


def misfit_findings(records: Records, schema: Schema, *, where: str) -> list[Finding]:
    """Cells of other rows that a fitted schema cannot read or has never seen.

    Up to 5 % of unreadable cells in a column are a warning and count as missing, as in fitting; more are an error.
    """
    findings: list[Finding] = []
    _, misfits = schema.encode_cells(records.cells, len(records))
    for column in schema.columns:
        place, cells = f"{where}: column {column.name!r}", records.cells[column.name]
        rows = misfits[column.name]
        if len(rows):
            first = f"line {records.lines[rows[0]]}: {shortened(cells.texts[cells.codes[rows[0]]])!r}"
            words = f"{place}: {len(rows):,} of {len(records):,} cells do not fit, such as {first}."
            ids = tuple(records.ids[row] for row in rows[:_SHOWN].tolist())
            if len(rows) <= (1 - KIND_SHARE) * len(records):
                findings.append(Finding("mixed_types", "warning", f"{words} Read as missing.", ids))
            else:
                hint = f"Expected {column.expected}, as in training."
                findings.append(Finding("mixed_types", "error", f"{words} {hint}", ids))
        if column.kind == "categorical":
            findings += _unseen(column, cells, place)
    return findings


def _unseen(column: CategoricalColumn, cells: Cells, place: str) -> Iterator[Finding]:
    if len(column.categories) == MAX_CATEGORIES:
        return  # rare categories are left out on purpose
    known = set(column.categories)
    unseen = [index for index, text in enumerate(cells.texts) if text.strip() and text not in known]
    count = int(cells.counts()[unseen].sum())
    if count > UNSEEN_SHARE * len(cells):
        names = ", ".join(repr(shortened(cells.texts[index])) for index in unseen[:5])
        words = f"{place}: {count / len(cells):.0%} of the cells hold categories that training has not: {names}."
        yield Finding("unseen_categories", "warning", f"{words} A model can tell nothing from them.")
