"""Faults of a known number, planted in real and made data, and how many of them the audit finds."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from autotl.data.auditing.duplicates import duplicate_findings
from autotl.data.auditing.label_names import near_names, told_alone, twins
from autotl.data.auditing.near_duplicates import alike_images, alike_texts
from autotl.data.auditing.properties import Properties, Property
from autotl.data.auditing.shortcuts import shortcut_findings
from autotl.data.images import inspect_files
from autotl.data.looks import gathered
from autotl.data.texts import text_digests
from benchmarks.audit.class_names import LISTS, long_tailed, slip, written_otherwise

REPEATS = 20  # of a list of class names, of a statistical experiment


@dataclass(frozen=True)
class Found:
    """How many of what was planted were found, and of what was not how many were taken for it."""

    what: str
    planted: int
    found: int
    honest: int
    alarms: int


def label_names(draws: np.random.Generator) -> Iterator[Found]:
    """One slip or another way of writing in an otherwise honest list; alarms in lists with a long tail."""
    for title, names in LISTS.items():
        for how, make, check in (
            ("slip of a letter", slip, near_names),
            ("another case, space or width", written_otherwise, twins),
        ):
            planted = found = 0
            for name in names * REPEATS:
                made = make(name, draws)
                if made in names:
                    continue
                counts = Counter({**dict.fromkeys(names, 100), made: int(draws.integers(1, 6))})
                told = [set(finding.examples) for finding in check("target", "data", counts, told_alone)]
                planted, found = planted + 1, found + ({made, name} in told)
            lists = [long_tailed(list(names), draws) for _ in range(REPEATS)]
            alarms = sum(len({one.examples[0] for one in check("target", "data", each, told_alone)}) for each in lists)
            yield Found(f"{title}: {how}", planted, found, len(names) * REPEATS, alarms)


SAVED_ANEW: dict[str, Callable[[Image.Image, Path], None]] = {
    "JPEG of quality 90": lambda image, path: image.save(path, "JPEG", quality=90),
    "JPEG of quality 50": lambda image, path: image.save(path, "JPEG", quality=50),
    "JPEG of quality 25": lambda image, path: image.save(path, "JPEG", quality=25),
    "half the size": lambda image, path: image.resize((image.width // 2, image.height // 2)).save(path, "JPEG"),
    "one and a half the size": lambda image, path: image.resize((image.width * 3 // 2, image.height * 3 // 2)).save(
        path, "PNG"
    ),
    "grey, WebP": lambda image, path: image.convert("L").save(path, "WEBP"),
    "15 % darker": lambda image, path: image.point(lambda level: level * 0.85).save(path, "JPEG"),
    "cropped by 3 % on each side": lambda image, path: image.crop(
        (image.width * 3 // 100, image.height * 3 // 100, image.width * 97 // 100, image.height * 97 // 100)
    ).save(path, "JPEG"),
}


def near_copies(photos: list[Path], draws: np.random.Generator) -> Iterator[Found]:
    """Copies of half of some real photos, saved anew; alarms among the other half."""
    chosen = [photos[index] for index in draws.permutation(len(photos))[:400]]
    seen = inspect_files([str(path) for path in chosen])
    for how, save in SAVED_ANEW.items():
        with TemporaryDirectory() as folder:
            copies = [Path(folder) / f"{number}" for number in range(200)]
            for original, copy in zip(chosen, copies, strict=False):
                with Image.open(original) as image:
                    save(image.convert("RGB"), copy)
            again = inspect_files([str(path) for path in copies])
        looks = gathered({one.digest: one.look for one in (*seen, *again) if one.look is not None})
        alike = alike_images(looks)
        right = sum(
            one.digest in alike and alike[one.digest] == alike.get(other.digest)
            for one, other in zip(seen[:200], again, strict=True)
        )
        yield Found(f"photo saved anew: {how}", 200, right, 200, sum(one.digest in alike for one in seen[200:]))


def honest_images(title: str, files: list[Path]) -> Found:
    """What is called a near copy in a real data set as it is."""
    seen = inspect_files([str(path) for path in files])
    alike = alike_images(gathered({one.digest: one.look for one in seen if one.look is not None}))
    return Found(f"{title}, as it is", 0, 0, len(files), len(alike))


def exact_copies(draws: np.random.Generator) -> Found:
    """Texts of train that stand in test as well."""
    texts = [f"text {number}: {draws.bytes(12).hex()}" for number in range(5_000)]
    copied = [texts[row] for row in draws.permutation(4_000)[:500]]
    train, test = texts[:4_000], [*texts[4_000:], *copied]
    digests = {("target", "train"): text_digests(train), ("target", "test"): text_digests(test)}
    (finding,) = duplicate_findings(digests, {("target", "train"): train, ("target", "test"): test})
    told = int(finding.message.split(": ")[1].split(",")[0].replace(",", ""))
    return Found("copies on both sides of a split", 500, told, 4_500, 0)


def typed_anew(draws: np.random.Generator) -> Found:
    """Texts with other case, white space and signs."""
    texts = [" ".join(draws.bytes(3).hex() for _ in range(12)) for _ in range(1_000)]
    changes: list[Callable[[str], str]] = [str.upper, lambda text: text.replace(" ", "  "), lambda text: f"{text}!"]
    again = [changes[number % 3](text) for number, text in enumerate(texts[:500])]
    digests = text_digests([*texts, *again])
    alike = alike_texts(dict(zip(digests, [*texts, *again], strict=True)))
    right = sum(
        alike.get(one) == alike.get(other, "") for one, other in zip(digests[:500], digests[1_000:], strict=True)
    )
    return Found("text typed anew", 500, right, 500, sum(digest in alike for digest in digests[500:1_000]))


def hospitals(rows: int, agreement: float, draws: np.random.Generator) -> Found:
    """Two hospitals with files of their own size, that agree with the class so often; alarms where it is by lot."""

    def alarms(share: float) -> int:
        told = 0
        for _ in range(REPEATS * 5):
            labels = draws.integers(0, 2, rows)
            hospital = np.where(draws.random(rows) < share, labels, 1 - labels)
            width = Property("the width", 500 + 100.0 * hospital + draws.normal(0, 20, rows), "origin")
            others = [Property(f"number {index}", draws.lognormal(0, 1, rows), "origin") for index in range(6)]
            properties = Properties((width, *others), examples="images", origin="files", appearance="", remedy="")
            told += bool(shortcut_findings(properties, labels, None, classes=("a", "b"), where="data"))
        return told

    tries = REPEATS * 5
    title = f"hospital that agrees with the class in {agreement:.0%} of {rows:,} images"
    return Found(title, tries, alarms(agreement), tries, alarms(0.5))
