"""A tiny task of images beside others of the same kind, for those who train on them without any file."""

from pretend import a_task, images

from autotl.data.examples import Companion, TaskData


def a_companion(rows: int = 60, *, seed: int = 5, name: str = "shades", classes: int = 2, **changes) -> Companion:
    """Labels of its own on images of the same kind."""
    inputs, brightest = images(rows, seed=seed)
    shades = tuple(f"shade {number}" for number in range(classes))
    return Companion(**{"name": name, "classes": shades, "inputs": inputs, "labels": brightest % classes, **changes})


def a_task_in_company(*companions: Companion, **values) -> TaskData:
    return a_task(companions=companions or (a_companion(), a_companion(40, seed=6, name="tones", classes=4)), **values)
