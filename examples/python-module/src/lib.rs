//! The postcode lookup as a Python module. `python/postcode_native` is the part that users see.

mod columns;
mod dataset;
mod values;

use pyo3::prelude::*;

/// The compiled part of `postcode_native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<dataset::Dataset>()?;
    module.add_function(wrap_pyfunction!(values::parse, module)?)?;
    module.add_function(wrap_pyfunction!(values::is_postcode, module)?)?;
    module.add_function(wrap_pyfunction!(values::repair, module)?)?;
    module.add_function(wrap_pyfunction!(columns::column_names, module)?)?;
    Ok(())
}
