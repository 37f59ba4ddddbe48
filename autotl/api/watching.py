"""`watch`: whether fresh inputs are still what a model was made for."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.api.quiet import import_keras
from autotl.api.signing_off import open_model
from autotl.errors import DataError, GateNotMetError, UsageError, suggestion
from autotl.production.bundle import METRICS, PORTRAIT
from autotl.scoring.gap import FEWEST_ROWS
from autotl.scoring.watching import VERDICTS, Compared, Verdict, judge
from autotl.scoring.watching.verdict import FEW_ROWS
from autotl.scoring.watching.verdict import Name as VerdictName

MOST_ROWS = 2_000


@dataclass(frozen=True)
class Watched:
    """Fresh inputs beside the domain that a model was made for.

    Attributes:
        model: as it was named.
        features: what they are compared by, in words.
        given: examples in the data; found.rows of them were compared.
        skipped: examples that cannot be read, with the reason.
    """

    model: str
    classes: tuple[str, ...]
    features: str
    given: int
    skipped: tuple[str, ...]
    found: Compared
    verdict: Verdict

    @property
    def sentences(self) -> list[str]:
        """What a person should know, the most important first."""
        lines = [self.verdict.sentence, *(f"- {reason.sentence}" for reason in self.verdict.reasons)]
        if not self.found.now:
            lines.append("How far off the model is, only labels can tell: label some of these inputs to measure it.")
        if self.found.rows < FEW_ROWS:
            lines.append(f"With {self.found.rows} examples only large changes can be seen; give {FEW_ROWS} or more.")
        if self.found.rows < self.given - self.found.left_out:
            lines.append(f"{self.found.rows:,} of {self.given:,} examples were compared, drawn at random.")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = self.found
        return {
            "schema": 1,
            "model": self.model,
            "verdict": self.verdict.name,
            "reasons": [asdict(reason) for reason in self.verdict.reasons],
            "examples": {
                "given": self.given,
                "compared": found.rows,
                "left_out": found.left_out,
                "skipped": list(self.skipped),
            },
            "features": self.features,
            "a_distance": asdict(found.a_distance),
            "unlike": asdict(found.unlike),
            "mean_shift": found.mean_shift,
            "accuracy": {
                "measured": found.accuracy,
                "estimated_then": dict(found.then),
                "estimated_now": dict(found.now),
                "fall": None if found.fall is None else asdict(found.fall),
            },
            "class_mix": self._class_mix() if found.mix_now else None,
            "answers": [asdict(answer) for answer in found.answers],
            "columns": [asdict(column) for column in found.columns],
        }

    def _class_mix(self) -> dict[str, Any]:
        found = self.found
        mix = zip(self.classes, found.mix_then, found.mix_now, found.mix_low, found.mix_high, strict=True)
        return {
            "total_variation": found.mix_moved,
            "p_value": found.mix_chance,
            "classes": [dict(zip(("name", "then", "now", "low", "high"), each, strict=True)) for each in mix],
        }


def watch(model: Path | str, data: Path | str) -> Watched:
    """Compares unlabelled inputs with the domain that a bundle or a promoted model was made for. No label is read.

    Args:
        data: as `predict` takes it.
    Raises:
        UsageError: there is no such model, or it carries no portrait.
        DataError: nothing there, or too few examples.
        StorageError: a file of the model is not the one that was written.
    """
    bundle = open_model(model)
    if PORTRAIT not in bundle.description["files"] and "privacy" in bundle.read_json(METRICS):
        raise UsageError(
            f"{model} is private: a portrait of its training domain would be one more look at protected examples, so "
            "there is nothing to compare with."
        )
    if PORTRAIT not in bundle.description["files"]:
        raise UsageError(
            f"{model} carries no portrait of its training domain: it was written by an earlier version, or that domain "
            f"has too few examples. Promote its trial again: autotl promote RUN/TRIAL"
        )
    import_keras()  # before the rooms below, which would import TensorFlow with its greeting
    from autotl.production.portrait import look, read_portrait
    from autotl.production.prediction import read_inputs
    from autotl.scoring.components import sampled
    from autotl.scoring.watching import compare

    portrait = read_portrait(bundle)
    assert portrait is not None, "its description names one"
    inputs, skipped = read_inputs(bundle, Path(data))
    if len(inputs) < FEWEST_ROWS:
        raise DataError(f"{data}: {len(inputs)} examples are too few to compare. Give {FEWEST_ROWS} or more.")
    seen = look(bundle.load_model(), inputs, sampled(len(inputs), MOST_ROWS))
    try:
        found = compare(portrait, seen.features, seen.said, table=seen.table)
    except ValueError as error:
        raise DataError(f"{data}: {error}") from error
    verdict = judge(found, bundle.classes)
    return Watched(str(model), bundle.classes, portrait.features, len(inputs), skipped, found, verdict)


def checked_verdict(written: str) -> VerdictName:
    """The worst verdict that will do.

    Raises:
        UsageError: there is no such verdict, or none is worse.
    """
    for name in VERDICTS[:-1]:
        if name == written:
            return name
    raise UsageError(f"--require {written}: is no verdict to require. {suggestion(written, VERDICTS[:-1])}")


def refuse_unless(watched: Watched, required: VerdictName) -> None:
    """Raises a GateNotMetError where the verdict is worse than the one that is required."""
    if not watched.verdict.is_met(required):
        raise GateNotMetError(f"--require {required}: the verdict is {watched.verdict.name}.")
