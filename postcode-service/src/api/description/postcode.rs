//! The schema of the postcode object, made from an empty record as the API writes it.

use postcode_core::wire::{RecordView, Shape};
use postcode_core::{Postcode, Record};
use serde_json::{Map, Value, json};

/// The keys that are never null, with their types.
const ALWAYS: &[(&str, &str)] =
    &[("postcode", "string"), ("incode", "string"), ("outcode", "string"), ("distance", "number")];

/// The keys that are not texts, with their types.
const NUMBERS: &[(&str, &str)] = &[
    ("quality", "integer"),
    ("eastings", "integer"),
    ("northings", "integer"),
    ("longitude", "number"),
    ("latitude", "number"),
    ("index_of_multiple_deprivation", "integer"),
];

/// Explains the keys.
const MEANINGS: &[(&str, &str)] = &[
    ("postcode", "The postcode in its usual spelling"),
    ("quality", "How exact the location is: 1 (the building) to 9 (not known)"),
    ("eastings", "Metres east on the National Grid, or on the Irish Grid"),
    ("northings", "Metres north on the grid"),
    ("country", "Country of the United Kingdom"),
    ("nhs_ha", "Strategic health authority, or health board"),
    ("longitude", "Degrees east (WGS84)"),
    ("latitude", "Degrees north (WGS84)"),
    ("european_electoral_region", "European electoral region, until 2020"),
    ("primary_care_trust", "Primary care trust, or its equivalent outside England"),
    ("region", "Region of England"),
    ("lsoa", "Lower layer super output area of 2021"),
    ("msoa", "Middle layer super output area of 2021"),
    ("incode", "The second half of the postcode"),
    ("outcode", "The first half of the postcode"),
    ("parliamentary_constituency", "Constituency of the House of Commons"),
    ("parliamentary_constituency_2024", "Constituency of the House of Commons since 2024"),
    ("admin_district", "District or unitary authority"),
    ("admin_district_welsh", "District or unitary authority in Welsh, if it has such a name"),
    ("parish", "Parish (England) or community (Wales)"),
    ("admin_county", "County, if there is one above the district"),
    ("date_of_introduction", "The month it came into use, as YYYYMM"),
    ("admin_ward", "Ward"),
    ("ced", "County electoral division"),
    ("ccg", "Clinical commissioning group, or its equivalent outside England"),
    ("nuts", "International territorial level (formerly NUTS)"),
    ("pfa", "Police force area"),
    ("nhs_region", "NHS England region"),
    ("ttwa", "Travel to work area"),
    ("national_park", "National park"),
    ("bua", "Built-up area"),
    ("icb", "Integrated care board"),
    ("cancer_alliance", "Cancer alliance"),
    ("lsoa11", "Lower layer super output area of 2011"),
    ("msoa11", "Middle layer super output area of 2011"),
    ("lsoa21", "Lower layer super output area of 2021"),
    ("msoa21", "Middle layer super output area of 2021"),
    ("oa21", "Output area of 2021"),
    ("ruc11", "Rural or urban, by the classification of 2011"),
    ("ruc21", "Rural or urban, by the classification of 2021"),
    ("lep1", "Local enterprise partnership"),
    ("lep2", "Second local enterprise partnership, where two overlap"),
    ("codes", "The codes of the areas above (ONS, GSS)"),
    ("distance", "Metres from the requested point"),
    ("status", "Whether it is in use"),
    ("user_type", "large: a single organisation with a lot of mail"),
    ("grid_system", "The grid of eastings and northings"),
    ("index_of_multiple_deprivation", "Rank of its area, 1 the most deprived of its country"),
    ("parliamentary_constituency_before", "Constituency before 2024"),
    ("senedd_constituency", "Constituency of the Senedd since 2026"),
    ("position", "The location, and whether it is exact"),
    ("date_of_termination", "The month it ended, as YYYYMM"),
    ("ccg_id", "The NHS code of the clinical commissioning group"),
    ("lau2", "The local administrative unit"),
];

fn meaning(key: &str) -> &'static str {
    MEANINGS.iter().find(|(name, _)| *name == key).map_or("", |(_, meaning)| meaning)
}

/// The postcode objects of an empty record: the compatible one and the extended one.
fn empty() -> Option<[Map<String, Value>; 2]> {
    let postcode: Postcode = "SW1A 1AA".parse().ok()?;
    let record = Record::live(postcode);
    let written = |shape| match serde_json::to_value(RecordView::new(&record, shape)) {
        Ok(Value::Object(keys)) => Some(keys),
        _ => None,
    };
    Some([written(Shape::Compatible)?, written(Shape::Extended)?])
}

fn property(key: &str) -> Value {
    let named =
        |list: &[(&str, &'static str)]| list.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind);
    let mut schema = match (named(ALWAYS), named(NUMBERS), key) {
        (Some(kind), ..) => json!({ "type": kind }),
        (None, Some(kind), _) => json!({ "type": [kind, "null"] }),
        (None, None, "status") => json!({ "enum": ["live", "terminated"] }),
        (None, None, "user_type") => json!({ "enum": ["small", "large", null] }),
        (None, None, "grid_system") => json!({ "enum": ["osgb", "irish", null] }),
        (None, None, "position") => json!({
            "type": ["object", "null"],
            "required": ["kind", "longitude", "latitude"],
            "properties": {
                "kind": { "enum": ["exact", "approximate"] },
                "source": { "type": "string", "description": "The source of an approximate location" },
                "longitude": { "type": "number" },
                "latitude": { "type": "number" },
            },
        }),
        _ => json!({ "type": ["string", "null"] }),
    };
    schema["description"] = meaning(key).into();
    schema
}

/// Returns the schemas of the postcode object: whole, with a distance, and with a filter.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let Some([compatible, extended]) = empty() else { return Vec::new() };
    let codes =
        |keys: &Map<String, Value>| keys.get("codes").and_then(Value::as_object).cloned().unwrap_or_default();
    let of_codes = json!({
        "type": "object",
        "description": meaning("codes"),
        "required": codes(&compatible).keys().collect::<Vec<_>>(),
        "properties": codes(&extended)
            .keys()
            .map(|key| (key.clone(), json!({ "type": ["string", "null"], "description": meaning(key) })))
            .collect::<Map<_, _>>(),
    });
    let properties: Map<String, Value> = extended
        .keys()
        .map(|key| {
            (
                key.clone(),
                if key == "codes" { json!({ "$ref": "#/components/schemas/Codes" }) } else { property(key) },
            )
        })
        .collect();
    let mut part = properties.clone();
    part.insert("distance".to_owned(), property("distance"));
    vec![
        (
            "Postcode",
            json!({
                "type": "object",
                "description": "A postcode. Areas that the data does not have are null. Keys that may be missing come \
                                with extended=true only",
                "required": compatible.keys().collect::<Vec<_>>(),
                "properties": properties,
            }),
        ),
        ("Codes", of_codes),
        (
            "NearPostcode",
            json!({ "allOf": [
                { "$ref": "#/components/schemas/Postcode" },
                { "type": "object", "required": ["distance"], "properties": { "distance": property("distance") } },
            ] }),
        ),
        (
            "PartOfPostcode",
            json!({
                "type": "object",
                "description": "A postcode with only the keys that filter asks for",
                "properties": part,
                "additionalProperties": false,
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use postcode_core::wire::Keys;

    use super::*;

    #[test]
    fn every_key_of_the_postcode_object_is_described() {
        let schemas = schemas();
        let part = &schemas.iter().find(|(name, _)| *name == "PartOfPostcode").unwrap().1["properties"];
        let mut described: Vec<&str> = part.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = Keys::ALL.to_vec();
        described.sort_unstable();
        known.sort_unstable();
        assert_eq!(described, known);
        let codes = &schemas.iter().find(|(name, _)| *name == "Codes").unwrap().1["properties"];
        for key in described.into_iter().chain(codes.as_object().unwrap().keys().map(String::as_str)) {
            assert!(!meaning(key).is_empty(), "{key}");
        }
    }
}
