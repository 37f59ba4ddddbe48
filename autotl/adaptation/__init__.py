"""How two domains are brought together: one file per method, one line in the table."""

from autotl.adaptation.method import Method
from autotl.adaptation.none import NoAdaptation

# This table is also the menu in error messages and docs.
METHODS: dict[str, Method] = {
    "none": NoAdaptation(),
}

__all__ = ["METHODS", "Method"]
