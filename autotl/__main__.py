"""`python -m autotl` is `autotl`."""

from autotl.cli import main

main()
