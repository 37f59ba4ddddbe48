"""Single values of the file: how each is read, and the words where it is not allowed.

What may be written in more than one form is read into one: a path and a list of paths are paths.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from autotl.errors import suggestion
from autotl.task.duration import parse_duration
from autotl.task.problem import METRIC_NAMES, PROBLEMS
from autotl.task.section import Section

BASELINE_NAMES = ("linear_probe", "source_only", "no_transfer", "full_finetune")  # `autotl.plan.baselines` builds them
GOAL_NAMES = ("score", "latency_ms", "model_mb")
DEFAULT_SHARE = 0.2
PRICE = r"(?P<amount>\d{1,9}(\.\d+)?)( ?(?P<currency>[^\W\d]{1,8}|[$€£¥]))?"  # an amount, and maybe its currency

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PerClass(Section):
    """So many labels of the target are known in each class."""

    per_class: Count


class LabelsOf(Section):
    """The transductive protocol: the unlabelled target's own labels are the test."""

    labels_of: Literal["train"]


def _paths(written: object) -> tuple[str, ...]:
    paths = written if isinstance(written, list) else [written]
    if not paths or not all(isinstance(path, str) and path.strip() for path in paths):
        raise ValueError(f"{written!r} is not a path. Write a path, or a list of paths.")
    if len(set(paths)) < len(paths):
        raise ValueError(f"{written!r} names a path twice.")
    return tuple(paths)


def _texts(written: object) -> tuple[str, ...]:
    texts = written if isinstance(written, list) else [written]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{written!r} is not a name or a list of names.")
    return tuple(texts)


def _label(written: Any) -> str | tuple[str, ...] | None:
    if written is None or (isinstance(written, str) and written):
        return written
    if isinstance(written, list):
        names = _texts(written)
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise ValueError(f"{written!r} must name two or more different columns of 0 and 1, one a label.")
        return names
    raise ValueError(f"{written!r} is not a column, nor a list of columns of 0 and 1.")


def _classes(written: Any) -> Literal["shared", "union"] | tuple[str, ...] | None:
    if written is None or written in ("shared", "union"):
        return "shared" if written == "shared" else "union" if written == "union" else None
    if isinstance(written, list):
        names = _texts(written)
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise ValueError(f"{written!r} must name two or more different classes.")
        return names
    hint = suggestion(written if isinstance(written, str) else "", ("shared", "union", "[CLASS, CLASS, …]"))
    raise ValueError(f"{written!r} is not known. {hint}")


def _share(written: float) -> float:
    if not 0 <= written < 1:
        raise ValueError(f"{written!r} is not a share of the rows. Write a number from 0 to below 1, or a path.")
    return float(written)


def _is_number(written: object) -> bool:
    return isinstance(written, int | float) and not isinstance(written, bool)


def _share_or_paths(written: Any) -> float | tuple[str, ...]:
    if _is_number(written):
        return _share(written)
    if isinstance(written, str | list):
        return _paths(written)
    raise ValueError(f"{written!r} is neither a share of the rows such as 0.2 nor a path.")


def _test(written: Any) -> float | tuple[str, ...] | LabelsOf | None:
    if written is None:
        return None
    if written == "none":
        return 0.0
    if isinstance(written, dict):
        if written != {"labels_of": "train"}:
            raise ValueError(
                f"{written!r} is not known. Allowed: a path, a share of the rows, none, {{labels_of: train}}."
            )
        return LabelsOf(labels_of="train")
    return _share_or_paths(written)


def _labels(written: Any) -> Literal["all", "none"] | PerClass:
    if written in ("all", "none"):
        return "all" if written == "all" else "none"
    if isinstance(written, dict) and list(written) == ["per_class"]:
        count = written["per_class"]
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            return PerClass(per_class=count)
        raise ValueError(f"per_class must be a whole number above 0, not {count!r}.")
    hint = suggestion(written if isinstance(written, str) else "", ("all", "none", "{per_class: N}"))
    raise ValueError(f"{written!r} is not known. {hint}")


def _metric(name: str) -> str:
    if name not in METRIC_NAMES:
        raise ValueError(f"{name!r} is not known. {suggestion(name, METRIC_NAMES)}")
    return name


def _problem(written: Any) -> str:
    if not isinstance(written, str) or written not in PROBLEMS:
        raise ValueError(f"{written!r} is not known. {suggestion(str(written), PROBLEMS)}")
    return written


def _encoding(name: str) -> str:
    try:
        "text".encode(name)  # looking it up would also find hex, rot13 and zlib, which turn bytes into bytes
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is not a text encoding. Common ones: utf-8, latin-1, cp1252, utf-16.") from None
    return name


def _baselines(written: Any) -> Literal["auto", "none"] | tuple[str, ...]:
    if written in ("auto", "none"):
        return "auto" if written == "auto" else "none"
    names = written if isinstance(written, list) else [written]
    for name in names:
        if name not in BASELINE_NAMES:
            allowed = BASELINE_NAMES if isinstance(written, list) else (*BASELINE_NAMES, "auto", "none")
            raise ValueError(f"{name!r} is not known. {suggestion(str(name), allowed)}")
    return tuple(names)


def _gpus(written: Any) -> float | Literal["auto"]:
    if written == "auto":
        return "auto"
    if _is_number(written) and 0 <= written < 1_000 and (written < 1 or float(written).is_integer()):
        return float(written)
    raise ValueError(f"{written!r} is not allowed. Write auto, a part of a GPU such as 0.5, or a whole number.")


def _price(written: Any) -> str | None:
    if written is None:
        return None
    if re.fullmatch(PRICE, str(written)) is None or isinstance(written, bool):
        raise ValueError(f"{written!r} is no price. Write an amount and, if you like, its currency: 2.40 EUR.")
    return str(written)


def _name(written: str) -> str:
    if re.fullmatch(r"\w[\w.-]{0,63}", written) is None:
        raise ValueError(f"{written!r} cannot name a folder. Write up to 64 letters, digits, '.', '_' or '-'.")
    return written


def _start_with(written: Any) -> Any:
    plans_ok = isinstance(written, list) and all(isinstance(plan, dict) for plan in written)
    if not (plans_ok or (isinstance(written, str) and written.strip())):
        raise ValueError(f"{written!r} is neither a file nor a list of plans such as [{{backbone: MobileNetV2}}].")
    return tuple(written) if isinstance(written, list) else written


def _search_space(written: Any) -> Any:
    if not isinstance(written, dict) and not (isinstance(written, str) and written.strip()):
        raise ValueError(f"{written!r} is neither a space's name, a path, nor a mapping such as {{image_size: 128}}.")
    return written


def _goals(written: Any) -> tuple[str, ...]:
    names = written if isinstance(written, list) else [written]
    for name in names:
        if name not in GOAL_NAMES:
            raise ValueError(f"{name!r} is not known. {suggestion(str(name), GOAL_NAMES)}")
    if names[:1] != ["score"] or len(set(names)) < len(names):
        raise ValueError(f"{written!r} must begin with score and name no goal twice, such as [score, latency_ms].")
    return tuple(names)


Paths = Annotated[tuple[str, ...], PlainValidator(_paths, json_schema_input_type=str | list[str])]
ShareOrPaths = Annotated[
    float | tuple[str, ...], PlainValidator(_share_or_paths, json_schema_input_type=float | str | list[str])
]
TestPart = Annotated[
    float | tuple[str, ...] | LabelsOf | None,
    PlainValidator(_test, json_schema_input_type=float | str | list[str] | LabelsOf | None),
]
KnownLabels = Annotated[
    Literal["all", "none"] | PerClass,
    PlainValidator(_labels, json_schema_input_type=Literal["all", "none"] | PerClass),
]
LabelColumns = Annotated[
    str | tuple[str, ...] | None, PlainValidator(_label, json_schema_input_type=str | list[str] | None)
]
Texts = Annotated[tuple[Text, ...], PlainValidator(_texts, json_schema_input_type=str | list[str])]
ProblemName = Annotated[
    Literal["classification", "regression", "multilabel"],
    PlainValidator(_problem, json_schema_input_type=Literal["classification", "regression", "multilabel"]),
]
Classes = Annotated[
    Literal["shared", "union"] | tuple[str, ...] | None,
    PlainValidator(_classes, json_schema_input_type=Literal["shared", "union"] | list[str]),
]
Metric = Annotated[Text, AfterValidator(_metric)]
Name = Annotated[Text, AfterValidator(_name)]
Encoding = Annotated[Text, AfterValidator(_encoding)]
Duration = Annotated[timedelta, PlainValidator(parse_duration, json_schema_input_type=str)]
Gpus = Annotated[float | Literal["auto"], PlainValidator(_gpus, json_schema_input_type=float | Literal["auto"])]
Price = Annotated[str | None, PlainValidator(_price, json_schema_input_type=float | str | None)]
Goals = Annotated[tuple[str, ...], PlainValidator(_goals, json_schema_input_type=str | list[str])]
SearchSpace = Annotated[
    str | dict[str, Any] | None, PlainValidator(_search_space, json_schema_input_type=str | dict[str, Any])
]
StartWith = Annotated[
    str | tuple[dict[str, Any], ...], PlainValidator(_start_with, json_schema_input_type=str | list[dict[str, Any]])
]
Baselines = Annotated[
    Literal["auto", "none"] | tuple[str, ...],
    PlainValidator(_baselines, json_schema_input_type=Literal["auto", "none"] | list[str]),
]
# None where the key is left out: it cannot be written
PathsIfGiven = Annotated[tuple[str, ...] | None, PlainValidator(_paths, json_schema_input_type=str | list[str])]
DurationIfGiven = Annotated[timedelta | None, PlainValidator(parse_duration, json_schema_input_type=str)]


def share_of(validation: ShareOrPaths | None) -> float:
    """The share of the training rows that a `validation` asks for; 0 where it names paths."""
    if validation is None:
        return DEFAULT_SHARE
    return validation if isinstance(validation, float) else 0.0
