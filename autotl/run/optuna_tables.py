"""Optuna's study in memory, and every change of it at once in Optuna's own tables of the run's database.

Optuna's own SQLite storage takes 50 to 100 ms a trial, most of it in building statements and reading back what it has
just written; a plan with a linear head is trained in less. The sampler reads the copy in memory, and what is written is
what that storage would have written: `optuna.load_study` and optuna-dashboard open it, and so does a later search.
"""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from autotl.run.study import Study


@contextmanager
def optuna_study(
    study: Study, *, name: str, higher_is_better: bool, sampler: optuna.samplers.BaseSampler, costs: int = 0
) -> Iterator[optuna.Study]:
    """The run's Optuna study, made or continued.

    Args:
        costs: further values of each trial behind its score, of which less is better.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions = [StudyDirection.MAXIMIZE if higher_is_better else StudyDirection.MINIMIZE]
    directions += [StudyDirection.MINIMIZE] * costs
    earlier = _tables(study, name, directions)
    storage = _WrittenThrough(study, name)
    current = optuna.create_study(study_name=name, storage=storage, sampler=sampler, directions=directions)
    for trial in earlier:
        current.add_trial(trial)
    storage.writes = True
    try:
        yield current
    finally:
        storage.writes = False


def complete_trials(study: Study) -> list[FrozenTrial]:
    """Trials that ended with a score, with their parameters, in the order of their numbers; none without the tables.

    Read straight from the tables: Optuna's own storage takes many seconds for thousands of trials.
    """
    if not study.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'trial_params'"):
        return []
    distributions: dict[str, BaseDistribution] = {}
    params: dict[int, dict[str, Any]] = {}
    of_trial: dict[int, dict[str, BaseDistribution]] = {}
    for trial_id, name, value, written in study.execute(
        "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params ORDER BY param_id"
    ):
        if written not in distributions:
            distributions[written] = json_to_distribution(written)
        params.setdefault(trial_id, {})[name] = distributions[written].to_external_repr(value)
        of_trial.setdefault(trial_id, {})[name] = distributions[written]
    told = study.execute(
        "SELECT trials.trial_id, trial_values.value FROM trials JOIN trial_values USING (trial_id) "
        "WHERE state = 'COMPLETE' AND objective = 0 AND value_type = 'FINITE' ORDER BY number"
    )
    return [
        create_trial(params=params.get(trial_id, {}), distributions=of_trial.get(trial_id, {}), value=value)
        for trial_id, value in told
    ]


def _tables(study: Study, name: str, directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
    """Makes Optuna's tables and the study in them where they are missing; the trials that are there."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{study.path}", engine_kwargs={"connect_args": {"timeout": 30}})
    try:
        stored = optuna.create_study(study_name=name, storage=storage, directions=directions, load_if_exists=True)
        return stored.get_trials(deepcopy=False)
    finally:
        storage.remove_session()
        storage.engine.dispose()  # as long as a connection is open, the database is three files instead of one


class _WrittenThrough(InMemoryStorage):
    """Writes each change into the tables of `optuna.storages.RDBStorage` once `writes` is set."""

    def __init__(self, study: Study, name: str) -> None:
        super().__init__()
        self.writes = False
        self._study = study
        (self._stored_study_id,) = study.execute("SELECT study_id FROM studies WHERE study_name = ?", (name,))[0]
        (highest,) = study.execute("SELECT COALESCE(MAX(trial_id), 0) FROM trials")[0]
        self._ids: dict[int, int] = {}  # our trial id -> the table's
        self._next_id = int(highest) + 1

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id: int = super().create_new_trial(study_id, template_trial)
        trial = self.get_trial(trial_id)
        if not self.writes:
            self._ids[trial_id] = self._stored_id(trial.number)
            return trial_id
        stored = self._ids[trial_id] = self._next_id
        self._next_id += 1
        with self._study.transaction():
            self._write(
                "INSERT INTO trials (trial_id, number, study_id, state, datetime_start) VALUES (?, ?, ?, ?, ?)",
                (stored, trial.number, self._stored_study_id, trial.state.name, _utc(trial.datetime_start)),
            )
            for key, value in trial.user_attrs.items():
                self._write_attribute("user", trial_id, key, value)
            for key, value in trial.system_attrs.items():
                self._write_attribute("system", trial_id, key, value)
        return trial_id

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        super().set_trial_param(trial_id, param_name, param_value_internal, distribution)
        self._write(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
            (self._ids[trial_id], param_name, float(param_value_internal), distribution_to_json(distribution)),
        )

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        changed: bool = super().set_trial_state_values(trial_id, state, values)
        trial = self.get_trial(trial_id)
        with self._study.transaction():
            for objective, value in enumerate(values or ()):
                self._write(
                    "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)",
                    (self._ids[trial_id], objective, *_number(value)),
                )
            self._write(
                "UPDATE trials SET state = ?, datetime_start = ?, datetime_complete = ? WHERE trial_id = ?",
                (trial.state.name, _utc(trial.datetime_start), _utc(trial.datetime_complete), self._ids[trial_id]),
            )
        return changed

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)
        self._write(
            "INSERT OR REPLACE INTO trial_intermediate_values "
            "(trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?)",
            (self._ids[trial_id], step, *_number(intermediate_value)),
        )

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_user_attr(trial_id, key, value)
        self._write_attribute("user", trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_system_attr(trial_id, key, value)
        self._write_attribute("system", trial_id, key, value)

    def _write_attribute(self, kind: str, trial_id: int, key: str, value: Any) -> None:
        self._write(
            f"INSERT OR REPLACE INTO trial_{kind}_attributes (trial_id, key, value_json) VALUES (?, ?, ?)",
            (self._ids[trial_id], key, json.dumps(value)),
        )

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        if self.writes:
            self._study.execute(statement, values)

    def _stored_id(self, number: int) -> int:
        """Of a trial that was there before."""
        statement = "SELECT trial_id FROM trials WHERE study_id = ? AND number = ?"
        return int(self._study.execute(statement, (self._stored_study_id, number))[0][0])


def _number(value: float) -> tuple[float | None, str]:
    """A value as the tables hold it, where SQLite knows no infinities."""
    if math.isinf(value):
        return None, "INF_POS" if value > 0 else "INF_NEG"
    return (None, "NAN") if math.isnan(value) else (float(value), "FINITE")


def _utc(moment: datetime | None) -> str | None:
    """A local time as the tables hold it."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
