"""Requests as a stranger, a broken client or an attacker would send them, drawn by a seed."""

import base64
import json
import random
import struct
import zlib

from pretend_served import INSTANCES, encoded

from autotl.production.serving.application import PATHS, PREDICT

NAMES = [
    "../../etc/passwd",
    "a\0b.png",
    '"><script>alert(1)</script>.png',
    "=cmd()",
    "х" * 300,
    "\r\nX-Evil: 1",
    "NUL",
    "",
]
KINDS = [
    "application/json",
    "application/json; charset=utf-16",
    "application/vnd.evil+json",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "image/png",
    "image/../../x",
    "text/html",
    "\t",
    "a" * 500,
]
VALUES = [
    None, True, 0, -1, 10**400, 1e308, -0.0, "", "\ud800", "\0", "NaN", "1e999", [], {}, [[]], [[[[[[0]]]]]], 
    {"b64": 1},
    {"b64": "????"}, {"b64": ""}, "x" * 5_000, [1, "a", None], {"age": {"age": []}},
    {"age": "0x10", "city": "\u2067evil", "sold": "2024-13-45"},
]  # fmt: skip


def hostile_requests(count, *, modality, seed):
    """Keyword arguments of `TestClient.request`, one a request."""
    draws = random.Random(f"{modality} {seed}")
    makers = [_bytes, _json_text, _values, _form, _elsewhere, _bad_form]
    makers += [_image, _image, _image] if modality == "image" else [_nearly_right] * 3
    for _ in range(count):
        yield draws.choice(makers)(draws, modality)


def _post(content, kind):
    return {"method": "POST", "url": PREDICT, "content": content, "headers": {"content-type": kind}}


def _bytes(draws, _):
    return _post(draws.randbytes(draws.choice([0, 1, 7, 100, 4_000])), draws.choice(KINDS))


def _json_text(draws, _):
    whole = json.dumps({"instances": [draws.choice(VALUES) for _ in range(3)]}).encode()
    text = draws.choice(
        [
            whole[: draws.randrange(len(whole))],
            b'{"instances": [NaN, Infinity, -Infinity]}',
            b'{"instances": ' + b"[" * draws.choice([50, 5_000, 200_000]),
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
            b'{"instances": [' + b"9" * draws.choice([20, 5_000]) + b"]}",
            b'{"instances": [1e400]}',
            b'{"instances": "' + draws.randbytes(30) + b'"}',
            whole.decode().encode("utf-16"),
            b'{"instances": [], "instances": [{}]}',
            b"null",
            b'"instances"',
        ]
    )
    return _post(text, "application/json")


def _values(draws, _):
    instances = [draws.choice(VALUES) for _ in range(draws.choice([0, 1, 3, 300]))]
    return _post(json.dumps({"instances": instances}), "application/json")


def _nearly_right(draws, modality):
    """A sound instance in which something is wrong."""
    instance = json.loads(json.dumps(INSTANCES[modality]))
    if isinstance(instance, dict):
        instance[draws.choice(list(instance))] = draws.choice(VALUES)
    elif isinstance(instance, list):
        instance[draws.randrange(len(instance))] = draws.choice([*VALUES, [1e39, 1], [1e38, -1e38], [1]])
    else:
        instance = draws.choice(["\ufffd" * 9, "\u202e" + instance, instance * 3_000, "a" * 40_000, "\n", "🫖" * 99])
    sound = [INSTANCES[modality]] * draws.randrange(3)
    return _post(json.dumps({"instances": [*sound, instance]}), "application/json")


def _image(draws, _):
    content = draws.choice([_cut, _flipped, _bomb, _odd_mode])(draws)
    if draws.random() < 0.3:
        encoded64 = base64.b64encode(content).decode()
        return _post(json.dumps({"instances": [{"b64": encoded64}]}), "application/json")
    if draws.random() < 0.5:
        return _post(content, draws.choice(["image/png", "image/jpeg", "application/octet-stream"]))
    return {"method": "POST", "url": PREDICT, "files": [("images", (draws.choice(NAMES), content, "image/png"))]}


def _sound(draws):
    kind = draws.choice(["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
    return encoded(size=(draws.randrange(1, 80), draws.randrange(1, 80)), kind=kind)


def _cut(draws):
    content = _sound(draws)
    return content[: draws.randrange(len(content))]


def _flipped(draws):
    content = bytearray(_sound(draws))
    for _ in range(draws.randrange(1, 12)):
        content[draws.randrange(len(content))] = draws.randrange(256)
    return bytes(content)


def _bomb(draws):
    """A PNG that declares more than it holds, up to 2³¹ pixels a side."""
    width, height = (draws.choice([0, 1, 9_000, 70_000, 2**31 - 1]) for _ in range(2))
    header = struct.pack(">IIBBBBB", width, height, draws.choice([1, 8, 16]), draws.choice([0, 2, 3, 6]), 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(20_000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _odd_mode(draws):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    mode, kind = draws.choice(
        [("1", "PNG"), ("I;16", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"), ("F", "TIFF"), ("P", "GIF")]
    )
    Image.new(mode, (draws.choice([1, 3, 3_000]), 1)).save(buffer, kind)
    return buffer.getvalue()


def _form(draws, _):
    files = [
        (
            draws.choice(["images", "", "🫖"]),
            (draws.choice(NAMES), draws.randbytes(draws.choice([0, 50])), draws.choice(KINDS[:3])),
        )
        for _ in range(draws.choice([1, 2, 300]))
    ]
    return {"method": "POST", "url": PREDICT, "files": files}


def _bad_form(draws, _):
    parts = [
        b"--x\r\n", b"--x--\r\n", b"\r\n", b'Content-Disposition: form-data; name="a"; filename="b"\r\n\r\n',
        b"Content-Disposition: form-data\r\n\r\n", b"Content-Type: \xff\xfe\r\n", draws.randbytes(40), b":" * 3_000,
        b'Content-Disposition: form-data; name="a"; filename*=utf-8\'\'%ff%00\r\n\r\n',
    ]  # fmt: skip
    content = b"".join(draws.choice(parts) for _ in range(draws.randrange(1, 9)))
    return _post(
        content, draws.choice(["multipart/form-data; boundary=x", "multipart/form-data; boundary=x; charset=evil"])
    )


def _elsewhere(draws, _):
    url = draws.choice([*PATHS, "/docs", "/%00", "/v1/predict/", "/..%2f..%2fetc/passwd", "/v1/" + "a" * 2_000])
    return {"method": draws.choice(["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "POST", "TRACE"]), "url": url}
