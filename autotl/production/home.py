"""Where a user's registry, history and count of test uses lie."""

import os
from pathlib import Path


def home_folder() -> Path:
    """`AUTOTL_HOME`, or `~/.autotl`."""
    return Path(os.environ.get("AUTOTL_HOME") or Path.home() / ".autotl").expanduser()
