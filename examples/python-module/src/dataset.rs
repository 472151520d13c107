//! The data, and lookups in it.

use std::sync::Arc;

use arrow_array::RecordBatch;
use postcode_core::dataset::Dataset as Data;
use postcode_core::wire::{NeighbourView, RecordView, Shape};
use postcode_core::{Answer, Location, Nearest, Region, Within};
use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyArray;
use serde_json::Value;

use crate::columns::{self, Column};
use crate::values::postcode;

/// The most texts of one call of `lookup_many`.
const MOST_TEXTS: usize = 1_000_000;

/// A dataset of postcodes in this process. It never changes, and many threads may use it at once.
#[pyclass(frozen, module = "postcode_native")]
pub(crate) struct Dataset {
    data: Data,
}

#[pymethods]
impl Dataset {
    /// Opens the data inside the module, or a file that `postcode-service import` wrote.
    #[new]
    #[pyo3(signature = (path=None))]
    fn new(py: Python<'_>, path: Option<std::path::PathBuf>) -> PyResult<Self> {
        let data = py.detach(|| match path {
            Some(path) => Data::open(path),
            None => Data::embedded(),
        });
        data.map(|data| Self { data }).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// The edition, source, attribution and counts.
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.data.info())
    }

    /// Returns the record of a postcode, with its `status`: `live`, `terminated`, `unknown` or
    /// `not_covered`.
    fn lookup<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let postcode = postcode(text)?;
        answer(py, postcode, &self.data.get(postcode))
    }

    /// Returns the records of many postcodes, in their order.
    fn lookup_many<'py>(&self, py: Python<'py>, texts: Vec<String>) -> PyResult<Bound<'py, PyList>> {
        if texts.len() > MOST_TEXTS {
            let what = format!("{} texts: give at most {MOST_TEXTS}, or use columns()", texts.len());
            return Err(PyValueError::new_err(what));
        }
        let postcodes = texts.iter().map(|text| postcode(text)).collect::<PyResult<Vec<_>>>()?;
        let mut answers = Vec::new();
        py.detach(|| self.data.get_many(&postcodes, &mut answers));
        let list = PyList::empty(py);
        for (postcode, found) in postcodes.iter().zip(&answers) {
            list.append(answer(py, *postcode, found)?)?;
        }
        Ok(list)
    }

    /// Returns live postcodes that begin with a text.
    #[pyo3(signature = (prefix, limit=10))]
    fn autocomplete(&self, prefix: &str, limit: usize) -> PyResult<Vec<String>> {
        let found = self.data.autocomplete(prefix, limit).map_err(refused)?;
        Ok(found.iter().map(|postcode| postcode.to_string()).collect())
    }

    /// Returns the live postcodes nearest to a postcode, or to a latitude and a longitude, each with
    /// its `distance` in metres.
    #[pyo3(signature = (postcode=None, *, latitude=None, longitude=None, limit=10, radius=100.0))]
    fn nearest<'py>(
        &self,
        py: Python<'py>,
        postcode: Option<&str>,
        latitude: Option<f64>,
        longitude: Option<f64>,
        limit: usize,
        radius: f64,
    ) -> PyResult<Bound<'py, PyList>> {
        let query = match (postcode, latitude, longitude) {
            (Some(text), None, None) => Nearest::to(crate::values::postcode(text)?),
            (None, Some(latitude), Some(longitude)) => {
                Nearest::to(Location::new(latitude, longitude).map_err(refused)?)
            }
            _ => return Err(PyValueError::new_err("give a postcode, or latitude and longitude")),
        };
        let query = query.limit(limit).radius(radius);
        let found = py.detach(|| self.data.nearest(&query)).map_err(refused)?;
        let Some(found) = found else {
            let text = postcode.unwrap_or_default();
            return Err(PyKeyError::new_err(format!("{text:?} has no known location")));
        };
        let list = PyList::empty(py);
        for neighbour in &found {
            list.append(object(py, &NeighbourView::new(neighbour, Shape::Extended))?)?;
        }
        Ok(list)
    }

    /// Returns a page of the live postcodes in a circle or in an area with that code, and the
    /// postcode to give as `after` for the next page, which is `None` at the end.
    #[pyo3(signature = (*, latitude=None, longitude=None, radius=None, area=None, limit=100, after=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn within<'py>(
        &self,
        py: Python<'py>,
        latitude: Option<f64>,
        longitude: Option<f64>,
        radius: Option<f64>,
        area: Option<String>,
        limit: usize,
        after: Option<&str>,
    ) -> PyResult<(Bound<'py, PyList>, Option<String>)> {
        let region = match (latitude, longitude, radius, area) {
            (Some(latitude), Some(longitude), Some(radius), None) => {
                Region::circle(Location::new(latitude, longitude).map_err(refused)?, radius)
            }
            (None, None, None, Some(code)) => Region::area(code),
            _ => return Err(PyValueError::new_err("give latitude, longitude and radius, or an area's code")),
        };
        let after = after.map(postcode).transpose()?;
        let query = Within::of(region).limit(limit).after(after);
        let page = py.detach(|| self.data.within(&query)).map_err(refused)?;
        let page = page.ok_or_else(|| PyKeyError::new_err("there is no area with that code"))?;
        let list = PyList::empty(py);
        for record in &page.records {
            list.append(object(py, &RecordView::new(record, Shape::Extended))?)?;
        }
        Ok((list, page.next.map(|postcode| postcode.to_string())))
    }

    /// Returns columns for the postcodes of an Arrow array or stream of texts, one row a row. The
    /// result has `__arrow_c_stream__`.
    #[pyo3(signature = (texts, names, repair=false))]
    fn columns(&self, py: Python<'_>, texts: AnyArray, names: Vec<String>, repair: bool) -> PyResult<PyTable> {
        let wanted = names
            .into_iter()
            .map(|name| Column::named(&name).map(|column| (name, column)))
            .collect::<PyResult<Vec<_>>>()?;
        let chunks = texts.into_chunked_array()?;
        let batches = py.detach(|| {
            let of = |chunk: &Arc<dyn arrow_array::Array>| columns::of(&self.data, chunk.as_ref(), &wanted, repair);
            chunks.chunks().iter().map(of).collect::<PyResult<Vec<RecordBatch>>>()
        })?;
        Ok(PyTable::try_new(batches, columns::schema(&wanted))?)
    }
}

fn refused(error: postcode_core::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn answer<'py>(
    py: Python<'py>,
    postcode: postcode_core::Postcode,
    answer: &Answer,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(record) = answer.record() {
        return object(py, &RecordView::new(record, Shape::Extended));
    }
    let bare = PyDict::new(py);
    bare.set_item("postcode", postcode.to_string())?;
    bare.set_item("status", answer.status())?;
    Ok(bare.into_any())
}

/// Converts a value to objects of Python, as its JSON would be read.
fn object<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let value = serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    converted(py, &value)
}

fn converted<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(yes) => yes.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into_pyobject(py)?.into_any(),
            None => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(converted(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, field) in fields {
                dict.set_item(name, converted(py, field)?)?;
            }
            dict.into_any()
        }
    })
}
