import io
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autotl.data.examples import View
from autotl.data.images import (
    MAX_PIXELS,
    BrokenImageError,
    ImageArray,
    ImageFiles,
    array_digests,
    decode_image,
    digest_of,
    inspect_file,
    join_images,
    pixels_from_array,
)
from autotl.errors import DataError

# of a process of its own; ru_maxrss would begin with what this one held when it started that one
PEAK = """\
import re, sys
from pathlib import Path
def peak_kib():
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1])
"""
tells_peaks = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a peak this way")


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def halves(left: tuple[int, int, int], right: tuple[int, int, int], side: int = 8) -> Image.Image:
    pixels = np.zeros((side, side, 3), dtype=np.uint8)
    pixels[:, : side // 2], pixels[:, side // 2 :] = left, right
    return Image.fromarray(pixels)


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A small PNG of zeros whose header promises 400 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    squeezer = zlib.compressobj(9)
    rows = b"".join(squeezer.compress(b"\0" * (width // 8 + 1) * 100) for _ in range(height // 100)) + squeezer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_an_image_becomes_a_square_of_rgb_bytes():
    pixels = decode_image(encoded(Image.new("RGB", (30, 10), (10, 20, 30))), 16)
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == (10, 20, 30)).all()


def test_bytes_and_the_file_that_holds_them_give_the_same_pixels(tmp_path):
    content = encoded(halves((255, 0, 0), (0, 0, 255)))
    (tmp_path / "a.png").write_bytes(content)
    assert (decode_image(content, 5) == decode_image(tmp_path / "a.png", 5)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_of_the_list_is_read(kind):
    pixels = decode_image(encoded(Image.new("RGB", (16, 16), (200, 100, 50)), kind), 8).astype(int)
    assert np.abs(pixels - (200, 100, 50)).max() <= 12


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PDF"])
def test_other_formats_are_refused(kind):
    with pytest.raises(BrokenImageError, match="is no JPEG, PNG, WebP, BMP, GIF or TIFF"):
        decode_image(encoded(Image.new("RGB", (16, 16)), kind), 8)


@pytest.mark.parametrize(
    ("image", "grey"),
    [
        (Image.new("L", (4, 4), 128), 128),
        (Image.new("1", (4, 4), 1), 255),
        (Image.fromarray(np.full((4, 4), 128 * 257, dtype=np.uint16)), 128),
        (Image.fromarray(np.full((4, 4), 200, dtype=np.uint16)), 1),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), 255),
        (Image.new("RGBA", (4, 4), (9, 9, 9, 255)), 9),
        (Image.new("LA", (4, 4), (0, 0)), 255),
        (Image.new("P", (4, 4), 0), 0),
    ],
)
def test_every_mode_means_the_grey_it_shows_on_white_paper(image, grey):
    pixels = decode_image(encoded(image), 4)
    assert np.abs(pixels.astype(int) - grey).max() <= 1


def test_cmyk_and_float_images_become_rgb():
    red = decode_image(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), 4)
    assert red[0, 0, 0] > 200
    assert red[0, 0, 1] < 60
    half = decode_image(encoded(Image.fromarray(np.full((4, 4), 0.5, dtype=np.float32)), "TIFF"), 4)
    assert np.abs(half.astype(int) - 128).max() <= 1


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert tuple(decode_image(content, 4)[0, 0]) == (255, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_exif_says(orientation):
    from PIL import ImageOps

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    assert (decode_image(content, 8) == expected).all()


def test_a_sideways_photo_reports_its_upright_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif))
    seen = inspect_file(str(tmp_path / "a.jpg"))
    assert (seen.width, seen.height) == (10, 20)


def test_shrinking_averages_instead_of_skipping():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    pixels = decode_image(encoded(Image.fromarray(stripes)), 8)
    assert np.abs(pixels.astype(int) - 127).max() <= 6  # the border sees one stripe more


def test_a_large_jpeg_is_decoded_at_a_reduced_scale_that_looks_the_same():
    gradient = np.linspace(0, 255, 2000).astype(np.uint8)
    image = Image.fromarray(np.tile(gradient, (2000, 1)))
    small = decode_image(encoded(image, "JPEG", quality=95), 32)
    exact = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(small[..., 0].astype(int) - exact).max() <= 3


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"hello, I am no image\n", "it holds text"),
        (b"\x00\x01\x02" * 50, "its first bytes are unknown"),
        (encoded(Image.effect_noise((64, 64), 90), "JPEG")[:900], "cannot be decoded: image file is truncated"),
        (encoded(Image.effect_noise((64, 64), 90))[:-600], "cannot be decoded"),
        (bomb(), "would unpack to more than 80,000,000 pixels"),
        (bomb(10_000, 10_000), "would unpack to more than 80,000,000 pixels (10000 x 10000)"),
        (b"\xff\xd8\xff\xe0garbage", "broken header|no JPEG"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_its_reason(tmp_path, content, words):
    (tmp_path / "a.jpg").write_bytes(content)
    seen = inspect_file(str(tmp_path / "a.jpg"))
    assert seen.broken is not None
    assert any(word in seen.broken for word in words.split("|"))
    with pytest.raises(BrokenImageError):
        decode_image(content, 8)


@tells_peaks
def test_a_decompression_bomb_is_refused_from_its_header_within_50_mb(tmp_path):
    content = bomb()
    assert len(content) < 60_000
    (tmp_path / "bomb.png").write_bytes(content)
    code = (
        f"{PEAK}"
        "from PIL import Image\n"
        "from autotl.data.images import inspect_file\n"
        "before = peak_kib()\n"
        "assert inspect_file(sys.argv[1]).broken\n"
        "print(peak_kib() - before)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "bomb.png")]
    grown_kib = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown_kib < 50 * 1024
    assert MAX_PIXELS < 20_000 * 20_000


def test_a_missing_file_is_broken_and_not_a_crash(tmp_path):
    assert inspect_file(str(tmp_path / "nowhere.png")).broken == "is not there"


def files_in(folder, count: int) -> ImageFiles:
    draws = np.random.default_rng(count)
    names = []
    for number in range(count):
        image = Image.fromarray(draws.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        (folder / f"{number}.png").write_bytes(encoded(image))
        names.append(f"{number}.png")
    digests = tuple(digest_of((folder / name).read_bytes()) for name in names)
    return ImageFiles(str(folder), tuple(names), tuple(names), digests)


def array_of(count: int) -> ImageArray:
    pixels = np.random.default_rng(9).integers(0, 256, (count, 5, 5), dtype=np.uint8)
    return ImageArray(pixels, tuple(f"row {row}" for row in range(count)), array_digests(pixels))


def test_files_arrays_and_both_joined_read_the_rows_asked_for(tmp_path):
    files, array = files_in(tmp_path, 20), array_of(4)
    joined = join_images([files, array])
    assert joined.ids == (*files.ids, *array.ids)
    assert joined.digests == (*files.digests, *array.digests)
    rows = np.array([21, 3, 20, 3])
    pixels = joined.read(rows, size=7)
    assert pixels.shape == (4, 7, 7, 3)
    assert (pixels[1] == files.read(np.array([3]), size=7)[0]).all()
    assert (pixels[0] == array.read(np.array([1]), size=7)[0]).all()
    assert (joined.read(np.arange(24), size=7)[rows] == pixels).all()


def test_taking_and_joining_again_keeps_every_row(tmp_path):
    joined = join_images([files_in(tmp_path, 6), array_of(4)])
    some = joined.take(np.array([8, 1, 1, 6]))
    assert some.ids == tuple(joined.ids[row] for row in (8, 1, 1, 6))
    assert some.digests == tuple(joined.digests[row] for row in (8, 1, 1, 6))
    twice = join_images([some, joined])
    expected = joined.read(np.array([8, 1, 1, 6, 0, 9]), size=4)
    assert (twice.read(np.array([0, 1, 2, 3, 4, 13]), size=4) == expected).all()


def test_reading_no_rows_gives_an_empty_batch(tmp_path):
    assert files_in(tmp_path, 2).read(np.array([], dtype=np.int64), size=4).shape == (0, 4, 4, 3)


def test_a_view_changes_the_pixels_and_always_the_same_way(tmp_path):
    files, view = files_in(tmp_path, 3), View("crop_flip_light", 2)
    rows = np.array([0, 1, 2])
    first = files.read(rows, size=8, view=view)
    assert (first == files.read(rows, size=8, view=view)).all()
    assert (first[[2]] == files.read(np.array([2]), size=8, view=view)).all()
    assert (first != files.read(rows, size=8)).any()
    assert (files.read(rows, size=8, view=View("crop_flip", 0)) == files.read(rows, size=8)).all()


def test_a_view_of_bytes_equals_that_of_the_data_set(tmp_path):
    files, view = files_in(tmp_path, 1), View("crop", 4)
    assert (decode_image(tmp_path / "0.png", 8, view=view) == files.read(np.array([0]), size=8, view=view)[0]).all()


def test_image_files_pickle_as_names_not_pixels(tmp_path):
    files = files_in(tmp_path, 50)
    assert len(pickle.dumps(files)) < 50 * 150
    again = pickle.loads(pickle.dumps(files))
    assert (again.read(np.array([7]), size=4) == files.read(np.array([7]), size=4)).all()


def test_a_file_that_breaks_after_loading_is_named(tmp_path):
    files = files_in(tmp_path, 2)
    (tmp_path / "1.png").write_bytes(b"oops")
    with pytest.raises(DataError, match=r"1\.png: the file is no JPEG"):
        files.read(np.array([0, 1]), size=4)


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (np.full((2, 3, 3), 7, np.uint8), 7),
        (np.full((2, 3, 3, 1), 7, np.int64), 7),
        (np.full((2, 3, 3, 3), 0.5, np.float32), 128),
        (np.full((2, 3, 3), 200.4, np.float64), 200),
        (np.full((2, 3, 3), 65535, np.uint16), 255),
        (np.full((2, 3, 3), True), 255),
    ],
)
def test_arrays_of_every_common_kind_become_bytes(values, value):
    pixels = pixels_from_array(values)
    assert pixels.dtype == np.uint8
    assert (pixels == value).all()
    assert pixels.ndim in (3, 4)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 9)), "has shape"),
        (np.zeros((4, 9, 9, 2)), "has shape"),
        (np.zeros((4, 0, 9)), "has shape"),
        (np.full((2, 3, 3), -1.0), "values from -1 to -1"),
        (np.full((2, 3, 3), np.nan), "values from nan"),
        (np.full((2, 3, 3), 300), "values from 300 to 300"),
        (np.full((2, 3, 3), "a"), "values of type <U1"),
    ],
)
def test_arrays_that_are_no_images_are_refused(values, words):
    with pytest.raises(BrokenImageError, match=words):
        pixels_from_array(values)


def test_equal_rows_have_equal_digests_and_others_not():
    pixels = np.zeros((3, 4, 4), dtype=np.uint8)
    pixels[2, 0, 0] = 1
    first, second, third = array_digests(pixels)
    assert first == second != third
    assert first != array_digests(pixels.reshape(3, 2, 8))[0]


# Crops to the content -------------------------------------------------------------------------------------------------


def framed(inner: np.ndarray, *, height: int, width: int, top: int, left: int, background: int = 0) -> np.ndarray:
    """An image with a margin around something."""
    pixels = np.full((height, width, 3), background, dtype=np.uint8)
    pixels[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return pixels


def sign(side: int = 40) -> np.ndarray:
    """Content that reaches all four borders and is bright everywhere."""
    return np.random.default_rng(3).integers(120, 256, (side, side, 3), dtype=np.uint8)


def whole_of(pixels: np.ndarray, size: int = 16) -> np.ndarray:
    return decode_image(encoded(Image.fromarray(pixels)), size)


def test_two_margins_are_one_image_once_they_are_cropped():
    wide, narrow = (
        framed(sign(), height=100, width=140, top=30, left=70, background=10),
        framed(sign(), height=60, width=60, top=10, left=12, background=10),
    )
    one, other = (decode_image(encoded(Image.fromarray(pixels)), 16, crop="content") for pixels in (wide, narrow))
    assert np.abs(one.astype(int) - other).max() <= 2
    assert np.abs(whole_of(wide).astype(int) - whole_of(narrow)).max() > 60


def test_without_a_margin_there_is_nothing_to_crop():
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)))
    assert (decode_image(content, 16, crop="content") == decode_image(content, 16)).all()
    blank = encoded(Image.new("RGB", (40, 20), (9, 120, 30)))
    assert (decode_image(blank, 16, crop="content") == decode_image(blank, 16)).all()


def test_a_narrow_image_is_filled_up_with_the_background_of_its_border():
    pixels = framed(sign(40)[:8], height=16, width=80, top=4, left=20, background=0)
    pixels[(pixels == 0).all(axis=2)] = (200, 30, 60)
    pixels = np.pad(pixels[2:14, 18:62], ((0, 0), (0, 0), (0, 0)))  # 12 x 44: the content is longer than it is high
    read = decode_image(encoded(Image.fromarray(pixels)), 44, crop="content")
    assert (read[[0, -1]] == (200, 30, 60)).all(), "beyond the image"
    expected = np.asarray(Image.fromarray(pixels).resize((44, 12), Image.Resampling.BILINEAR))
    assert np.abs(read[16:28].astype(int) - expected).mean() < 12, "at its own proportions"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "I;16"])
def test_every_mode_is_cropped_and_filled_up(mode):
    grey = np.zeros((12, 60), dtype=np.uint8)
    grey[3:9, 4:56] = 255
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    read = decode_image(encoded(image, "TIFF" if mode == "CMYK" else "PNG"), 32, crop="content")
    assert read.shape == (32, 32, 3)
    assert read[16, 16].min() > 240
    assert read[:8].max() < 15
    assert read[-8:].max() < 15


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_crop_is_turned_as_the_exif_says(orientation):
    from PIL import ImageOps

    image = Image.fromarray(framed(sign(), height=64, width=90, top=12, left=30))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    expected = decode_image(encoded(upright), 16, crop="content").astype(int)
    assert np.abs(decode_image(content, 16, crop="content") - expected).max() <= 1


def test_a_large_image_is_searched_at_a_reduced_scale_with_nearly_the_same_box():
    inner = np.kron(sign(20), np.ones((24, 24, 1), dtype=np.uint8))
    pixels = framed(inner, height=1000, width=1400, top=203, left=701)
    read = decode_image(encoded(Image.fromarray(pixels)), 40, crop="content")
    exact = Image.fromarray(pixels).resize((40, 40), Image.Resampling.BILINEAR, box=(677, 179, 1205, 707))
    assert np.abs(read.astype(int) - np.asarray(exact)).mean() < 6


def test_small_content_of_a_large_jpeg_is_read_at_full_scale():
    inner = np.kron(sign(8) // 2 * 2, np.ones((16, 16, 1), dtype=np.uint8))
    pixels = framed(inner, height=1600, width=1600, top=800, left=320)
    exact, jpeg = (
        decode_image(encoded(Image.fromarray(pixels), kind, **options), 64, crop="content").astype(int)
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 95, "subsampling": 0}))
    )
    assert np.abs(jpeg - exact).mean() < 6
    coarse = Image.fromarray(pixels).reduce(8).resize((64, 64), box=(39, 99, 57, 117))
    assert np.abs(np.asarray(coarse).astype(int) - exact).mean() > 8, "what a reduced scale would have kept"


def test_a_random_view_is_drawn_inside_the_crop():
    """Two margins around one content give the same views: none of them sees a margin."""
    bright = framed(sign(64), height=64, width=64, top=0, left=0)
    for number in range(1, 9):
        view = View("crop_flip_light", number)
        array = ImageArray(np.pad(bright, ((30, 40), (20, 50), (0, 0)))[None], ("a",), (digest_of(b"one"),))
        tight = ImageArray(np.pad(bright, ((8, 8), (8, 8), (0, 0)))[None], ("a",), array.digests)
        row = np.array([0])
        one, other = (images.read(row, size=24, view=view, crop="content") for images in (array, tight))
        assert np.abs(one.astype(int) - other).max() <= 3
        assert (one != array.read(row, size=24, crop="content")).any()


def test_files_arrays_and_what_joins_them_crop_alike(tmp_path):
    pixels = np.stack([framed(sign(20 + row), height=70, width=70, top=5 + row, left=30) for row in range(3)])
    for row, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{row}.png")
    names = tuple(f"{row}.png" for row in range(3))
    digests = tuple(digest_of((tmp_path / name).read_bytes()) for name in names)
    files, array = ImageFiles(str(tmp_path), names, names, digests), ImageArray(pixels, names, digests)
    rows, view = np.arange(3), View("crop", 1)
    read = files.read(rows, size=16, view=view, crop="content")
    assert (read == array.read(rows, size=16, view=view, crop="content")).all()
    joined = join_images([files, array])
    assert (joined.read(np.array([4, 0]), size=16, view=view, crop="content") == read[[1, 0]]).all()
    assert (read != files.read(rows, size=16, view=view)).any()


@tells_peaks
def test_a_photo_of_50_megapixels_is_decoded_at_a_reduced_scale_within_500_mb(tmp_path):
    huge = Image.linear_gradient("L").resize((8_000, 6_250)).convert("RGB")
    huge.save(tmp_path / "huge.jpg", quality=85)
    code = (
        f"{PEAK}"
        "from autotl.data.images import decode_image, inspect_file\n"
        "seen = inspect_file(sys.argv[1])\n"
        "assert (seen.width, seen.height) == (8000, 6250), seen\n"
        "assert decode_image(sys.argv[1], 224).shape == (224, 224, 3)\n"
        "print(peak_kib())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "huge.jpg")]
    peak_kib = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert peak_kib < 500 * 1024
