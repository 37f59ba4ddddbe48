"""Each modality's properties, and what is planted in them."""

import numpy as np
import pytest

from autotl.data import load_data
from autotl.data.auditing.described import can_be_described
from autotl.data.auditing.properties import Property, binned, described
from autotl.data.auditing.signal_properties import recording_step
from autotl.data.auditing.text_properties import text_properties
from autotl.data.looks import MOST_LOOKED_AT, gathered, is_looked_at, jpeg_quality

WORDS = (
    "the",
    "film",
    "was",
    "good",
    "bad",
    "long",
    "and",
    "I",
    "saw",
    "it",
    "twice",
    "from",
    "1990",
    "in",
    "a",
    "cinema",
)


def shortcuts_of(task):
    return [finding for finding in load_data(task).findings if finding.code == "shortcut"]


def sentences(draws, rows: int) -> list[str]:
    return [" ".join(draws.choice(WORDS, draws.integers(5, 30))).capitalize() + "." for _ in range(rows)]


WRITTEN = {
    "white space at the end": lambda text: text + " ",
    "white space at the beginning": lambda text: "\n" + text,
    "the line ends": lambda text: text.replace(" film", "\r\nfilm") + "\r\nend",
    "the letter case": str.lower,
    "curly quotation marks": lambda text: f"“{text}”",
    "markup": lambda text: text + "<br />so",
    "misread characters": lambda text: text.replace("a", "Ã¡"),
}


@pytest.mark.parametrize("habit", WRITTEN)
def test_a_habit_of_writing_that_tells_the_class_is_named(make_task, tmp_path, habit):
    draws = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number, text in enumerate(sentences(draws, 60)):
            written = WRITTEN[habit](text) if label == "b" else text
            (tmp_path / "texts" / label / f"{number}.txt").write_bytes(written.encode())
    finding = next(found for found in shortcuts_of(make_task("texts", modality="text")) if found.severity == "warning")
    assert finding.message.startswith("data.target.train: habits of writing")
    assert f"most by {habit} (" in finding.message or any(line.startswith(habit) for line in finding.examples)


def test_a_class_of_long_texts_is_asked_about(make_task, tmp_path):
    draws = np.random.default_rng(0)
    for label, times in (("note", 1), ("essay", 6)):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(60):
            text = " ".join(sentences(draws, times))
            (tmp_path / "texts" / label / f"{number}.txt").write_text(text)
    (finding,) = shortcuts_of(make_task("texts", modality="text"))
    assert "length, capitals, digits and signs of the texts alone tell the classes" in finding.message
    assert "by the number of characters (at" in finding.message


def test_texts_of_one_hand_raise_no_alarm(make_task, tmp_path):
    draws = np.random.default_rng(0)
    lines = [f'"{text}",{label}' for text, label in zip(sentences(draws, 400), "ab" * 200, strict=True)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]))
    assert load_data(make_task("texts.csv", modality="text")).findings == ()


@pytest.mark.parametrize("domain", ["books", "kitchen"])
def test_real_reviews_raise_no_alarm(shared_data, make_task, domain):
    columns = {"input": "text", "label": "label"}
    task = make_task(str(shared_data / "amazon_reviews" / f"{domain}.csv"), columns=columns, modality="text")
    assert shortcuts_of(task) == []


def test_only_the_beginning_of_a_long_text_is_counted_through():
    (capitals,) = [one for one in text_properties(["a" * 5_000 + "A" * 5_000]).columns if "capitals" in one.name]
    assert capitals.values.tolist() == [0.0]


def table(tmp_path, rows):
    (tmp_path / "table.csv").write_text("\n".join(["first,second,third,label", *rows]))
    return "table.csv"


def test_a_pattern_of_empty_cells_that_tells_the_class_is_asked_about(make_task, tmp_path):
    draws = np.random.default_rng(0)
    rows = []
    for _ in range(600):
        label = int(draws.integers(0, 2))
        cells = ["" if draws.random() < (0.65 if label else 0.1) else f"{draws.normal():.3f}" for _ in range(3)]
        rows.append(",".join([*cells, f"class {label}"]))
    (finding,) = shortcuts_of(make_task(table(tmp_path, rows), modality="table"))
    assert "the empty cells alone tell the classes" in finding.message
    assert "most by the number of empty cells (at " in finding.message


@pytest.mark.parametrize(("order", "alarms"), [("shuffled", 0), ("sorted", 0), ("drifting", 1)])
def test_classes_that_come_and_go_along_a_file_are_told(make_task, tmp_path, order, alarms):
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 2, 800)
    if order == "sorted":
        labels = np.sort(labels)
    elif order == "drifting":
        labels = (draws.random(800) < np.where(np.arange(800) // 200 % 2, 0.97, 0.03)).astype(int)
    rows = [f"{draws.normal():.3f},{draws.normal():.3f},{draws.normal():.3f},class {label}" for label in labels]
    told = shortcuts_of(make_task(table(tmp_path, rows), modality="table"))
    assert [finding.severity for finding in told] == ["info"] * alarms
    assert all("the places of the rows in their file alone tell the classes" in finding.message for finding in told)


def recorded(draws, rows, *, step, offset=0.0):
    """Vibrations as a recorder keeps them."""
    samples = draws.normal(0, 1, (rows, 256)) + offset
    return (np.rint(samples / step) * step).astype(np.float32)


def test_classes_from_two_recorders_are_told_apart_by_their_steps(make_task, tmp_path):
    draws = np.random.default_rng(0)
    signals = np.concatenate([recorded(draws, 60, step=0.01), recorded(draws, 60, step=0.013)])
    np.savez(tmp_path / "d.npz", x=signals, y=["sound"] * 60 + ["worn"] * 60)
    (finding,) = shortcuts_of(make_task("d.npz", modality="signal"))
    assert finding.severity == "warning"
    assert "most by the step of the recording (0.013 in 100% of 'worn' and in 0% of the others)" in finding.message


def test_an_offset_is_a_mild_question_and_one_recorder_raises_no_alarm(make_task, tmp_path):
    draws = np.random.default_rng(0)
    labels = ["sound"] * 60 + ["worn"] * 60
    signals = np.concatenate([recorded(draws, 60, step=0.01), recorded(draws, 60, step=0.01, offset=1.0)])
    np.savez(tmp_path / "offset.npz", x=signals, y=labels)
    np.savez(tmp_path / "same.npz", x=recorded(draws, 120, step=0.01), y=labels)
    (finding,) = shortcuts_of(make_task("offset.npz", modality="signal"))
    assert (finding.severity, "most by the offset" in finding.message) == ("info", True)
    assert shortcuts_of(make_task("same.npz", modality="signal")) == []


@pytest.mark.parametrize("step", [0.01, 0.03, 1.0])
def test_the_step_of_a_recorder_is_found_and_numbers_of_any_size_have_none(step):
    draws = np.random.default_rng(0)
    assert recording_step(recorded(draws, 1, step=step)[0].astype(float)) == pytest.approx(step, rel=1e-2)
    assert np.isnan(recording_step(draws.normal(0, 1, 256)))
    assert np.isnan(recording_step(np.zeros(256)))


def test_bins_are_quantiles_and_the_missing_stand_apart():
    values = np.array([1.0, 1.0, 2.0, np.nan, 3.0])
    assert binned(values).tolist() == [1, 1, 2, 0, 2]
    assert (binned(np.arange(1_600.0)).max(), binned(np.arange(60.0)).max()) == (15, 3)
    assert binned(np.full(5, np.nan)).tolist() == [0] * 5
    assert binned(["b", "b", "a", "b", "c"]).tolist() == [0, 0, 1, 0, 2]


def test_a_property_is_described_where_the_classes_differ_most():
    here = np.arange(100) < 50
    width = Property("the width", np.where(here, 512.0, np.arange(100.0) + 600), "origin")
    assert described(width, here, "a") == "the width (512 in 100% of 'a' and in 0% of the others)"
    light = Property("the light", np.where(here, 10.0, 200.0) + np.linspace(0, 50, 100), "appearance")
    assert described(light, here, "a") == "the light (at least 225 in 0% of 'a' and in 100% of the others)"


@pytest.mark.parametrize("quality", [25, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(tmp_path, quality):
    from PIL import Image

    Image.new("RGB", (16, 16)).save(tmp_path / "a.jpg", quality=quality)
    with Image.open(tmp_path / "a.jpg") as image:
        mean = np.array([np.mean(image.quantization[0])])
    assert abs(jpeg_quality(mean)[0] - quality) <= 2


def test_of_very_many_images_an_even_part_is_looked_at_whatever_their_order():
    draws = np.random.default_rng(0)
    digests = [draws.bytes(16).hex() for _ in range(2_000)]
    assert all(is_looked_at(digest, of=MOST_LOOKED_AT) for digest in digests)
    share = np.mean([is_looked_at(digest, of=4 * MOST_LOOKED_AT) for digest in digests])
    assert share == pytest.approx(0.25, abs=0.04)


def test_images_that_were_not_looked_at_are_not_described(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12})
    images = load_data(make_task("photos")).inputs[0]
    assert not can_be_described(images, gathered({})).any()
