"""Whether this machine has what a search needs: facts are gathered in one place and judged, without I/O, in another."""

from autotl.api.doctor.examining import Examination, examine
from autotl.api.doctor.judging import Finding, Status

__all__ = ["Examination", "Finding", "Status", "examine"]
