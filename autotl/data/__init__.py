"""Folders, tables and arrays → domains and leak-free splits; one file per modality; the audit finds trouble first."""

from autotl.data.audit import check_quickly, raise_errors, unknown_codes
from autotl.data.companions import refuse_unlike
from autotl.data.domains import load_data
from autotl.data.examples import PLAIN, UNKNOWN, Companion, Finding, Fold, Inputs, Rows, SealedTest, TaskData, View
from autotl.data.joining import sample_files
from autotl.data.modality import modality_of, told_modality
from autotl.data.summary import describe

__all__ = [
    "PLAIN",
    "UNKNOWN",
    "Companion",
    "Finding",
    "Fold",
    "Inputs",
    "Rows",
    "SealedTest",
    "TaskData",
    "View",
    "check_quickly",
    "describe",
    "load_data",
    "modality_of",
    "raise_errors",
    "refuse_unlike",
    "sample_files",
    "told_modality",
    "unknown_codes",
]
