"""The command line; the only room that prints."""

import sys


def main() -> None:
    """Runs a command and answers with the exit codes of `autotl.errors`."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets at length otherwise
    if os.environ.get("AUTOTL_OFFLINE"):
        from autotl.backbones import offline_by_environment
        from autotl.backbones.availability import stay_offline

        if offline_by_environment():
            stay_offline()  # the hubs' clients read their switches when they are imported
    from autotl.cli.app import run

    sys.exit(run(sys.argv[1:]))
