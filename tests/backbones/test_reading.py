"""Every way to read examples keeps its word: shape, type, equal values each time, a description to be made from."""

import json

import numpy as np
import pytest
from text_toys import PADDED_WITH_0, PADDED_WITH_LAST

from autotl.backbones.form import Form, of_images
from autotl.backbones.reading import (
    ColumnReading,
    PixelReading,
    SampleReading,
    StringReading,
    TokenReading,
    own_reading,
    reading_from,
)
from autotl.data.images import ImageArray, array_digests
from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.data.texts import texts_of
from autotl.data.windows import windows_from_samples
from autotl.errors import StorageError

ROWS = 5
IDS = tuple(f"row {row}" for row in range(ROWS))
TABLE = {
    "speed": ["1", "2.5", "", "4", "-3"],
    "grade": ["L", "NA", "M", "", "L"],
    "day": [f"2024-01-0{d + 1}" for d in range(5)],
}


def images():
    pixels = np.random.default_rng(0).integers(0, 255, (ROWS, 6, 7, 3), dtype=np.uint8)
    return ImageArray(pixels, IDS, array_digests(pixels))


def images_with_margins():
    pixels = np.zeros((ROWS, 20, 30, 3), dtype=np.uint8)
    pixels[:, 4:12, 6:15] = np.random.default_rng(0).integers(90, 255, (ROWS, 8, 9, 3), dtype=np.uint8)
    return ImageArray(pixels, IDS, array_digests(pixels))


def texts():
    return texts_of(["the cat", "a b c d e f g h", "NA", "😀", "the the"], IDS)


def records():
    found = records_from_table(Table(TABLE, range(2, 2 + ROWS)), tuple(TABLE))
    return found.with_schema(fit_schema(found, np.arange(ROWS), where="data").schema)


def windows():
    return windows_from_samples(np.random.default_rng(0).normal(size=(ROWS, 12, 2)).astype(np.float32), ids=IDS)


READINGS = {
    "pixels": (PixelReading(8), images),
    "cropped pixels": (PixelReading(8, "content"), images_with_margins),
    "tokens": (TokenReading(PADDED_WITH_0, 6), texts),
    "strings": (StringReading(), texts),
    "columns": (ColumnReading(records().schema), records),
    "samples": (SampleReading((12, 2)), windows),
}


@pytest.mark.parametrize("name", READINGS)
def test_what_is_read_has_the_shape_and_type_that_are_promised(name):
    reading, make = READINGS[name]
    read = reading(make(), np.arange(ROWS))
    assert len(read) == ROWS
    assert all(size is None or size == seen for size, seen in zip(reading.shape, read.shape[1:], strict=True))
    assert read.dtype == (object if reading.dtype == "string" else reading.dtype)


@pytest.mark.parametrize("name", READINGS)
def test_rows_come_in_the_order_asked_for_and_alike_each_time(name):
    reading, make = READINGS[name]
    inputs = make()
    whole = reading(inputs, np.arange(ROWS))
    np.testing.assert_array_equal(reading(inputs, np.array([3, 0, 3])), whole[[3, 0, 3]])
    np.testing.assert_array_equal(reading(inputs.take(np.array([4, 2])), np.arange(2)), whole[[4, 2]])
    assert len(reading(inputs, np.arange(0))) == 0


@pytest.mark.parametrize("name", [name for name in READINGS if name != "tokens"])
def test_a_bundle_makes_it_again_from_plain_json(name):
    reading, make = READINGS[name]
    described = json.loads(json.dumps(reading.as_dict()))
    again = reading_from(described)
    assert again == reading
    assert again.digest == reading.digest
    np.testing.assert_array_equal(again(make(), np.arange(ROWS)), reading(make(), np.arange(ROWS)))


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"reads": "minds"},
        {"reads": "tokens", "sequence_length": 8},  # what ships has its tokenizer inside
        {"reads": "pixels"},
        {"reads": "pixels", "image_size": "large"},
        {"reads": "pixels", "image_size": 8, "crop": "corners"},
        {"reads": "pixels", "image_size": 8, "crop": ["content"]},
        {"reads": "samples", "window": 12},
        {"reads": "samples", "window": [12, 2, 3]},
        {"reads": "samples", "window": ["many", 1]},
        {"reads": "columns"},
        {"reads": "columns", "schema": {"format": 1, "columns": []}},
        {"reads": "columns", "schema": "speed"},
        {"reads": "columns", "schema": {"format": 2, "columns": [{"kind": "numeric"}]}},
    ],
)
def test_a_description_of_nothing_is_a_storage_error(described):
    with pytest.raises(StorageError):
        reading_from(described)


@pytest.mark.parametrize("described", [[], "pixels", None, 3])
def test_a_description_that_is_no_mapping_is_a_storage_error(described):
    with pytest.raises(StorageError):
        reading_from(described)


def test_the_digest_says_what_decides_the_values():
    schema = records().schema
    other = fit_schema(records(), np.arange(3), where="data").schema
    tokens = [TokenReading(PADDED_WITH_0, 6), TokenReading(PADDED_WITH_0, 7), TokenReading(PADDED_WITH_LAST, 6)]
    digests = [reading.digest for reading in (*tokens, ColumnReading(schema), ColumnReading(other))]
    assert len(set(digests)) == len(digests)
    assert TokenReading(PADDED_WITH_0, 6).digest == digests[0]


def test_only_a_crop_changes_the_digest_of_pixels_so_that_stored_features_stay_valid():
    assert [PixelReading(8).digest, PixelReading(8, "none").digest, PixelReading(96).digest] == ["", "", ""]
    assert PixelReading(8, "content").digest == "crop content"


def test_a_description_of_the_first_version_has_no_crop():
    assert reading_from({"reads": "pixels", "image_size": 8}) == PixelReading(8, "none")
    assert PixelReading(8, "content").as_dict()["crop"] == "content"


def test_a_cropped_reading_sees_no_margin():
    plain, cropped = (PixelReading(8, crop)(images_with_margins(), np.arange(ROWS)) for crop in ("none", "content"))
    assert (plain == 0).mean() > 0.5
    assert (cropped == 0).mean() < 0.1


def test_tokens_are_the_tokenizers_own_with_its_padding():
    for wordpiece in (PADDED_WITH_0, PADDED_WITH_LAST):
        read = TokenReading(wordpiece, 6)(texts(), np.arange(ROWS))
        np.testing.assert_array_equal(read, wordpiece.encode(list(texts().texts), 6))
        assert read[0].tolist()[:1] == [wordpiece.start_id]
        assert read[0].tolist()[-2:] == [wordpiece.padding_id] * 2


def test_strings_and_columns_stay_what_they_are():
    assert StringReading()(texts(), np.array([2, 3])).tolist() == ["NA", "😀"]
    read = ColumnReading(records().schema)(records(), np.arange(ROWS))
    assert np.isnan(read[2, 0])
    assert read[:, 1].tolist() == [1, 3, 2, 0, 1], "codes from 1, 0 for an empty cell"


def test_a_form_is_read_in_its_own_way():
    schema = records().schema
    assert own_reading(of_images(32)) == PixelReading(32)
    assert own_reading(of_images(32, crop="content")) == PixelReading(32, "content")
    assert own_reading(Form("text", sequence_length=64)) == StringReading()
    assert own_reading(Form("table", schema=schema)) == ColumnReading(schema)
    assert own_reading(Form("signal", image_size=96, window=(64, 2))) == SampleReading((64, 2))
