"""Columns for data frames of pandas and Polars, and for tables of PyArrow. None is needed to import this module."""

import functools
from collections.abc import Sequence
from typing import Any, TypeVar

from ._native import Dataset

Frame = TypeVar("Frame")


@functools.cache
def shared() -> Dataset:
    """Returns the data inside the module, opened once in a process."""
    return Dataset()


def enrich(
    frame: Frame, column: str, columns: Sequence[str], *, dataset: Dataset | None = None, repair: bool = False
) -> Frame:
    """Returns a frame of pandas or Polars, or a table of PyArrow, with columns added by its postcodes.

    The columns are names of `column_names()`. A cell without a postcode gets nulls, except in `status` and `error`.
    """
    library = type(frame).__module__.split(".")[0]
    if library not in ("pandas", "polars", "pyarrow"):
        raise TypeError(f"a {type(frame).__name__}: give a frame of pandas or Polars, or a table of PyArrow")
    names = list(_names(frame))
    if column not in names:
        raise KeyError(f"the frame has no column {column!r}: it has {', '.join(map(str, names))}")
    clash = [name for name in columns if name in names]
    if clash:
        raise ValueError(f"the frame has the columns {', '.join(clash)} already: rename them first")
    texts: Any = frame[column]  # type: ignore[index]
    made = (dataset or shared()).columns(_arrow(texts, library), list(columns), repair)
    frame_: Any = frame
    if library == "polars":
        import polars

        return frame_.hstack(polars.DataFrame(made))
    if library == "pyarrow":
        import pyarrow

        added = pyarrow.table(made)
        for name in columns:
            frame_ = frame_.append_column(name, added[name])
        return frame_
    import pandas
    import pyarrow

    added = pyarrow.table(made).to_pandas(types_mapper=pandas.ArrowDtype)
    return frame_.assign(**{name: added[name].set_axis(frame_.index) for name in columns})


def _names(frame: Any) -> Sequence[str]:
    names = getattr(frame, "column_names", None)
    return frame.columns if names is None else names


def _arrow(texts: Any, library: str) -> Any:
    """The texts as Arrow: as they are, unless pandas keeps them as objects."""
    if library != "pandas" or hasattr(texts, "__arrow_c_stream__"):
        return texts
    import pyarrow

    return pyarrow.Array.from_pandas(texts)
