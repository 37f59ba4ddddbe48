"""The index page of a series: what came of each of its tasks, and where the reports are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.report import wording
from autotl.report.entries import read_entries, winner_of
from autotl.report.pouring import environment, packaged, policy
from autotl.report.sections.summary import Figure, summary_figures
from autotl.report.sections.together import gains
from autotl.report.values import Json
from autotl.run.study import SPENT


@dataclass(frozen=True)
class SeriesEntry:
    """A task of a series, as far as its search has come.

    Attributes:
        leaderboard: the content of its run's leaderboard.json; None where its search has not begun.
        facts: the named facts in its run's database.
        report: where its report is, from the index page on; None where there is none yet.
        stopped: why its run is not whole; None where it is.
        error: why its search could not be done; None where it was, or has not begun.
    """

    name: str
    leaderboard: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    report: str | None = None
    stopped: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Card:
    """A task on the page."""

    name: str
    about: str  # modality, setting, trials, time
    state: str  # a word or two; empty where all is well
    report: str | None
    sentence: str
    model: str
    figures: Sequence[Figure]
    together: str = ""  # what it brought to learn it together with others, and which is kept


def render_series(name: str, entries: Sequence[SeriesEntry]) -> str:
    """The page as HTML: it loads nothing, runs nothing, and leads to the reports beside it."""
    from markupsafe import Markup

    style = Markup(packaged("page.css"))
    cards = [_card(entry) for entry in entries]
    seconds = sum(_seconds(entry.facts) for entry in entries)
    return (
        environment()
        .get_template("series.html.j2")
        .render(
            policy=policy([], style),
            style=style,
            name=wording.visible(name),
            cards=cards,
            counts={state or "done": sum(card.state == state for card in cards) for state in _states(cards)},
            seconds=seconds,
        )
    )


def _states(cards: Sequence[Card]) -> list[str]:
    return list(dict.fromkeys(card.state for card in cards))


def _card(entry: SeriesEntry) -> Card:
    if entry.leaderboard is None:
        state = "waits for its turn" if entry.error is None else "could not be searched"
        return Card(wording.visible(entry.name), "", state, None, wording.visible(entry.error or ""), "", ())
    facts: Json = wording.plain(dict(entry.facts))
    task, headline = facts.get("task", {}), facts.get("headline") or {}
    entries = read_entries(entry.leaderboard)
    winner = winner_of(entries)
    about = [
        task.get("modality"),
        (facts.get("setting") or {}).get("name"),
        wording.counted(len(entries), "trial"),
        wording.duration(_seconds(facts)),
    ]
    sentences = headline.get("sentences") or []
    return Card(
        name=wording.visible(entry.name),
        about=" · ".join(filter(None, about)),
        state=_state(entry, has_winner=winner is not None),
        report=entry.report,
        sentence=wording.plain(entry.stopped) or (sentences[0] if sentences else ""),
        model=f"{winner.network} · {winner.recipe}" if winner else "",
        figures=summary_figures(task, headline, entries),
        together=_together(facts.get("together")),
    )


def _together(found: Json | None) -> str:
    """Which is kept, and why: by the gain on validation examples; on test examples it is only shown."""
    if not found:
        return ""
    others = ", ".join(found["companions"])
    on_validation, *on_test = gains(found)
    why = {"together": "is clear", "alone": "may be chance or none"}[found["kept"]]
    words = f"Kept: what was learnt {found['kept']}. The gain of learning it together with {others} {why}: "
    return words + "; ".join(f"{gain.value} on {gain.on}" for gain in (on_validation, *on_test)) + "."


def _state(entry: SeriesEntry, *, has_winner: bool) -> str:
    if entry.stopped is not None:
        return "not complete"
    return "" if has_winner else "no usable model"


def _seconds(facts: Mapping[str, Any]) -> float:
    return float(facts.get(SPENT) or 0.0)
