"""What was covered is what was found, whatever the modality: each pretend model hangs on one part that we know."""

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.production.evidence import cells, pictures, stretches, words
from autotl.production.evidence.covering import AT_ONCE, Effect, Question, cover, predict_all


def two_classes(probability):
    probability = np.asarray(probability, dtype=np.float32)
    return np.stack([1 - probability, probability], axis=1)


def test_batches_have_one_size_and_the_order_is_kept():
    seen = []

    def predict(batch):
        seen.append(len(batch))
        return two_classes(batch[:, 0])

    examples = np.linspace(0, 1, 70, dtype=np.float32)[:, None]
    assert predict_all(predict, examples)[:, 1] == pytest.approx(examples[:, 0])
    assert seen == [AT_ONCE] * 3


def test_what_is_lost_is_log_odds_and_stays_finite():
    effect = Effect(0.9, np.array([0.5, 0.9, 1.0, 0.0]))
    assert effect.lost[0] == pytest.approx(np.log(9))
    assert effect.lost[1] == 0
    assert effect.lost[2] < 0
    assert np.isfinite(effect.lost).all()
    same = cover(Question(lambda batch: two_classes(np.ones(len(batch)))), np.zeros((1, 2)), np.zeros((3, 2)), 1)
    assert (same.lost == 0).all()


def test_of_a_number_the_difference_in_its_unit_is_lost_and_what_lowers_it_may_matter_most():
    effect = Question(lambda batch: batch, is_number=True).effect(2_000.0, np.array([1_990.0, 2_000.0, 2_040.0]))
    assert effect.lost == pytest.approx([10, 0, -40])
    assert effect.most == 2
    assert Effect(0.5, np.array([0.4, 0.9])).most == 0, "of a probability what speaks for it"


def test_what_is_lost_of_a_number_is_written_to_four_digits_of_the_greatest_in_any_unit():
    of_small, of_large, of_none = (
        Effect(before, np.array(after), is_number=True)
        for before, after in ((0.0, [-0.00012345678, 1e-9]), (0.0, [12_345.678, -1.0]), (3.0, [3.0, 3.0]))
    )
    assert [of_small.written(lost) for lost in of_small.lost.tolist()] == [0.0001235, 0.0]
    assert [of_large.written(lost) for lost in of_large.lost.tolist()] == [-12_350.0, 0.0]
    assert of_none.written(0.0) == 0.0


@pytest.mark.parametrize(
    ("row", "column", "place"), [(5, 5, "the top left"), (24, 24, "the centre"), (43, 5, "the bottom left")]
)
def test_a_map_points_at_the_bright_spot_that_decides(row, column, place):
    pixels = np.full((49, 49, 3), 20, dtype=np.uint8)
    pixels[row - 3 : row + 4, column - 3 : column + 4] = 250

    def predict(batch):  # sure where something is bright
        return two_classes(0.1 + 0.8 * (batch.max(axis=(1, 2, 3)) > 200))

    found = pictures.looked_at(pixels, Question(predict), 1)
    lost = np.array(found["map"])
    assert lost.shape == (pictures.CELLS, pictures.CELLS)
    assert np.unravel_index(lost.argmax(), lost.shape) == (row // 7, column // 7)
    assert found["place"] == place
    assert (found["before"], found["after"]) == pytest.approx((0.9, 0.1))


def test_an_image_that_is_smaller_than_its_map_is_survived():
    found = pictures.looked_at(
        np.zeros((4, 4, 3), dtype=np.uint8), Question(lambda batch: two_classes(np.full(len(batch), 0.5))), 0
    )
    assert (np.array(found["map"]) == 0).all()


def test_a_thumbnail_is_a_small_jpeg():
    pixels = np.random.default_rng(0).integers(0, 255, (224, 224, 3)).astype(np.uint8)
    address = pictures.shown(pixels)["thumbnail"]
    assert address.startswith("data:image/jpeg;base64,")
    image = Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1])))
    assert (image.format, image.size) == ("JPEG", (pictures.SIDE, pictures.SIDE))
    assert len(address) < 14_000, "noise is the worst there is to pack"


def deciding(word):
    return Question(lambda batch: two_classes([0.95 if word in text else 0.2 for text in batch]))


def test_the_deciding_word_weighs_most_and_the_text_is_whole():
    text = "the plot is thin,  but what a wonderful film\nit is"
    found = words.looked_at(text, deciding("wonderful"), 1)
    assert "".join(part for part, _ in found["parts"]) == text
    assert max(found["parts"], key=lambda part: part[1])[0].strip() == "wonderful"
    assert found["place"] == "wonderful"
    assert (found["before"], found["after"]) == pytest.approx((0.95, 0.2))
    assert not found["cut_before"]
    assert not found["cut_after"]


def test_of_a_long_text_the_stretch_around_the_deciding_word_is_shown():
    text = " ".join([*(f"word{number}" for number in range(900)), "awful", *["more"] * 300])
    found = words.looked_at(text, deciding("awful"), 1)
    shown = "".join(part for part, _ in found["parts"])
    assert "awful" in shown
    assert len(shown) <= words.MOST_SHOWN + 1
    assert found["cut_before"]
    assert found["cut_after"]
    assert len(words.parts_of(text)) == words.MOST_PARTS


@pytest.mark.parametrize("text", ["", "   ", "one"])
def test_a_text_without_two_words_has_nothing_to_take_out(text):
    assert words.looked_at(text, deciding("x"), 1) == {}
    assert words.shown(text)["parts"] == [[text, 0.0]]


def test_what_has_no_spaces_is_cut():
    spans = words.parts_of("这部电影非常好看我非常喜欢演员们的表演也非常精彩值得一看")
    assert len(spans) > 1
    assert spans[0][0] == 0
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_stretch_of_a_signal_is_found():
    time = np.arange(240)
    window = np.stack([np.sin(time / 3), np.zeros(240)], axis=1).astype(np.float32)
    window[100:110, 1] = 5.0

    def predict(batch):
        return two_classes(0.1 + 0.8 * (batch[:, :, 1].max(axis=1) > 4))

    found = stretches.looked_at(window, Question(predict), 1)
    assert found["place"] == "samples 101 to 110"
    assert int(np.argmax(found["lost"])) == 10
    assert len(found["lost"]) == stretches.STRETCHES
    shown = stretches.shown(window, ("left",))
    assert [channel["name"] for channel in shown["channels"]] == ["left", "channel 2"]
    assert (shown["channels"][1]["low"], shown["channels"][1]["high"]) == (0.0, 5.0)
    assert max(shown["channels"][1]["course"]) == 1.0


def test_signals_of_one_sample_and_of_many_channels_are_survived():
    flat = np.zeros((1, 5), dtype=np.float32)
    assert stretches.looked_at(flat, Question(lambda batch: two_classes(np.zeros(len(batch)))), 0) == {}
    shown = stretches.shown(flat, ())
    assert shown["more_channels"] == 2
    long = stretches.shown(np.sin(np.arange(9_000, dtype=np.float32))[:, None], ())
    assert len(long["channels"][0]["course"]) <= stretches.POINTS


def table(rows=200):
    draws = np.random.default_rng(0)
    columns = {
        "torque": [f"{value:.3f}" for value in draws.normal(size=rows)],
        "kind": draws.choice(["L", "M", "H"], rows).tolist(),
        "note|of": [f"{value:.3f}" for value in draws.normal(size=rows)],
    }
    records = records_from_table(Table(columns, range(2, rows + 2)), tuple(columns), origin="t.csv")
    return records.with_schema(fit_schema(records, np.arange(rows), where="t").schema)


def by_torque(batch):
    return two_classes(1 / (1 + np.exp(-4 * np.nan_to_num(batch[:, 0]))))


def test_the_cell_and_the_column_that_decide_come_first():
    records = table()
    row = int(np.argmax(records.read(np.arange(len(records)))[:, 0]))
    found = cells.looked_at(records, row, records.read(np.arange(12)), Question(by_torque), 1)
    assert found["place"] == "torque"
    first, *others = found["cells"]
    assert first["column"] == "torque"
    assert first["cell"] == records.cells["torque"].texts[records.cells["torque"].codes[row]]
    assert first["lost"] > 1
    assert all(other["lost"] == 0 for other in others)
    assert found["before"] > 0.99 > found["after"]


def test_the_cell_that_moves_a_number_is_found_in_its_unit():
    records = table()
    torque = records.read(np.arange(len(records)))[:, 0]
    row = int(np.argmin(torque))
    question = Question(lambda batch: 100 * np.nan_to_num(batch[:, :1]), is_number=True)
    found = cells.looked_at(records, row, records.read(np.arange(12)), question, 0)
    assert (found["place"], found["cells"][0]["column"]) == ("torque", "torque")
    assert found["cells"][0]["lost"] == pytest.approx(100 * (torque[row] - torque[:12].mean()), rel=1e-3)
    assert found["after"] > found["before"], "a low torque lowers it"


def test_only_the_column_that_is_read_is_missed():
    records = table()
    labels = (records.read(np.arange(len(records)))[:, 0] > 0).astype(int)
    lines = cells.columns_that_matter(
        records, by_torque, lambda said: float(np.mean(said.argmax(axis=1) == labels)), seed=0, is_over=lambda: False
    )
    assert lines[0]["column"] == "torque"
    assert 0.4 < lines[0]["low"] <= lines[0]["drop"] <= lines[0]["high"] < 0.6
    assert all(line["drop"] == 0 for line in lines[1:])
    late = cells.columns_that_matter(records, by_torque, lambda said: 0.0, seed=0, is_over=lambda: True)
    assert late == []
