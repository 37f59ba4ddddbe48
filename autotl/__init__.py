"""autotl: AutoML search for transfer learning.

run = autotl.search("task.yaml")
"""

import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "predict", "search", "validate"]


class _Package(ModuleType):
    """The verbs as attributes, loaded when first asked for, so that `import autotl` costs nothing.

    `autotl.search` is the verb; the room of that name is reached by its modules (`from autotl.search.events import …`),
    and importing it must not replace the verb.
    """

    @property
    def search(self) -> Any:
        return self._verb("search")

    @search.setter
    def search(self, room: ModuleType) -> None:
        """What the import system does with a package that it has loaded."""

    @property
    def validate(self) -> Any:
        return self._verb("validate")

    @property
    def predict(self) -> Any:
        return self._verb("predict")

    @staticmethod
    def _verb(name: str) -> Any:
        from autotl import api

        return getattr(api, name)


sys.modules[__name__].__class__ = _Package
