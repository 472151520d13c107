//! Pages for browsers without JavaScript: plain HTML with forms.

mod account;
mod filled;
mod form;
mod html;
mod import;
mod list;

use axum::Router;
use axum::routing::{get, post};

use crate::server::App;

/// Returns the routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/list", get(list::show))
        .route("/new", get(form::show).post(form::create))
        .route("/edit/{id}", get(form::edit).post(form::change))
        .route("/account/{id}", get(account::show))
        .route("/account/{id}/delete", post(account::delete))
        .route("/account/{id}/restore", post(account::restore))
        .route("/account/{id}/erase", get(account::ask_erase).post(account::erase))
        .route("/import", get(import::show).post(import::send))
}
