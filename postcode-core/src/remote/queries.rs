//! The other operations: one request each, or two if a postcodes.io server says less.

use url::form_urlencoded;

use super::call::{Ask, Call};
use super::reply::Reply;
use crate::matching::prefix::{beginning, is_space, readings};
use crate::query::check;
use crate::wire::compact::CompactBody;
use crate::wire::{EXTENDED, ORDER, ORDER_PREFIX, RecordBody, code, path};
use crate::{
    Answer, DatasetInfo, Error, ErrorKind, Location, MAX_LIMIT, Nearest, NearestOutcodes, Neighbour, Origin,
    Outcode, OutcodeOrigin, OutcodeSummary, Postcode, Record, Result, Status,
};

/// In metres. postcodes.io silently replaces a greater radius with this one.
const POSTCODES_IO_RADIUS: f64 = 2_000.0;
/// The same for outcodes.
const POSTCODES_IO_OUTCODE_RADIUS: f64 = 25_000.0;
/// postcodes.io silently replaces a greater limit with this one.
const POSTCODES_IO_LIMIT: usize = 100;

impl Call<'_> {
    pub(super) async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        let reply = self.ask(&Ask::get(path::filled(path::OUTCODE, &[&outcode]), 1)).await?;
        let codes = [code::OUTCODE_NOT_FOUND, code::NOT_COVERED];
        let summary: Option<OutcodeSummary> = reply.result_unless(&codes, &["Outcode not found"])?;
        match &summary {
            Some(summary) if summary.outcode != outcode => Err(reply.protocol(format!(
                "the request was for {outcode}, but the response is for {}",
                summary.outcode
            ))),
            _ => Ok(summary),
        }
    }

    pub(super) async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let Some(prefix) = beginning(prefix) else { return Ok(Vec::new()) };
        let (mut found, ours) = self.complete(&prefix, limit).await?;
        if !ours {
            // A postcodes.io server looks at a window of `limit` postcodes, in another order, and
            // keeps those that contain the text anywhere. So the best can only be chosen from its
            // longest answers. It also takes `M11` for an outcode, so postcodes in M1 must be
            // requested separately.
            for text in readings(&prefix).filter(|text| prefix != text.as_str() || limit < MAX_LIMIT) {
                found.extend(self.complete(&text, MAX_LIMIT).await?.0);
            }
            found.sort_unstable();
            found.dedup();
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Returns the postcodes that really begin with the prefix, in order, and whether the server
    /// sends its edition: a postcode-service does, postcodes.io does not.
    async fn complete(&self, prefix: &str, limit: usize) -> Result<(Vec<Postcode>, bool)> {
        // An empty path segment is not a route; a space matches all postcodes too.
        let segment = if prefix.is_empty() { "%20".to_owned() } else { prefix.replace(' ', "%20") };
        let prefix = prefix.replace(' ', "");
        let route = path::filled(path::POSTCODE_AUTOCOMPLETE, &[&segment]);
        let target = format!("{route}?limit={limit}&{ORDER}={ORDER_PREFIX}");
        let reply = self.ask(&Ask::get(target, limit)).await?;
        let mut found: Vec<Postcode> = reply.result::<Option<_>>()?.unwrap_or_default();
        found.retain(|postcode| postcode.compact().starts_with(prefix.as_str()));
        found.sort_unstable();
        found.dedup();
        Ok((found, reply.edition.is_some()))
    }

    pub(super) async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        check::limit(limit)?;
        check::text(query)?;
        if query.chars().all(is_space) {
            return self.first(limit).await;
        }
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", query).finish();
        let target = format!("{}?{query}&limit={limit}&{EXTENDED}=true", path::POSTCODES);
        let reply = self.ask(&Ask::get(target, limit).of_records()).await?;
        if let Some(body) = reply.compact() {
            let CompactBody::Records(found) = body? else { return Err(reply.other_form()) };
            return Ok(found);
        }
        let found: Vec<RecordBody> = reply.result::<Option<_>>()?.unwrap_or_default();
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        found
            .into_iter()
            .map(|body| body.into_record(Status::Live).map_err(|error| reply.place(error)))
            .collect()
    }

    /// Returns the results of a search for an empty text. The search route refuses it; the
    /// autocomplete route, which runs the same search, accepts a space.
    async fn first(&self, limit: usize) -> Result<Vec<Record>> {
        let target = format!("{}?limit={limit}", path::filled(path::POSTCODE_AUTOCOMPLETE, &[&"%20"]));
        let reply = self.ask(&Ask::get(target, limit)).await?;
        let found: Vec<Postcode> = reply.result::<Option<_>>()?.unwrap_or_default();
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        Ok(self.lookup(&found).await?.into_iter().filter_map(Answer::live).collect())
    }

    pub(super) async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        check::nearest(query)?;
        let (limit, radius) = (query.limit, query.radius);
        let postcode = match query.origin {
            Origin::Location(location) => return self.around(location, limit, radius).await.map(Some),
            Origin::Postcode(postcode) => postcode,
        };
        let target = format!(
            "{}?limit={limit}&radius={radius}&{EXTENDED}=true",
            path::filled(path::POSTCODE_NEAREST, &[&postcode.compact()])
        );
        let reply = self.ask(&Ask::get(target, limit).of_records()).await?;
        if reply.says(&[], &["Postcode not found"]) {
            // A postcodes.io server does not answer for a terminated postcode, but says where it
            // was.
            let answer = self.settle(postcode).await?;
            return match answer.record().and_then(|record| record.location) {
                Some(location) => self.around(location, limit, radius).await.map(Some),
                None => Ok(None),
            };
        }
        let codes = [code::POSTCODE_NOT_FOUND, code::INVALID_POSTCODE, code::NO_LOCATION, code::NOT_COVERED];
        if reply.says(&codes, &["Invalid longitude/latitude submitted"]) {
            return Ok(None);
        }
        self.neighbours(&reply, limit, radius).map(Some)
    }

    /// Returns the postcodes around a point.
    async fn around(&self, location: Location, limit: usize, radius: f64) -> Result<Vec<Neighbour>> {
        let target = format!(
            "{}?lon={}&lat={}&limit={limit}&radius={radius}&{EXTENDED}=true",
            path::POSTCODES,
            location.longitude(),
            location.latitude()
        );
        let reply = self.ask(&Ask::get(target, limit).of_records()).await?;
        self.neighbours(&reply, limit, radius)
    }

    fn neighbours(&self, reply: &Reply, limit: usize, radius: f64) -> Result<Vec<Neighbour>> {
        if let Some(body) = reply.compact() {
            // A server that knows the encoding has no hidden limits.
            let CompactBody::Neighbours(found) = body? else { return Err(reply.other_form()) };
            return Ok(found);
        }
        let found: Vec<RecordBody> = reply.result::<Option<_>>()?.unwrap_or_default();
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        if found.len() < limit {
            self.saw_all(reply, found.len(), radius, POSTCODES_IO_RADIUS)?;
        }
        found.into_iter().map(|body| body.into_neighbour().map_err(|error| reply.place(error))).collect()
    }

    pub(super) async fn nearest_outcodes(
        &self,
        query: &NearestOutcodes,
    ) -> Result<Option<Vec<OutcodeSummary>>> {
        check::nearest_outcodes(query)?;
        let (limit, radius) = (query.limit, query.radius);
        let extended = match radius > POSTCODES_IO_OUTCODE_RADIUS {
            true => format!("&{EXTENDED}=true"),
            false => String::new(),
        };
        let target = match query.origin {
            OutcodeOrigin::Outcode(outcode) => {
                let route = path::filled(path::OUTCODE_NEAREST, &[&outcode]);
                format!("{route}?limit={limit}&radius={radius}{extended}")
            }
            OutcodeOrigin::Location(at) => format!(
                "{}?lon={}&lat={}&limit={limit}&radius={radius}{extended}",
                path::OUTCODES,
                at.longitude(),
                at.latitude()
            ),
        };
        let reply = self.ask(&Ask::get(target, limit)).await?;
        let codes = [code::OUTCODE_NOT_FOUND, code::NO_LOCATION, code::NOT_COVERED];
        let of_outcode = matches!(query.origin, OutcodeOrigin::Outcode(_));
        if of_outcode && reply.says(&codes, &["Outcode not found", "Invalid longitude/latitude submitted"]) {
            return Ok(None);
        }
        let found: Vec<OutcodeSummary> = reply.result::<Option<_>>()?.unwrap_or_default();
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        if found.len() < limit {
            self.saw_all(&reply, found.len(), radius, POSTCODES_IO_OUTCODE_RADIUS)?;
        }
        Ok(Some(found))
    }

    /// Checks that a short answer is complete: a postcodes.io server applies its own limits.
    fn saw_all(&self, reply: &Reply, found: usize, radius: f64, farthest: f64) -> Result<()> {
        let what = match reply.edition {
            Some(_) => return Ok(()),
            None if radius > farthest => {
                format!(
                    "a radius of {radius} m: the server is not a postcode-service, and a postcodes.io server looks no \
                 farther than {farthest} m"
                )
            }
            None if found >= POSTCODES_IO_LIMIT => {
                format!(
                    "more than {POSTCODES_IO_LIMIT}: the server is not a postcode-service, and a postcodes.io server \
                 gives no more"
                )
            }
            None => return Ok(()),
        };
        Err(reply.place(Error::new(ErrorKind::NotSupported, what)))
    }

    pub(super) fn at_most(&self, found: usize, limit: usize) -> Result<()> {
        if found > limit {
            let message = format!("the request was for at most {limit}, but the response has {found}");
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        Ok(())
    }

    pub(super) async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        let target = match outcode {
            Some(outcode) => format!("{}?outcode={outcode}&{EXTENDED}=true", path::RANDOM),
            None => format!("{}?{EXTENDED}=true", path::RANDOM),
        };
        let reply = self.ask(&Ask::get(target, 1)).await?;
        let Some(body) = reply.result::<Option<RecordBody>>()? else { return Ok(None) };
        let record = body.into_record(Status::Live).map_err(|error| reply.place(error))?;
        match outcode {
            Some(outcode) if record.postcode.outcode() != outcode => Err(reply.protocol(format!(
                "the request was for a postcode of {outcode}, but the response is {}",
                record.postcode
            ))),
            _ => Ok(Some(record)),
        }
    }

    pub(super) async fn info(self) -> Result<DatasetInfo> {
        let call = self.of_any_edition();
        let reply = call.ask(&Ask::get(path::DATASET_INFO.to_owned(), 1)).await?;
        if reply.missing().is_some_and(|body| body.code.is_none()) {
            let message = "the server does not describe its dataset: it is not a postcode-service";
            return Err(reply.place(Error::new(ErrorKind::NotSupported, message)));
        }
        reply.result()
    }
}
