"""How a request says what to predict on, by modality: what is read from its body, and how openapi.json describes it.

All modalities take JSON, `{"instances": [...]}`, as TensorFlow Serving and KServe do; images also come as files.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request

from autotl.backbones.reading import ColumnReading, PixelReading, Reading, SampleReading
from autotl.data.examples import Inputs
from autotl.data.images import BrokenImageError, pixels_declared
from autotl.data.instances import (
    images_from_contents,
    instance_names,
    records_from_values,
    texts_from_values,
    windows_from_values,
)
from autotl.data.schema import CategoricalColumn, NumericColumn, Schema
from autotl.errors import DataError
from autotl.production.serving.limits import Limits
from autotl.production.serving.refusal import RefusalError

JSON = "application/json"
FORM = "multipart/form-data"
BYTES = "application/octet-stream"
FIELDS_BESIDE = 8  # of a form, that are no files


@dataclass(frozen=True)
class Payload:
    """A request's content before anything in it was looked at: JSON, or files."""

    json: bytes | None = None
    files: tuple[bytes, ...] = ()


async def read_payload(request: Request, reading: Reading, limits: Limits) -> Payload:
    """The body of a request.

    Raises:
        RefusalError: too large (413), of a kind that the model does not take (415), or no sound form (400).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    takes_files = isinstance(reading, PixelReading)
    if kind == FORM and takes_files:
        return Payload(files=await _files(_limited(request, limits), limits))
    if takes_files and (kind == BYTES or kind.startswith("image/")):
        return Payload(files=(await _body(request, limits),))
    if kind == JSON or kind.endswith("+json"):
        return Payload(json=await _body(request, limits))
    allowed = f"{JSON}, {FORM}, image/* or {BYTES}" if takes_files else JSON
    seen = f"Content-Type {kind[:80]!r} is" if kind else "A request without Content-Type is"
    raise RefusalError(415, f"{seen} not taken. Send {allowed}.")


def inputs_of(payload: Payload, reading: Reading, limits: Limits) -> Inputs:
    """The examples of a request, checked as far as can be without decoding them.

    Raises:
        RefusalError: no JSON (400), not the object that is expected (422), too many instances or pixels (413).
        DataError: instances that the model cannot take.
    """
    if payload.json is None:
        return _images(payload.files, limits)
    instances = _instances(payload.json)
    if len(instances) > limits.instances:
        _refuse_count(len(instances), limits)
    if isinstance(reading, PixelReading):
        return _images([_decoded(value, name) for value, name in _named(instances)], limits)
    if isinstance(reading, ColumnReading):
        return records_from_values(instances, reading.schema)
    if isinstance(reading, SampleReading):
        return windows_from_values(instances, reading.window)
    return texts_from_values(instances)


def instance_schema(reading: Reading) -> dict[str, Any]:
    """JSON Schema of one element of `instances`."""
    if isinstance(reading, PixelReading):
        encoded = {"type": "string", "contentEncoding": "base64", "description": "JPEG, PNG, WebP, BMP, GIF or TIFF."}
        return {"type": "object", "required": ["b64"], "properties": {"b64": encoded}}
    if isinstance(reading, ColumnReading):
        return _row_schema(reading.schema)
    if isinstance(reading, SampleReading):
        samples, channels = reading.window
        inner = {"type": "array", "minItems": channels, "maxItems": channels, "items": {"type": "number"}}
        return {"type": "array", "minItems": samples, "maxItems": samples, "items": inner}
    return {"type": "string"}


def body_description(reading: Reading) -> dict[str, Any]:
    """What openapi.json says of the request's body."""
    instances = {"type": "array", "minItems": 1, "items": instance_schema(reading)}
    content: dict[str, Any] = {
        JSON: {"schema": {"type": "object", "required": ["instances"], "properties": {"instances": instances}}}
    }
    if isinstance(reading, PixelReading):
        file = {"type": "string", "format": "binary"}
        files = {"type": "array", "minItems": 1, "items": file}
        content[FORM] = {"schema": {"type": "object", "properties": {"images": files}}}
        content |= {kind: {"schema": file} for kind in ("image/*", BYTES)}
    return {"requestBody": {"required": True, "content": content}}


def _row_schema(schema: Schema) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for column in schema.columns:
        if isinstance(column, NumericColumn):
            kinds = ["boolean" if column.notation == "true/false" else "number", "string", "null"]
            properties[column.name] = {"type": kinds, "description": column.expected}
        elif isinstance(column, CategoricalColumn):
            kinds = ["string", "number", "boolean", "null"]
            properties[column.name] = {"type": kinds, "examples": list(column.categories[:5])}
        else:
            properties[column.name] = {"type": ["string", "null"], "description": column.expected}
    return {"type": "object", "required": list(properties), "properties": properties}


async def _body(request: Request, limits: Limits) -> bytes:
    try:
        body = await _limited(request, limits).body()
    except ClientDisconnect:
        raise RefusalError(400, "The connection was closed before the request had arrived.") from None
    if not body:
        raise RefusalError(400, "The request is empty.")
    return body


async def _files(request: Request, limits: Limits) -> tuple[bytes, ...]:
    from starlette.exceptions import HTTPException

    try:
        form = await request.form(
            max_files=limits.instances + 1, max_fields=FIELDS_BESIDE, max_part_size=limits.body_bytes
        )
    except ClientDisconnect:
        raise RefusalError(400, "The connection was closed before the request had arrived.") from None
    except HTTPException as error:
        raise RefusalError(400, f"The form cannot be read: {error.detail}") from None
    try:
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not files:
            raise RefusalError(422, "The form holds no file. Send each image as a file: -F images=@cat.jpg")
        if len(files) > limits.instances:
            _refuse_count(len(files), limits)
        return tuple([await file.read() for file in files])
    finally:
        await form.close()


def _limited(request: Request, limits: Limits) -> Request:
    """The request, refused as soon as more has arrived, or is declared, than a body may hold."""
    refusal = RefusalError(413, f"A request may hold {limits.body_bytes:,} bytes. Send fewer or smaller instances.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 15 or int(declared) > limits.body_bytes:
        raise refusal
    arrived = 0

    async def receive() -> Any:
        nonlocal arrived
        message = await request.receive()
        arrived += len(message.get("body", b""))
        if arrived > limits.body_bytes:
            raise refusal
        return message

    return Request(request.scope, receive)


def _images(contents: Sequence[bytes], limits: Limits) -> Inputs:
    broken, large = [], []
    for name, content in zip(instance_names(len(contents)), contents, strict=True):
        try:
            pixels = pixels_declared(content)
        except BrokenImageError as error:
            broken.append(f"{name}: the image {error}.")
            continue
        if pixels > limits.pixels:
            large.append(f"{name}: {pixels:,} pixels.")
    if large:
        raise RefusalError(413, f"An image may have {limits.pixels:,} pixels. Send it smaller.", mistakes=large)
    if broken:
        raise DataError(broken)
    return images_from_contents(contents)


def _instances(body: bytes) -> list[Any]:
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise RefusalError(400, "The request is no JSON: it is not in UTF-8.") from None
    except RecursionError:
        raise RefusalError(400, "The request is no JSON that is read here: it is nested too deep.") from None
    except ValueError as error:
        raise RefusalError(400, f"The request is no JSON: {str(error)[:200]}.") from None
    instances = content.get("instances") if isinstance(content, dict) else None
    if not isinstance(instances, list) or not instances:
        raise RefusalError(422, 'Expected an object such as {"instances": [...]} with at least one instance.')
    return instances


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it has no {name}. Write null where a value is missing")


def _named(instances: list[Any]) -> list[tuple[Any, str]]:
    return list(zip(instances, instance_names(len(instances)), strict=True))


def _decoded(value: Any, name: str) -> bytes:
    encoded = value.get("b64") if isinstance(value, dict) else None
    if not isinstance(encoded, str):
        raise DataError(f'{name}: expected an object such as {{"b64": "…"}} with an encoded image.')
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(f"{name}: its b64 is not Base64.") from None


def _refuse_count(count: int, limits: Limits) -> NoReturn:
    raise RefusalError(413, f"{count:,} instances are too many for one request. At most {limits.instances:,}.")
