"""Columns for data frames of pandas and Polars. Neither is needed to import this module."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from .client import Client


def enrich(client: Client, frame: Any, column: str, columns: Sequence[str]) -> Any:
    """Returns a frame of pandas or Polars with columns added by its postcodes.

    Each different postcode is sent once, in one request, whatever the size of the frame. The columns are names of the
    service: keys of the postcode object, `codes.KEY`, `status` and `error`. All of them are texts or null.
    """
    if column not in frame.columns:
        raise KeyError(f"the frame has no column {column!r}")
    clash = [name for name in columns if name in frame.columns]
    if clash:
        raise ValueError(f"the frame has the columns {', '.join(clash)} already: rename them first")
    # Polars has no index and another way to make a series of texts.
    is_polars = hasattr(frame, "with_columns")
    cells = frame[column].to_list() if is_polars else frame[column].tolist()
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    distinct = list(dict.fromkeys(texts))
    found = _asked(client, distinct, columns)
    added = {name: [found[text][number] for text in texts] for number, name in enumerate(columns)}
    if is_polars:
        import polars

        return frame.with_columns([polars.Series(name, values, dtype=polars.String) for name, values in added.items()])
    import pandas

    made = {name: pandas.Series(values, index=frame.index, dtype="string") for name, values in added.items()}
    return frame.assign(**made)


def _asked(client: Client, texts: list[str], columns: Sequence[str]) -> dict[str, list[str | None]]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["row", "postcode"])
    writer.writerows(enumerate(texts))
    answer = client.enrich_csv(out.getvalue().encode(), columns, "postcode").decode()
    rows = list(csv.reader(io.StringIO(answer)))[1:]
    if len(rows) != len(texts):
        raise ValueError(f"the server answered {len(rows)} rows of {len(texts)}")
    return {text: [cell or None for cell in row[2:]] for text, row in zip(texts, rows, strict=True)}
