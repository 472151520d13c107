//! A small server of either kind, in memory or on a socket, and a transport that answers with a
//! function.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use postcode_core::remote::Transport;
use postcode_core::wire::{
    BulkItem, EDITION_HEADER, ErrorBody, NeighbourView, RecordView, Shape, Success, TerminatedBody, code,
};
use postcode_core::{
    Answer, AreaKind, Areas, DatasetInfo, Error, ErrorKind, Location, Neighbour, OutcodeSummary, OwnedArea,
    Postcode, Record, Remote, Result, YearMonth,
};
use serde::Serialize;
use tower::ServiceExt;

/// The kind of the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    PostcodeService,
    PostcodesIo,
}

pub(crate) struct Fake {
    pub(crate) kind: Kind,
    pub(crate) edition: Mutex<String>,
    /// The method, path and query of each request.
    pub(crate) requests: Mutex<Vec<String>>,
    records: BTreeMap<Postcode, Record>,
}

pub(crate) fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

pub(crate) fn postcodes(texts: &[&str]) -> Vec<Postcode> {
    texts.iter().map(|text| postcode(text)).collect()
}

fn record(text: &str, latitude: f64) -> Record {
    let mut record = Record::live(postcode(text));
    record.quality = Some(1);
    record.location = Some(Location::new(latitude, -2.0).unwrap());
    record.areas = Areas::owned([(
        AreaKind::AdminDistrict,
        OwnedArea { code: Some("S12000033".into()), name: Some("Aberdeen City".into()), alias: None },
    )]);
    record
}

/// Returns `AB1 0AA`, the terminated one.
pub(crate) fn terminated() -> Record {
    let mut record = record("AB1 0AA", 57.001);
    record.status = postcode_core::Status::Terminated;
    record.terminated = Some(YearMonth::new(1996, 6).unwrap());
    record.introduced = Some(YearMonth::new(1980, 1).unwrap());
    record
}

impl Fake {
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        let mut records: Vec<Record> = ["AB10 1AB", "AB10 1AF", "AB11 5BE", "M1 1AD", "M11 1AA"]
            .iter()
            .zip([57.0, 57.001, 57.002, 53.0, 53.001])
            .map(|(text, latitude)| record(text, latitude))
            .collect();
        let mut unlocated = record("JE2 4WD", 49.0);
        unlocated.location = None;
        records.extend([unlocated, terminated()]);
        Arc::new(Self {
            kind,
            edition: Mutex::new("one".to_owned()),
            requests: Mutex::default(),
            records: records.into_iter().map(|record| (record.postcode, record)).collect(),
        })
    }

    pub(crate) fn record(&self, text: &str) -> Record {
        self.records[&postcode(text)].clone()
    }

    pub(crate) fn answer(&self, postcode: Postcode) -> Answer {
        match self.records.get(&postcode) {
            Some(record) => record.clone().into(),
            None if postcode.area() == "BT" => Answer::NotCovered,
            None => Answer::Unknown,
        }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn live(&self) -> impl Iterator<Item = &Record> {
        self.records.values().filter(|record| record.status == postcode_core::Status::Live)
    }

    fn shape(&self) -> Shape {
        match self.kind {
            Kind::PostcodeService => Shape::Extended,
            Kind::PostcodesIo => Shape::Compatible,
        }
    }

    fn found(&self, result: impl Serialize) -> Response<Body> {
        json(StatusCode::OK, &Success::new(result))
    }

    fn failed(&self, status: StatusCode, error: &str, code: &str) -> ErrorBody {
        let mut body = ErrorBody::new(status.as_u16(), error, code);
        if self.kind == Kind::PostcodesIo {
            body.code = None;
        }
        body
    }

    fn missing(&self, error: &str, code: &str) -> Response<Body> {
        json(StatusCode::NOT_FOUND, &self.failed(StatusCode::NOT_FOUND, error, code))
    }

    fn neighbours(&self, origin: Location, parameters: &BTreeMap<String, String>) -> Response<Body> {
        let radius: f64 = parameters["radius"].parse().unwrap();
        let limit: usize = parameters["limit"].parse().unwrap();
        let mut found: Vec<Neighbour> = self
            .live()
            .filter_map(|record| {
                // Near enough for a test: all are on one meridian.
                let metres = (record.location?.latitude() - origin.latitude()).abs() * 111_000.0;
                Some(Neighbour::new(record.clone(), metres))
            })
            .filter(|neighbour| neighbour.distance <= radius)
            .collect();
        found.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        found.truncate(limit);
        let views: Vec<_> = found.iter().map(|n| NeighbourView::new(n, self.shape())).collect();
        self.found((!views.is_empty()).then_some(views))
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .route("/postcodes", get(query).post(bulk))
            .route("/postcodes/{postcode}", get(single))
            .route("/postcodes/{postcode}/nearest", get(nearest))
            .route("/postcodes/{prefix}/autocomplete", get(autocomplete))
            .route("/outcodes/{outcode}", get(outcode))
            .route("/random/postcodes", get(random));
        let router = match self.kind {
            Kind::PostcodeService => router.route("/dataset/info", get(info)),
            Kind::PostcodesIo => router,
        };
        let fake = Arc::clone(self);
        router
            .fallback(|State(fake): State<Arc<Fake>>| async move {
                fake.missing("Resource not found", code::RESOURCE_NOT_FOUND)
            })
            .with_state(Arc::clone(self))
            .layer(axum::middleware::map_request(move |request: Request<Body>| {
                let fake = Arc::clone(&fake);
                async move {
                    let target = request.uri().path_and_query().unwrap();
                    fake.requests.lock().unwrap().push(format!("{} {target}", request.method()));
                    request
                }
            }))
            .layer(axum::middleware::map_response_with_state(Arc::clone(self), edition))
    }

    /// Returns a client that calls this server in memory.
    pub(crate) fn remote(self: &Arc<Self>) -> Remote {
        self.remote_with("")
    }

    pub(crate) fn remote_with(self: &Arc<Self>, options: &str) -> Remote {
        let url = format!("http://fake{options}");
        Remote::builder(&url).transport(InMemory(self.router())).build().unwrap()
    }
}

async fn edition(State(fake): State<Arc<Fake>>, mut response: Response<Body>) -> Response<Body> {
    if fake.kind == Kind::PostcodeService {
        let edition = HeaderValue::from_str(&fake.edition.lock().unwrap()).unwrap();
        response.headers_mut().insert(EDITION_HEADER, edition);
    }
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(body).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

async fn bulk(State(fake): State<Arc<Fake>>, body: Bytes) -> Response<Body> {
    #[derive(serde::Deserialize)]
    struct Asked {
        postcodes: Vec<String>,
    }
    let asked: Asked = serde_json::from_slice(&body).unwrap();
    if asked.postcodes.len() > 100 {
        let error = "Too many postcodes submitted. Up to 100 postcodes can be bulk requested at a time";
        let body = fake.failed(StatusCode::BAD_REQUEST, error, code::INVALID_INPUT);
        return json(StatusCode::BAD_REQUEST, &body);
    }
    let answers: Vec<_> = asked.postcodes.iter().map(|text| fake.answer(postcode(text))).collect();
    let items: Vec<_> = asked
        .postcodes
        .into_iter()
        .zip(&answers)
        .map(|(query, answer)| BulkItem::new(query, Some(answer), fake.shape()))
        .collect();
    fake.found(items)
}

async fn single(State(fake): State<Arc<Fake>>, Path(text): Path<String>) -> Response<Body> {
    match fake.answer(postcode(&text)) {
        Answer::Live(record) => fake.found(RecordView::new(&record, fake.shape())),
        Answer::Terminated(record) => {
            let mut body = fake.failed(StatusCode::NOT_FOUND, "Postcode not found", code::POSTCODE_NOT_FOUND);
            body.terminated = Some(TerminatedBody::from(&record));
            json(StatusCode::NOT_FOUND, &body)
        }
        _ => fake.missing("Postcode not found", code::POSTCODE_NOT_FOUND),
    }
}

type Parameters = Query<BTreeMap<String, String>>;

async fn nearest(
    State(fake): State<Arc<Fake>>,
    Path(text): Path<String>,
    Query(parameters): Parameters,
) -> Response<Body> {
    match fake.answer(postcode(&text)) {
        Answer::Terminated(_) if fake.kind == Kind::PostcodesIo => {
            fake.missing("Postcode not found", code::POSTCODE_NOT_FOUND)
        }
        Answer::Live(record) | Answer::Terminated(record) => match record.location {
            Some(location) => fake.neighbours(location, &parameters),
            None => json(
                StatusCode::BAD_REQUEST,
                &fake.failed(
                    StatusCode::BAD_REQUEST,
                    "Invalid longitude/latitude submitted",
                    code::NO_LOCATION,
                ),
            ),
        },
        Answer::Unknown => fake.missing("Postcode not found", code::POSTCODE_NOT_FOUND),
        Answer::NotCovered => fake.missing("Postcode not found", code::NOT_COVERED),
    }
}

async fn query(State(fake): State<Arc<Fake>>, Query(parameters): Parameters) -> Response<Body> {
    if let (Some(lon), Some(lat)) = (parameters.get("lon"), parameters.get("lat")) {
        let location = Location::new(lat.parse().unwrap(), lon.parse().unwrap()).unwrap();
        return fake.neighbours(location, &parameters);
    }
    let found: Vec<_> = fake
        .live()
        .filter(|record| record.postcode.compact().contains(&parameters["q"]))
        .map(|record| RecordView::new(record, fake.shape()))
        .take(parameters["limit"].parse().unwrap())
        .collect();
    fake.found((!found.is_empty()).then_some(found))
}

async fn autocomplete(
    State(fake): State<Arc<Fake>>,
    Path(prefix): Path<String>,
    Query(parameters): Parameters,
) -> Response<Body> {
    let limit = parameters["limit"].parse().unwrap();
    let mut found: Vec<Postcode> = fake.live().map(|record| record.postcode).collect();
    if fake.kind == Kind::PostcodesIo || !parameters.contains_key("order") {
        // Postcodes that contain the text, in the order of the compact form, from a window of
        // `limit`.
        found.sort_by_key(|postcode| postcode.compact().to_string());
        found.retain(|postcode| postcode.compact().as_str() >= prefix.trim());
        found.truncate(limit);
        found.retain(|postcode| postcode.compact().contains(prefix.trim()));
    } else {
        found.retain(|postcode| postcode.compact().starts_with(prefix.trim()));
        found.truncate(limit);
    }
    fake.found((!found.is_empty()).then_some(found))
}

async fn outcode(State(fake): State<Arc<Fake>>, Path(text): Path<String>) -> Response<Body> {
    let outcode = text.parse().unwrap();
    if !fake.live().any(|record| record.postcode.outcode() == outcode) {
        return fake.missing("Outcode not found", code::OUTCODE_NOT_FOUND);
    }
    let mut summary = OutcodeSummary::new(outcode);
    summary.admin_district = vec!["Aberdeen City".to_owned()];
    fake.found(summary)
}

async fn random(State(fake): State<Arc<Fake>>, Query(parameters): Parameters) -> Response<Body> {
    let outcode = parameters.get("outcode").map(|text| text.parse().unwrap());
    let record =
        fake.live().find(|record| outcode.is_none_or(|outcode| record.postcode.outcode() == outcode));
    fake.found(record.map(|record| RecordView::new(record, fake.shape())))
}

async fn info(State(fake): State<Arc<Fake>>) -> Response<Body> {
    fake.found(DatasetInfo::new(fake.edition.lock().unwrap().clone()))
}

/// A server that the client calls without a socket.
pub(crate) struct InMemory(pub(crate) Router);

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}

#[async_trait]
impl Transport for InMemory {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let Ok(response) = self.0.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, limit)
            .await
            .map_err(|e| Error::new(ErrorKind::Protocol, "the answer is too long").with_source(e))?;
        Ok(Response::from_parts(parts, body))
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Bytes>>> + Send>>;

/// A transport that answers with a function of the request and the number of previous ones.
pub(crate) struct Script {
    answer: Box<dyn Fn(usize, Request<Bytes>) -> Answering + Send + Sync>,
    pub(crate) seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Script {
    pub(crate) fn new<F, A>(answer: F) -> Self
    where
        F: Fn(usize, Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response<Bytes>>> + Send + 'static,
    {
        Self { answer: Box::new(move |n, request| Box::pin(answer(n, request))), seen: Arc::default() }
    }

    /// Gives the same answer each time.
    pub(crate) fn always(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        Self::new(move |_, _| std::future::ready(Ok(response.clone())))
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::always(status, &[("content-type", "application/json; charset=utf-8")], body)
    }

    pub(crate) fn remote(self) -> Remote {
        self.remote_with("?retries=0")
    }

    pub(crate) fn remote_with(self, options: &str) -> Remote {
        let url = format!("http://user:hunter2@fake:8080/prefix{options}");
        Remote::builder(&url).transport(self).build().unwrap()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>, _limit: usize) -> Result<Response<Bytes>> {
        let n = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        (self.answer)(n, request).await
    }
}
