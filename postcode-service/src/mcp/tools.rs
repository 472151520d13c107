//! The table of tools: name, description, input and work of each.

use futures::future::BoxFuture;
use postcode_core::wire::{NeighbourView, RecordView, Shape};
use postcode_core::{
    Error, Location, Lookups, Nearest, Origin, Outcode, PlaceQuery, Postcode, PostcodeLookupExt, Region,
    Sector, Validity, Within, wire,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Texts in one call.
const MOST_TEXTS: usize = 50;
/// Bytes of one text.
const LONGEST_TEXT: usize = 200;
/// Items in one answer.
const MOST_ITEMS: usize = 100;
/// Bytes of the items of one answer. More are left out, and the answer says how many.
const LONGEST_ANSWER: usize = 48 << 10;
/// The keys of a postcode that are answered unless others are asked for.
const USUAL: &str =
    "postcode,status,admin_district,region,country,parliamentary_constituency,latitude,longitude,distance";

/// Runs a tool. The error says what is wrong with the input.
type Work = for<'a> fn(&'a dyn Lookups, Map<String, Value>) -> BoxFuture<'a, Result<Value, String>>;

/// One tool.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    properties: fn() -> Value,
    required: &'static [&'static str],
    work: Work,
}

impl Operation {
    /// Returns the JSON Schema of the input.
    pub(super) fn input(&self) -> Value {
        json!({
            "type": "object",
            "properties": (self.properties)(),
            "required": self.required,
            "additionalProperties": false,
        })
    }

    pub(super) async fn call(
        &self,
        lookup: &dyn Lookups,
        input: Map<String, Value>,
    ) -> Result<Value, String> {
        (self.work)(lookup, input).await
    }
}

/// All tools.
pub(super) const TOOLS: &[Operation] = &[
    Operation {
        name: "lookup",
        title: "Look postcodes up",
        description: "Returns what is known of UK postcodes: whether each is live, terminated, unknown or not covered, its \
                      district, region, country, constituency and location. Ask for other keys if you need them.",
        properties: || json!({ "postcodes": texts("UK postcodes, such as SW1A 1AA"), "keys": keys() }),
        required: &["postcodes"],
        work: |lookup, input| Box::pin(async move { look_up(lookup, read(input)?).await }),
    },
    Operation {
        name: "validate",
        title: "Check postcodes",
        description: "Says of each text whether it is a UK postcode in use. If it is not a postcode the reason says why, and \
                      repaired is the only postcode that may have been meant, if there is exactly one.",
        properties: || json!({ "texts": texts("Texts as people typed them") }),
        required: &["texts"],
        work: |lookup, input| Box::pin(async move { validate(lookup, read(input)?).await }),
    },
    Operation {
        name: "nearest",
        title: "Postcodes around a point",
        description: "Returns the live postcodes around a postcode or a point, nearest first, with the distance in metres.",
        properties: || {
            json!({
                "postcode": { "type": "string", "description": "The middle, or give latitude and longitude" },
                "latitude": { "type": "number", "minimum": -90, "maximum": 90 },
                "longitude": { "type": "number", "minimum": -180, "maximum": 180 },
                "radius": { "type": "number", "minimum": 0, "maximum": 50_000, "description": "Metres; 500 if not given" },
                "limit": limit(10),
                "keys": keys(),
            })
        },
        required: &[],
        work: |lookup, input| Box::pin(async move { nearest(lookup, read(input)?).await }),
    },
    Operation {
        name: "within",
        title: "Postcodes of a region",
        description: "Returns the live postcodes of one region: an outcode such as SW1A, a sector such as SW1A 1, an ONS area \
                      code such as E09000033, a box, or a circle around a point. next continues a long list.",
        properties: || {
            json!({
                "outcode": { "type": "string" },
                "sector": { "type": "string" },
                "area": { "type": "string", "description": "An ONS code" },
                "box": { "type": "array", "items": { "type": "number" }, "minItems": 4, "maxItems": 4,
                         "description": "West, south, east, north in degrees" },
                "latitude": { "type": "number" },
                "longitude": { "type": "number" },
                "radius": { "type": "number", "minimum": 0, "maximum": 50_000, "description": "Metres around the point" },
                "limit": limit(20),
                "after": { "type": "string", "description": "next of the previous answer" },
                "keys": keys(),
            })
        },
        required: &[],
        work: |lookup, input| Box::pin(async move { within(lookup, read(input)?).await }),
    },
    Operation {
        name: "places",
        title: "Find places",
        description: "Finds towns, villages and other places in Great Britain by their name, typing errors allowed. Not every \
                      server has them.",
        properties: || {
            json!({
                "text": { "type": "string", "maxLength": LONGEST_TEXT },
                "within": { "type": "string", "description": "A county, district, region or country they are in" },
                "limit": limit(10),
            })
        },
        required: &["text"],
        work: |lookup, input| Box::pin(async move { places(lookup, read(input)?).await }),
    },
    Operation {
        name: "dataset",
        title: "About the data",
        description: "Returns edition, attribution and counts of the data, and the postcode areas that it does not cover.",
        properties: || json!({}),
        required: &[],
        work: |lookup, _| {
            Box::pin(async move {
                let info = lookup.info().await.map_err(said)?;
                serde_json::to_value(info).map_err(|error| error.to_string())
            })
        },
    },
];

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string", "maxLength": LONGEST_TEXT }, "minItems": 1,
            "maxItems": MOST_TEXTS, "description": description })
}

fn keys() -> Value {
    let known: &[&str] = &wire::Keys::ALL;
    let description = format!("Keys to answer; if not given {USUAL}");
    json!({ "type": "array", "items": { "enum": known }, "description": description })
}

fn limit(usual: usize) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "description": format!("How many at most; {usual} if not given") })
}

fn said(error: Error) -> String {
    error.message().to_owned()
}

fn read<T: DeserializeOwned>(input: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(input)).map_err(|error| format!("the input is not valid: {error}"))
}

/// Checks how many texts there are, and how long they are.
fn bounded(texts: &[String]) -> Result<(), String> {
    if texts.is_empty() || texts.len() > MOST_TEXTS {
        return Err(format!("{} texts: give 1 to {MOST_TEXTS}", texts.len()));
    }
    texts.iter().try_for_each(|text| short_enough(text))
}

fn short_enough(text: &str) -> Result<(), String> {
    match text.len() {
        0..=LONGEST_TEXT => Ok(()),
        len => Err(format!("a text of {len} bytes: give at most {LONGEST_TEXT}")),
    }
}

fn number(limit: Option<usize>, usual: usize) -> Result<usize, String> {
    match limit.unwrap_or(usual) {
        limit if (1..=MOST_ITEMS).contains(&limit) => Ok(limit),
        limit => Err(format!("a limit of {limit}: give 1 to {MOST_ITEMS}")),
    }
}

fn chosen(keys: Option<&[String]>) -> Result<wire::Keys, String> {
    let list = keys.map_or_else(|| USUAL.to_owned(), |keys| keys.join(","));
    let keys = wire::Keys::list(&list);
    let unknown = keys.unknown().next().map(str::to_owned);
    match unknown {
        Some(unknown) => Err(format!("no such key: {unknown}. There are {}", wire::Keys::ALL.join(", "))),
        None => Ok(keys),
    }
}

/// Items within the bound of an answer, and what else it says.
fn listed(items: Vec<Value>, mut more: Map<String, Value>) -> Value {
    let mut left = LONGEST_ANSWER;
    let all = items.len();
    let kept: Vec<Value> = items
        .into_iter()
        .take_while(|item| {
            let fits = left.checked_sub(item.to_string().len());
            left = fits.unwrap_or(0);
            fits.is_some()
        })
        .collect();
    if kept.len() < all {
        more.insert("left_out".to_owned(), (all - kept.len()).into());
        more.insert("advice".to_owned(), "The answer was too long: ask for fewer items or keys".into());
    }
    more.insert("items".to_owned(), kept.into());
    Value::Object(more)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookUp {
    postcodes: Vec<String>,
    keys: Option<Vec<String>>,
}

async fn look_up(lookup: &dyn Lookups, asked: LookUp) -> Result<Value, String> {
    bounded(&asked.postcodes)?;
    let keys = chosen(asked.keys.as_deref())?;
    let read: Vec<Result<Postcode, _>> =
        asked.postcodes.iter().map(|text| text.parse::<Postcode>()).collect();
    let postcodes: Vec<Postcode> = read.iter().flatten().copied().collect();
    let mut answers = lookup.lookup(&postcodes).await.map_err(said)?.into_iter();
    let info = lookup.info().await.ok();
    let items = asked.postcodes.iter().zip(read).map(|(query, read)| match read {
        Err(error) => json!({ "query": query, "status": "invalid", "reason": error.to_string() }),
        Ok(postcode) => match answers.next() {
            None => json!({ "query": query, "status": "unknown" }),
            Some(answer) => {
                let mut item = json!({ "query": query, "status": answer.status() });
                if let Some(record) = answer.record() {
                    item["result"] = json!(RecordView::new(record, Shape::Extended).only(Some(&keys)));
                } else if let Some(advice) = info.as_ref().and_then(|info| info.advice(&postcode.area())) {
                    item["advice"] = advice.into();
                }
                item
            }
        },
    });
    Ok(listed(items.collect(), Map::new()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Validate {
    texts: Vec<String>,
}

async fn validate(lookup: &dyn Lookups, asked: Validate) -> Result<Value, String> {
    bounded(&asked.texts)?;
    let texts: Vec<&str> = asked.texts.iter().map(String::as_str).collect();
    let verdicts = lookup.validate_all(&texts).await.map_err(said)?;
    let mut items = Vec::with_capacity(texts.len());
    for (text, verdict) in texts.iter().zip(&verdicts) {
        let mut item = json!({ "query": text, "valid": verdict.is_live(), "status": verdict.status() });
        if let Some(postcode) = verdict.postcode() {
            item["postcode"] = postcode.to_string().into();
        }
        if let Validity::Invalid(error) = verdict {
            item["reason"] = error.to_string().into();
            if let Ok(repaired) = Postcode::repair(text) {
                let answer = lookup.lookup_one(repaired.value).await.map_err(said)?;
                item["repaired"] =
                    json!({ "postcode": repaired.value.to_string(), "status": answer.status() });
            }
        }
        items.push(item);
    }
    Ok(listed(items, Map::new()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Around {
    postcode: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    radius: Option<f64>,
    limit: Option<usize>,
    keys: Option<Vec<String>>,
}

async fn nearest(lookup: &dyn Lookups, asked: Around) -> Result<Value, String> {
    let origin: Origin = match (&asked.postcode, asked.latitude, asked.longitude) {
        (Some(text), None, None) => {
            text.parse::<Postcode>().map_err(|error| format!("postcode: {error}"))?.into()
        }
        (None, Some(latitude), Some(longitude)) => Location::new(latitude, longitude).map_err(said)?.into(),
        _ => return Err("give a postcode, or latitude and longitude".to_owned()),
    };
    let keys = chosen(asked.keys.as_deref())?;
    let query =
        Nearest::to(origin).limit(number(asked.limit, 10)?).radius(radius(asked.radius.unwrap_or(500.0))?);
    let found = lookup.nearest(&query).await.map_err(said)?;
    let Some(found) = found else { return Err("the postcode is not known, or has no location".to_owned()) };
    let items = found.iter().map(|one| json!(NeighbourView::new(one, Shape::Extended).only(Some(&keys))));
    Ok(listed(items.collect(), Map::new()))
}

fn radius(metres: f64) -> Result<f64, String> {
    match (0.0..=50_000.0).contains(&metres) {
        true => Ok(metres),
        false => Err(format!("a radius of {metres}: give 0 to 50000 metres")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    outcode: Option<String>,
    sector: Option<String>,
    area: Option<String>,
    r#box: Option<[f64; 4]>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    radius: Option<f64>,
    limit: Option<usize>,
    after: Option<String>,
    keys: Option<Vec<String>>,
}

async fn within(lookup: &dyn Lookups, asked: Inside) -> Result<Value, String> {
    let point = |latitude, longitude| Location::new(latitude, longitude).map_err(said);
    let region =
        match (&asked.outcode, &asked.sector, &asked.area, asked.r#box, asked.latitude, asked.longitude) {
            (Some(text), None, None, None, None, None) => {
                Region::Outcode(text.parse::<Outcode>().map_err(|error| format!("outcode: {error}"))?)
            }
            (None, Some(text), None, None, None, None) => {
                Region::Sector(text.parse::<Sector>().map_err(|error| format!("sector: {error}"))?)
            }
            (None, None, Some(code), None, None, None) => Region::Area { code: code.clone(), kind: None },
            (None, None, None, Some([west, south, east, north]), None, None) => {
                Region::Box { south_west: point(south, west)?, north_east: point(north, east)? }
            }
            (None, None, None, None, Some(latitude), Some(longitude)) => {
                let metres =
                    asked.radius.ok_or_else(|| "give radius with latitude and longitude".to_owned())?;
                Region::Circle { centre: point(latitude, longitude)?, radius: radius(metres)? }
            }
            _ => {
                return Err("give one of outcode, sector, area, box, and latitude with longitude and radius"
                    .to_owned());
            }
        };
    let keys = chosen(asked.keys.as_deref())?;
    let after = asked.after.map(|text| text.parse::<Postcode>().map_err(|error| format!("after: {error}")));
    let query = Within::of(region).limit(number(asked.limit, 20)?).after(after.transpose()?);
    let page = lookup.within(&query).await.map_err(said)?;
    let Some(page) = page else { return Err("there is no such region with live postcodes".to_owned()) };
    let items =
        page.records.iter().map(|record| json!(RecordView::new(record, Shape::Extended).only(Some(&keys))));
    let mut more = Map::new();
    more.insert("next".to_owned(), json!(page.next));
    Ok(listed(items.collect(), more))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Places {
    text: String,
    within: Option<String>,
    limit: Option<usize>,
}

async fn places(lookup: &dyn Lookups, asked: Places) -> Result<Value, String> {
    short_enough(&asked.text)?;
    let query = PlaceQuery::new(asked.text).limit(number(asked.limit, 10)?);
    let query = asked.within.into_iter().fold(query, PlaceQuery::within);
    let found = lookup.find_places(&query).await.map_err(said)?;
    Ok(listed(found.iter().map(|found| json!(found)).collect(), Map::new()))
}
