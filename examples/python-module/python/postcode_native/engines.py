"""The lookup inside engines: Polars, DuckDB, Spark. None of them is needed to import this module."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ._native import Dataset
from .frame import enrich, shared


def expression(postcodes: Any, name: str, *, repair: bool = False) -> Any:
    """Returns an expression of Polars: the column `name` for an expression of postcodes, also in lazy queries.

        frame.with_columns(district=postcode_native.expression(polars.col("postcode"), "admin_district"))
    """
    import polars

    def of(texts: Any) -> Any:
        return polars.DataFrame(shared().columns(texts, [name], repair)).to_series()

    return postcodes.map_batches(of, return_dtype=_polars_type(name), is_elementwise=True)


def _polars_type(name: str) -> Any:
    import polars
    import pyarrow

    empty = pyarrow.array([], pyarrow.string())
    return polars.DataFrame(shared().columns(empty, [name])).dtypes[0]


def duckdb_functions(connection: Any, names: Sequence[str], *, dataset: Dataset | None = None) -> None:
    """Creates a function of DuckDB for each column: `postcode_admin_district(postcode)`.

    A dot in a name becomes an underscore: `postcode_codes_admin_district`.
    """
    import duckdb
    import pyarrow

    data = dataset or shared()
    types = {pyarrow.string(): "VARCHAR", pyarrow.uint32(): "UINTEGER", pyarrow.float64(): "DOUBLE"}
    for name in names:
        kind = pyarrow.table(data.columns(pyarrow.array([], pyarrow.string()), [name])).schema.field(0).type

        connection.create_function(
            f"postcode_{name.replace('.', '_')}",
            _function(data, name),
            [duckdb.type("VARCHAR")],
            duckdb.type(types[kind]),
            type="arrow",
            null_handling="special",
        )


def _function(data: Dataset, name: str) -> Callable[[Any], Any]:
    import pyarrow

    # DuckDB counts the parameters.
    def of(texts: Any) -> Any:
        return pyarrow.table(data.columns(texts, [name])).column(0).combine_chunks()

    return of


def enrich_batches(column: str, columns: Sequence[str], *, repair: bool = False) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Returns a function for `mapInArrow` of Spark: each batch of rows with columns added.

    The data is opened once in each worker's process.
    """

    def of(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            table = enrich(pyarrow.Table.from_batches([batch]), column, columns, repair=repair)
            yield from table.combine_chunks().to_batches()

    return of
