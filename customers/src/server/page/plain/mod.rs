//! Pages for browsers without JavaScript: plain HTML with forms.

mod form;
mod html;
mod import;
mod list;

use axum::Router;
use axum::routing::get;

use crate::server::App;

/// Returns the routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/list", get(list::show))
        .route("/new", get(form::show).post(form::create))
        .route("/edit/{id}", get(form::edit).post(form::change))
        .route("/import", get(import::show).post(import::send))
}
