"""The postcode lookup in this process: no server, whole columns at a time.

    >>> from postcode_native import Dataset
    >>> Dataset().lookup("sw1a1aa")["admin_district"]
    'Westminster'
"""

from ._native import Dataset, column_names, is_postcode, parse, repair
from .engines import duckdb_functions, enrich_batches, expression
from .frame import enrich, shared

__all__ = [
    "Dataset",
    "column_names",
    "duckdb_functions",
    "enrich",
    "enrich_batches",
    "expression",
    "is_postcode",
    "parse",
    "repair",
    "shared",
]
