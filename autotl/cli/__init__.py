"""The command line; the only room that prints."""

import sys


def main() -> None:
    """Runs a command and answers with the exit codes of `autotl.errors`."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets at length otherwise
    from autotl.cli.app import run

    sys.exit(run(sys.argv[1:]))
