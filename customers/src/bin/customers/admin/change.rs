//! The body of `PUT /promotion`.

use axum::extract::Request;
use axum::http::StatusCode;
use customers::server::Problem;
use customers::server::json::{self, Expected, kind};
use postcode_core::Result as LookupResult;
use postcode_core::layers::{Promotion, PromotionPlan, RowName, Step};
use serde_json::{Map, Value};

/// The largest body, in bytes: many times the size of a valid one.
const MAX_BODY: usize = 4096;

#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// Changes or adds a row. Without a share, the row keeps the one it has.
    Row(RowName, Step),
    /// Removes a row.
    Remove(RowName),
    /// Replaces all rows.
    Plan(PromotionPlan),
}

impl Change {
    /// Makes the change.
    pub(super) fn make(&self, promotion: &Promotion) -> LookupResult<()> {
        match self {
            Self::Row(row, step) => promotion.set_row(row, *step),
            Self::Remove(row) => {
                promotion.remove_row(row);
                Ok(())
            }
            Self::Plan(plan) => promotion.apply(plan),
        }
    }
}

pub(super) async fn read(request: Request) -> Result<Change, Problem> {
    // Browsers send this content type to another site only after a preflight request, and this
    // listener never allows one.
    let expected =
        Expected { types: &["application/json"], max: MAX_BODY, code: "invalid_promotion", form: FORM };
    let object = json::object(request, expected).await?;
    parse(object)
        .map_err(|detail| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_promotion", detail))
}

const FORM: &str =
    r#"an object such as {"stage":"shadow","share":0.1} or {"row":"nearest","stage":"canary"}"#;

/// The stage of a row that is to be removed.
const REMOVED: &str = "default";

fn parse(mut object: Map<String, Value>) -> Result<Change, String> {
    let mut text = |name: &str| match object.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name} is {}: give {FORM}", kind(&other))),
    };
    let (plan, row, stage) = (text("plan")?, text("row")?, text("stage")?);
    let share = match object.remove("share") {
        None | Some(Value::Null) => None,
        Some(Value::Number(share)) => share.as_f64(),
        Some(other) => return Err(format!("share is {}: give a number from 0 to 1", kind(&other))),
    };
    // A typing error in "share" must not change the stage with an unintended share.
    if let Some(name) = object.keys().next() {
        return Err(format!("{name:?} is not a field: give {FORM}"));
    }
    let said = |error: postcode_core::Error| error.to_string();
    if let Some(plan) = plan {
        if row.is_some() || stage.is_some() || share.is_some() {
            return Err("plan replaces all rows: give it alone".into());
        }
        return plan.parse().map(Change::Plan).map_err(said);
    }
    let row = row.map_or(Ok(RowName::Default), |row| row.parse()).map_err(said)?;
    let Some(stage) = stage else { return Err(format!("stage is missing: give {FORM}")) };
    if stage == REMOVED && row != RowName::Default {
        return match share {
            None => Ok(Change::Remove(row)),
            Some(_) => Err("a removed row has no share: leave share out".into()),
        };
    }
    let step = Step::new(stage.parse().map_err(said)?, share).map_err(said)?;
    Ok(Change::Row(row, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> Result<Change, String> {
        match serde_json::from_str(text).unwrap() {
            Value::Object(object) => parse(object),
            _ => panic!("an object"),
        }
    }

    #[test]
    fn change_is_of_one_row_or_of_all() {
        let step = |text: &str| text.parse::<Step>().unwrap();
        let row = |text: &str| text.parse::<RowName>().unwrap();
        for (text, expected) in [
            (r#"{"stage":"canary","share":0.1}"#, Change::Row(RowName::Default, step("canary:0.1"))),
            (r#"{"row":"nearest","stage":"remote"}"#, Change::Row(row("nearest"), step("remote"))),
            (r#"{"row":"cohort:a","stage":"default"}"#, Change::Remove(row("cohort:a"))),
            (r#"{"plan":"local,nearest=remote"}"#, Change::Plan("local,nearest=remote".parse().unwrap())),
        ] {
            assert_eq!(change(text), Ok(expected), "{text}");
        }
        for (text, says) in [
            (r#"{"row":"nearby","stage":"remote"}"#, "row \"nearby\": give default"),
            (r#"{"row":1,"stage":"remote"}"#, "row is a number"),
            (r#"{"row":"nearest"}"#, "stage is missing"),
            (r#"{"stage":"default"}"#, "give one of local, shadow"),
            (r#"{"row":"nearest","stage":"default","share":0.1}"#, "leave share out"),
            (r#"{"plan":"local","stage":"remote"}"#, "give it alone"),
            (r#"{"plan":"local,nearest"}"#, "give ROW=STAGE"),
        ] {
            assert!(change(text).unwrap_err().contains(says), "{text}: {:?}", change(text));
        }
    }
}
