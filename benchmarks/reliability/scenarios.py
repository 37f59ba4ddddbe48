"""The faults, one function each: make it happen, let the search go on, and say what that cost.

The letters are those of the list in `benchmarks/reliability.md`. Moments are drawn from a seed and counted in epochs
that were trained, so that a failure can be repeated on a machine of another speed.
"""

import json
import os
import resource
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from autotl.run.folder import STUDY, WINNER
from autotl.run.remote import SECONDS_BETWEEN_BEATS
from autotl.search.memory import held_by
from benchmarks.reliability.nodes import Machine
from benchmarks.reliability.pretend import CLOCK_JUMPS, EPOCH_SECONDS, HANGS, MISFORTUNES, PATIENCE
from benchmarks.reliability.watched import Watched

FINISHED = 0
REPEATED_BY_A_KILL = 1  # epochs, of the one worker that these searches have
EPOCHS_NOT_YET_COPIED = int(2 * SECONDS_BETWEEN_BEATS / EPOCH_SECONDS)  # by two workers, to where the run is kept
PRETEND_EPOCHS = 45  # that a pretended search trains at least, 20 of them of its linear probe
REAL_EPOCHS = 20


@dataclass(frozen=True)
class Try:
    """One try of a scenario.

    Attributes:
        problems: what is not as it should be; nothing for a try that was survived.
        lost: trials that had ended before the fault and are not the same, or not there, after it.
        repeated: epochs that were trained twice; None where that is not counted.
        seconds: until the search trained again; None where it was not resumed.
    """

    problems: tuple[str, ...]
    lost: int = 0
    repeated: int | None = 0
    seconds: float | None = None


Scenario = Callable[[Watched, np.random.Generator], Try]


def worker_killed(search: Watched, draws: np.random.Generator) -> Try:
    """R1: a worker is killed once."""
    search.start()
    _reach(search, draws)
    before = search.ended()
    os.kill(_worker_of(search), signal.SIGKILL)
    struck, reached = time.monotonic(), search.progress()
    search.wait_until(lambda: search.progress() > reached)
    seconds = time.monotonic() - struck
    return _judged(search, before, codes=[search.wait()], kills=1, seconds=seconds)


def misfortunes(search: Watched, draws: np.random.Generator) -> Try:
    """R2, R12, R13: plans that kill their worker each time, diverge or raise fail with their reason; the others do not
    notice."""
    plans = [{"unfrozen_layers": 2, "weight_decay": decay} for decay in sorted(MISFORTUNES)]
    _begin_with(search, plans, draws)
    code = search.wait()
    failures = {row["plan"]["weight_decay"]: row["failure"] for row in search.rows().values() if row["failure"]}
    words = {0.11: "diverged", 0.12: "diverged", 0.13: "a shape does not fit", 0.14: "the worker process died, 2 times"}
    wrong = [f"{decay}: {failures.get(decay)}" for decay in words if words[decay] not in (failures.get(decay) or "")]
    wrong += [f"{len(failures)} failed"] if len(failures) != len(words) else []
    judged = _judged(search, {}, codes=[code], kills=1)
    return Try((*judged.problems, *wrong), judged.lost, judged.repeated)


def driver_killed(search: Watched, draws: np.random.Generator) -> Try:
    """R3: the search itself is killed, and again while it goes on; then it may finish."""
    search.start()
    _reach(search, draws, share=0.5)
    search.kill()
    before = search.ended()
    seconds = _resume(search)
    _reach(search, draws, share=0.4, further=True)
    search.kill()
    before |= search.ended()
    seconds = max(seconds, _resume(search))
    return _judged(search, before, codes=[search.wait()], kills=2, seconds=seconds)


def killed_at_once(search: Watched, draws: np.random.Generator) -> Try:
    """R4: the search is killed before it has done anything worth speaking of."""
    search.start()
    search.wait_until(lambda: (search.run / STUDY).exists())
    time.sleep(float(draws.uniform(0, 2)))
    search.kill()
    search.resume()
    code = search.wait()
    if code == 3:  # there was nothing to go on with
        said = "nothing to resume" in search.words()
        return Try(() if said else (f"it did not say why: {search.words()}",))
    return _judged(search, {}, codes=[code], kills=1)


def killed_while_finishing(search: Watched, draws: np.random.Generator) -> Try:
    """R5: the search is killed while the winner is retrained and written."""
    search.start()
    search.wait_until(lambda: "retraining the winner" in search.words())
    time.sleep(float(draws.uniform(0, 2)))
    search.kill()
    before, trained = search.ended(), len(search.trained())
    problems = (
        ["half a bundle"]
        if (search.run / WINNER).exists() and not (search.run / WINNER / "bundle.json").exists()
        else []
    )
    search.resume()
    code = search.wait()
    if code == 3 and "is finished" in search.words():
        code = FINISHED  # it had come to its end just before
    problems += ["trials were trained again"] if len(search.trained()) > trained else []
    judged = _judged(search, before, codes=[code], kills=0)
    return Try((*judged.problems, *problems), judged.lost, judged.repeated)


def machine_down(search: Watched, draws: np.random.Generator) -> Try:
    """R6: every process is gone at once, and with them what was not yet flushed to disk."""
    search.start()
    _reach(search, draws)
    shown = search.ended()
    search.kill_everything()
    for name in (f"{STUDY}-wal", f"{STUDY}-shm"):  # at worst nothing since the last checkpoint of the log is there
        (search.run / name).unlink(missing_ok=True)
    seconds = _resume(search)
    return _judged(search, shown, codes=[search.wait()], kills=3, seconds=seconds)


def interrupted(search: Watched, draws: np.random.Generator) -> Try:
    """R7: Ctrl-C."""
    return _stopped(search, draws, number=signal.SIGINT, within=20.0)


def terminated(search: Watched, draws: np.random.Generator) -> Try:
    """R8: SIGTERM, as before a spot instance is taken away."""
    return _stopped(search, draws, number=signal.SIGTERM, within=20.0)


def interrupted_twice(search: Watched, draws: np.random.Generator) -> Try:
    """R7: a second Ctrl-C for whoever cannot wait."""
    search.start()
    _reach(search, draws)
    shown = search.ended()
    search.strike(signal.SIGINT)
    time.sleep(float(draws.uniform(0, 0.5)))
    search.strike(signal.SIGINT)
    code = search.wait()
    seconds = _resume(search)
    judged = _judged(search, shown, codes=[search.wait()], kills=2, seconds=seconds)
    wrong = () if code == 130 else (f"exit code {code}",)
    return Try((*judged.problems, *wrong), judged.lost, judged.repeated, seconds)


def terminated_while_finishing(search: Watched, draws: np.random.Generator) -> Try:
    """R8: SIGTERM while the winner is retrained and written."""
    search.start()
    search.wait_until(lambda: "retraining the winner" in search.words())
    time.sleep(float(draws.uniform(0, 1)))
    before, trained, struck = search.ended(), len(search.trained()), time.monotonic()
    search.strike(signal.SIGTERM)
    code, took = search.wait(), time.monotonic() - struck
    problems = [*([] if code == 143 else [f"exit code {code}"]), *([] if took <= 20 else [f"it took {took:.0f} s"])]
    problems += ["half a bundle"] if (search.run / WINNER).exists() else []
    search.resume()
    judged = _judged(search, before, codes=[search.wait()], kills=0)
    problems += ["trials were trained again"] if len(search.trained()) > trained else []
    problems += [] if (search.run / WINNER / "bundle.json").exists() else ["no winner in the end"]
    return Try((*judged.problems, *problems), judged.lost, judged.repeated)


STAGES = (
    "reading and checking the data",
    "searching",
    "trials and",  # workers are there
    "ranking the trials",
    "retraining the winner",
    "writing the bundle",
    "writing the report",
)


def terminated_anywhere(search: Watched, draws: np.random.Generator) -> Try:
    """R8: SIGTERM at any stage, the data and Ray's start included."""
    stage = STAGES[int(draws.integers(len(STAGES)))]
    search.start()
    search.wait_until(lambda: stage in search.words())
    time.sleep(float(draws.choice([0.0, 0.05, 0.5, 2.0])))
    shown, struck = search.ended(), time.monotonic()
    search.strike(signal.SIGTERM)
    code, took = search.wait(), time.monotonic() - struck
    if code == FINISHED:  # it had come to its end just before
        return _judged(search, shown, codes=[code], kills=0)
    problems = [] if code == 143 else [f"{stage}: exit code {code}: {search.words()}"]
    problems += [] if took <= 20 else [f"{stage}: it took {took:.0f} s to stop"]
    if not search.run.exists():
        return Try(tuple(problems))
    problems += [f"{stage}: {words}" for words in search.faults(is_over=False)]
    search.resume()
    judged = _judged(search, shown, codes=[search.wait()], kills=1)
    return Try((*judged.problems, *problems), judged.lost, judged.repeated)


def everything_terminated(search: Watched, draws: np.random.Generator) -> Try:
    """R8: SIGTERM to all processes of the search at once, as a batch system sends it."""
    search.start()
    _reach(search, draws)
    shown, struck = search.ended(), time.monotonic()
    search.strike_everything(signal.SIGTERM)
    code, took = search.wait(), time.monotonic() - struck
    problems = [] if code == 143 else [f"exit code {code}: {search.words()}"]
    problems += [] if took <= 20 else [f"it took {took:.0f} s to stop"]
    problems += search.faults(is_over=False)
    seconds = _resume(search)
    judged = _judged(search, shown, codes=[search.wait()], kills=1, seconds=seconds)
    return Try((*judged.problems, *problems), judged.lost, judged.repeated, seconds)


def disk_full(search: Watched, draws: np.random.Generator) -> Try:
    """R9: from some moment on no file of the search may grow. (Each of its files, by a limit of the system on the
    process; a full disk is the same to it.)"""
    search.start()
    _reach(search, draws)
    before = search.ended()
    assert search.process is not None
    size = (search.run / STUDY).stat().st_size
    resource.prlimit(search.process.pid, resource.RLIMIT_FSIZE, (size // 2, resource.RLIM_INFINITY))
    code = search.wait()
    told = str(search.run.name) in search.words()
    seconds = _resume(search)
    judged = _judged(search, before, codes=[search.wait()], kills=2, seconds=seconds)
    wrong = [*([] if code == 8 else [f"exit code {code}"]), *([] if told else ["it did not say where"])]
    return Try((*judged.problems, *wrong), judged.lost, judged.repeated, seconds)


def hung(search: Watched, draws: np.random.Generator) -> Try:
    """R15: a worker stands still while it trains a plan, or a packet of several: it is ended, the plan fails with its
    reason, and the others do not notice."""
    if search.is_real:
        return _struck_still(search, draws)
    patience = 8.0
    search.environment |= {PATIENCE: str(patience)}
    heads = [{"unfrozen_layers": 0, "weight_decay": decay} for decay in (0.01, HANGS, 0.02)]
    _begin_with(search, [{"unfrozen_layers": 2, "weight_decay": HANGS}, *heads], draws)
    code = search.wait()
    failures = {number: row["failure"] for number, row in search.rows().items() if row["failure"]}
    wrong = [words for words in failures.values() if not words.startswith("hung: no step ended for 8s")]
    wrong += [f"{len(failures)} failed"] if len(failures) != 2 else []
    last_step = {number: max(each["at"] for each in search.trained() if each["trial"] == number) for number in failures}
    at, ended = [each["at"] for each in search.trained()], sorted(last_step.values())
    waits = [min((moment for moment in at if moment > last), default=last) - last for last in ended]
    seconds = max(waits, default=0.0) - patience
    wrong += [f"{seconds:.0f} s passed until the next epoch"] if seconds > 30 else []
    judged = _judged(search, {}, codes=[code], kills=3)
    return Try((*judged.problems, *wrong), judged.lost, judged.repeated, seconds)


def interrupted_while_hung(search: Watched, draws: np.random.Generator) -> Try:
    """R15: Ctrl-C while a worker stands still."""
    _begin_with(search, [{"unfrozen_layers": 2, "weight_decay": HANGS}], draws)
    search.wait_until(lambda: _stands_still(search))
    shown, struck = search.ended(), time.monotonic()
    search.strike(signal.SIGINT)
    code, took = search.wait(), time.monotonic() - struck
    problems = [*([] if code == 130 else [f"exit code {code}"]), *([] if took <= 20 else [f"it took {took:.0f} s"])]
    problems += search.faults(is_over=False)
    search.environment |= {PATIENCE: "8"}
    seconds = _resume(search)
    judged = _judged(search, shown, codes=[search.wait()], kills=1, seconds=seconds)
    return Try((*judged.problems, *problems), judged.lost, judged.repeated, seconds)


def clock_jumps(search: Watched, draws: np.random.Generator) -> Try:
    """R19: the wall clock jumps by days, and another time zone holds when the search goes on."""
    search.environment |= {CLOCK_JUMPS: "yes", "TZ": "Pacific/Apia"}
    search.start()
    _reach(search, draws)
    search.kill()
    before = search.ended()
    search.environment["TZ"] = "America/Los_Angeles"
    seconds = _resume(search)
    return _judged(search, before, codes=[search.wait()], kills=1, seconds=seconds)


def node_lost(search: Watched, draws: np.random.Generator) -> Try:
    """R16: a machine of a cluster is lost, its agent and its workers with it."""
    return _on_two_machines(search, draws, strike=Machine.lose)


def agent_lost(search: Watched, draws: np.random.Generator) -> Try:
    """R17: the agent of a machine is lost, and nothing else."""
    return _on_two_machines(search, draws, strike=Machine.lose_agent)


def head_lost(search: Watched, draws: np.random.Generator) -> Try:
    """R18: every machine of the cluster is lost, the search and its disk with them; another cluster goes on from the
    run's copy."""
    place = f"file://{search.run}"
    with _cluster(search) as machines:
        search.start("--out", place, "--workers", "2", "--address", machines[0].address)
        _reach(search, draws)
        for machine in machines:
            machine.lose()
        search.kill_everything()
    before = search.ended()
    shutil.rmtree(search.folder / "cache")
    with _cluster(search) as machines:
        reached, begun = search.progress(), time.monotonic()
        search.resume("--resume", place, "--workers", "2", "--address", machines[0].address)
        search.wait_until(lambda: search.progress() > reached)
        seconds = time.monotonic() - begun
        return _judged(search, before, codes=[search.wait()], kills=EPOCHS_NOT_YET_COPIED, seconds=seconds)


SCENARIOS: dict[str, Scenario] = {
    "R1": worker_killed,
    "R2, R12, R13": misfortunes,
    "R3": driver_killed,
    "R4": killed_at_once,
    "R5": killed_while_finishing,
    "R6": machine_down,
    "R7": interrupted,
    "R7, twice": interrupted_twice,
    "R8": terminated,
    "R8, finishing": terminated_while_finishing,
    "R8, anywhere": terminated_anywhere,
    "R8, everything": everything_terminated,
    "R9": disk_full,
    "R15": hung,
    "R15, interrupted": interrupted_while_hung,
    "R16": node_lost,
    "R17": agent_lost,
    "R18": head_lost,
    "R19": clock_jumps,
}
PRETENDED_ALONE = (
    "R2, R12, R13",
    "R15, interrupted",
    "R16",
    "R17",
    "R18",
    "R19",
)  # their faults are made, or their epochs counted, inside the pretended training and command line


def _begin_with(search: Watched, plans: Sequence[dict[str, Any]], draws: np.random.Generator) -> None:
    """Starts with these plans, in an order that is drawn."""
    alike = {"backbone": "small_cnn", "image_size": 32, "epochs": 5, "learning_rate": 0.01}
    drawn = [{**alike, **plans[index]} for index in draws.permutation(len(plans))]
    (search.folder / "plans.json").write_text(json.dumps(drawn))
    search.start("--start-with", "plans.json")


def _stands_still(search: Watched) -> bool:
    """Whether the process that trained last is stopped."""
    trained = search.trained()
    if not trained:
        return False
    try:
        return bool(psutil.Process(int(trained[-1]["worker"])).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def _struck_still(search: Watched, draws: np.random.Generator) -> Try:
    """R15 from outside: the worker of a trial that has a limit is stopped."""
    search.start("--trial-wall", "30s")
    search.wait_until(lambda: any(row["baseline"] is None and row["epochs"] for row in search.rows().values()))
    time.sleep(float(draws.uniform(0, 0.1)))
    os.kill(_worker_of(search), signal.SIGSTOP)
    struck, reached = time.monotonic(), search.progress()
    search.wait_until(lambda: search.progress() > reached)
    seconds = time.monotonic() - struck - 30.0
    code = search.wait()
    failures = [row["failure"] for row in search.rows().values() if row["failure"]]
    wrong = [] if len(failures) == 1 and "the limit of a trial" in failures[0] else [f"failed: {failures}"]
    wrong += [f"{seconds:.0f} s passed until the next epoch"] if seconds > 30 else []
    judged = _judged(search, {}, codes=[code], kills=1)
    return Try((*judged.problems, *wrong), judged.lost, judged.repeated, seconds)


def _on_two_machines(search: Watched, draws: np.random.Generator, *, strike: Callable[[Machine], None]) -> Try:
    """Strikes one that trains."""
    with _cluster(search) as machines:
        search.start("--workers", "2", "--address", machines[0].address)
        second, wanted = machines[1], int(draws.integers(1, 8))
        search.wait_until(lambda: sum(second.runs(each["worker"]) for each in search.trained()) >= wanted)
        time.sleep(float(draws.uniform(0, 0.15)))
        before, struck, reached = search.ended(), time.monotonic(), search.progress()
        strike(second)
        search.wait_until(lambda: search.progress() > reached)
        seconds = time.monotonic() - struck
        return _judged(search, before, codes=[search.wait()], kills=1, seconds=seconds)


@contextmanager
def _cluster(search: Watched) -> Iterator[list[Machine]]:
    """Two machines with a core each, and a token that both ask for; none of their processes is left."""
    search.environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    machines = [Machine(search.variables(), head=None, cpus=1, index=0)]
    try:
        machines[0].wait_until_up()
        machines.append(Machine(search.variables(), head=machines[0].address, cpus=1, index=1))
        machines[1].wait_until_up()
        yield machines
    finally:
        search.kill_everything()
        for machine in machines:
            machine.lose()


def _stopped(search: Watched, draws: np.random.Generator, *, number: int, within: float) -> Try:
    search.start()
    _reach(search, draws)
    shown, struck = search.ended(), time.monotonic()
    search.strike(number)
    code, took = search.wait(), time.monotonic() - struck
    problems = [] if code == 128 + number else [f"exit code {code}"]
    problems += [] if took <= within else [f"it took {took:.0f} s to stop"]
    problems += search.faults(is_over=False)
    problems += (
        [] if "stopped by" in (search.run / "report.html").read_text() else ["the report is not marked as a part"]
    )
    seconds = _resume(search)
    judged = _judged(search, shown, codes=[search.wait()], kills=1, seconds=seconds)
    return Try((*judged.problems, *problems), judged.lost, judged.repeated, seconds)


def _reach(search: Watched, draws: np.random.Generator, *, share: float = 0.8, further: bool = False) -> None:
    """Waits for a moment that is drawn, in epochs and a fraction of one."""
    epochs = REAL_EPOCHS if search.is_real else PRETEND_EPOCHS
    begun = search.progress() if further else 0
    wanted = begun + int(draws.integers(1, max(2, int(share * epochs))))
    search.wait_until(lambda: search.progress() >= wanted)
    time.sleep(float(draws.uniform(0, 0.15)))


def _worker_of(search: Watched) -> int:
    """The process that trains."""
    if not search.is_real:
        return int(search.trained()[-1]["worker"])
    assert search.process is not None
    children = psutil.Process(search.process.pid).children(recursive=True)
    return max((each for each in children if "ResourceTrainable" in " ".join(each.cmdline())), key=held_by).pid


def _resume(search: Watched) -> float:
    """Goes on; seconds until the first epoch."""
    reached, begun = search.progress(), time.monotonic()
    search.resume()
    search.wait_until(lambda: search.progress() > reached)
    return time.monotonic() - begun


def _judged(
    search: Watched,
    before: dict[int, Any],
    *,
    codes: list[int],
    kills: int,
    seconds: float | None = None,
) -> Try:
    after = search.ended()
    lost = [number for number, shown in before.items() if after.get(number) != shown]
    repeated = None if search.is_real else search.repeated_epochs()
    problems = [f"exit code {code}: {search.words()}" for code in codes if code != FINISHED]
    problems += search.faults()
    problems += [] if search.ask("SELECT 1 FROM autotl_facts WHERE name = 'finished'") else ["the run is not finished"]
    problems += [f"trials {lost} are not what they were"] if lost else []
    if repeated is not None and repeated > kills * REPEATED_BY_A_KILL:
        problems.append(f"{repeated} epochs were trained twice")
    return Try(tuple(problems), len(lost), repeated, seconds)


def play(name: str, *, tries: int, seed: int, is_real: bool, folder: Path) -> list[Try]:
    """A scenario's tries, each in a folder of its own that is taken away where it was survived."""
    found = []
    for number in range(tries):
        search = Watched(folder / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}-{number}", is_real)
        found.append(once(name, search, np.random.default_rng([seed, number])))
        if not found[-1].problems:
            shutil.rmtree(search.folder, ignore_errors=True)
    return found


def once(name: str, search: Watched, draws: np.random.Generator) -> Try:
    """One try; no process of it is left."""
    try:
        return SCENARIOS[name](search, draws)
    except (TimeoutError, subprocess.TimeoutExpired, OSError, AssertionError) as error:
        return Try((f"{type(error).__name__}: {error}",))
    finally:
        search.kill_everything()
