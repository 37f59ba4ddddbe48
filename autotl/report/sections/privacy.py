"""Under which terms examples are protected, and who spent what of the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report.values import Json
from autotl.report.wording import counted

PURPOSES = {
    "training": "training of the trial",
    "score": "score of the trial",
    "final": "training of the model that ships",
    "test": "count on the test set",
}
WHOSE = {"train": "training", "validation": "validation", "all": "training and validation", "test": "test"}
SWITCHED_OFF = (
    "counts per class, the audit's findings and the names of examples",
    "curves, confusion, calibration, thresholds and single examples",
    "baselines, repeats, early stopping and the portrait that later inputs are compared with",
)


@dataclass(frozen=True)
class Spent:
    """A line of the ledger."""

    trial: int
    purpose: str
    rows: str
    epsilon: float
    time: str


@dataclass(frozen=True)
class Privacy:
    """The panel."""

    terms: Sequence[tuple[str, str]]
    spent: float
    epsilon: float
    ledger: Sequence[Spent]
    switched_off: Sequence[str]

    @property
    def share(self) -> float:
        """Of the budget that is spent, in per cent of it, as a width."""
        return round(100 * min(self.spent / self.epsilon, 1.0), 1)


def privacy(facts: Json | None) -> Privacy | None:
    """The panel of a private run; None of any other."""
    if not facts or "spent" not in facts:
        return None
    terms = [
        ("budget", f"epsilon {facts['epsilon']:g}, delta {facts['delta']:g}"),
        ("who is protected", f"each of {facts['protected']:,} examples that are learnt from, and each test example"),
        ("neighbouring", str(facts["relation"])),
        ("sampling", str(facts["sampling"])),
        ("accountant", str(facts["accountant"])),
        ("division", _division(facts)),
        ("training", _training(facts["training"])),
    ]
    ledger = [
        Spent(
            int(line["trial"]),
            PURPOSES.get(line["purpose"], str(line["purpose"])),
            WHOSE.get(line["rows"], str(line["rows"])),
            float(line["epsilon"]),
            str(line["time"]),
        )
        for line in facts.get("ledger", [])
    ]
    return Privacy(terms, float(facts["spent"]), float(facts["epsilon"]), ledger, SWITCHED_OFF)


def _training(told: Json) -> str:
    return f"{told['steps']} steps with noise of {told['noise_multiplier']:.3g} times what one example can add"


def _division(facts: Json) -> str:
    if not facts["pays_for_trials"]:
        return "the search rehearsed on public examples and spent nothing; the model that ships had the whole budget"
    if facts["trials"] == 1:
        return "one plan, so nothing was chosen: its training had the whole budget"
    return (
        f"{counted(int(facts['trials']), 'trial')} of epsilon {facts['epsilon_of_trial']:.3g} each, their scores of "
        f"{facts['epsilon_of_score']:.3g} each, {facts['epsilon_of_final']:.3g} for the model that ships"
    )
