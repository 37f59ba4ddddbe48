"""The formats that a bundle is exported to. One file a format; each loads its libraries when it writes."""

from autotl.production.formats.format import Format
from autotl.production.formats.litert import LiteRT
from autotl.production.formats.native import Native
from autotl.production.formats.onnx import Onnx
from autotl.production.formats.openvino import OpenVino
from autotl.production.formats.saved_model import SavedModel

# This table is also the menu in error messages and docs.
FORMATS: dict[str, Format] = {
    "saved_model": SavedModel(),
    "litert": LiteRT(),
    "onnx": Onnx(),
    "openvino": OpenVino(),
    "native": Native(),
}

__all__ = ["FORMATS", "Format"]
