import io

import numpy as np
import pytest
from PIL import Image

from autotl.data.images import array_looks, inspect_file
from autotl.data.looks import NUMBERS, gathered

GRADIENT = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))


def look(image: Image.Image, tmp_path, **saving):
    content = io.BytesIO()
    image.save(content, **{"format": "PNG", **saving})
    (tmp_path / "image").write_bytes(content.getvalue())
    found = inspect_file(str(tmp_path / "image")).look
    assert found is not None
    return found, dict(zip(NUMBERS, found.numbers.tolist(), strict=True)), len(content.getvalue())


def test_a_look_tells_how_the_file_was_made(tmp_path):
    said = Image.Exif()
    said[0x010F], said[0x0110] = "Canon", "EOS 5D"
    found, numbers, size = look(Image.fromarray(GRADIENT), tmp_path, format="JPEG", quality=50, exif=said)
    assert (found.format, found.mode, found.camera) == ("JPEG", "L", "Canon EOS 5D")
    assert (numbers["width"], numbers["height"], numbers["bytes"]) == (64, 48, size)
    assert numbers["quantisation"] == pytest.approx(57.6, abs=0.1)
    _, numbers, _ = look(Image.fromarray(GRADIENT), tmp_path)
    assert np.isnan(numbers["quantisation"])


def test_a_look_tells_how_the_image_looks(tmp_path):
    _, plain, _ = look(Image.new("RGB", (40, 40), (200, 100, 100)), tmp_path)
    assert plain["colour"] == pytest.approx(100)
    assert plain["brightness"] == pytest.approx(130, abs=1)
    assert plain["contrast"] == plain["unrest_of_border"] == plain["filled"] == 0
    image = Image.new("L", (64, 64), 0)
    image.paste(255, (16, 16, 48, 48))
    _, framed, _ = look(image, tmp_path)
    assert framed["border"] == 0
    assert framed["filled"] == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_thumbnail_and_the_size_are_upright(tmp_path, orientation):
    turned = Image.Exif()
    turned[0x0112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what Pillow calls the turn that the EXIF will undo
    lying = Image.fromarray(GRADIENT)
    if orientation in back:
        lying = lying.transpose(Image.Transpose(back[orientation]))
    found, numbers, _ = look(lying, tmp_path, exif=turned)
    straight, _, _ = look(Image.fromarray(GRADIENT), tmp_path)
    assert (numbers["width"], numbers["height"]) == (64, 48)
    assert np.abs(found.thumbnail.astype(int) - straight.thumbnail).max() <= 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK"])
def test_every_mode_has_a_look(tmp_path, mode):
    kind = {"I;16": Image.fromarray(GRADIENT.astype(np.uint16) * 257)}
    image = kind.get(mode) or Image.fromarray(GRADIENT).convert(mode)
    _, numbers, _ = look(image, tmp_path, format="TIFF" if mode == "CMYK" else "PNG")
    assert numbers["brightness"] == pytest.approx(127, abs=12)


def test_rows_of_an_array_are_looked_at_without_a_file():
    grey, coloured = (np.random.default_rng(0).integers(0, 256, shape, np.uint8) for shape in ((3, 9, 7), (3, 9, 7, 3)))
    for pixels in (grey, coloured):
        looks = array_looks(pixels)
        assert [(one.numbers[0], one.numbers[1]) for one in looks] == [(7, 9)] * 3
        assert all(np.isnan(one.numbers[2]) for one in looks)


def test_looks_are_found_by_content():
    first, second = array_looks(np.stack([GRADIENT, GRADIENT[:, ::-1]]))
    looks = gathered({"one": first, "two": second})
    assert looks.rows(["two", "three", "one"]).tolist() == [1, -1, 0]
    assert looks.thumbnails.shape == (2, 256)
    assert len(gathered({})) == 0
