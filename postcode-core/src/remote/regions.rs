//! The postcodes of a region, and outcodes by their beginning: only from a postcode-service.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::call::{Ask, Call};
use super::reply::Reply;
use crate::query::check;
use crate::wire::compact::CompactBody;
use crate::wire::{EXTENDED, MultiPolygonBody, PageBody, PolygonBody, RecordBody, code, path};
use crate::{Error, ErrorKind, Outcode, Page, Region, Result, Status, Within};

impl Call<'_> {
    pub(super) async fn within(&self, query: &Within) -> Result<Option<Page>> {
        query.check()?;
        let Some(ask) = ask(query)? else { return Ok(None) };
        let reply = self.ask(&ask.of_records()).await?;
        let unknown =
            [code::AREA_NOT_FOUND, code::OUTCODE_NOT_FOUND, code::SECTOR_NOT_FOUND, code::NOT_COVERED];
        if query.region.is_named() && reply.says(&unknown, &[]) {
            return Ok(None);
        }
        supported(&reply, "the postcodes of a region")?;
        let (records, next) = match reply.compact() {
            Some(body) => {
                let CompactBody::Page { records, next, .. } = body? else { return Err(reply.other_form()) };
                (records, next)
            }
            None => {
                let body: PageBody<RecordBody> = reply.body()?;
                self.at_most(body.result.len(), query.limit).map_err(|error| reply.place(error))?;
                let read =
                    |body: RecordBody| body.into_record(Status::Live).map_err(|error| reply.place(error));
                (body.result.into_iter().map(read).collect::<Result<Vec<_>>>()?, body.next)
            }
        };
        // Guarantees that following the pages ends.
        let forward = records.windows(2).all(|pair| pair[0].postcode < pair[1].postcode)
            && records.first().is_none_or(|first| query.after.is_none_or(|after| first.postcode > after))
            && next.is_none_or(|next| records.last().is_some_and(|last| last.postcode == next));
        if !forward {
            return Err(
                reply.protocol("the postcodes of a page are not in order, or do not end where it says")
            );
        }
        Ok(Some(Page::new(records, next)))
    }

    pub(super) async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let Some(prefix) = crate::matching::prefix::beginning(prefix) else { return Ok(Vec::new()) };
        // An empty path segment is not a route; a space matches all outcodes too.
        let segment = if prefix.is_empty() { "%20" } else { prefix.as_str() };
        let route = path::filled(path::OUTCODE_AUTOCOMPLETE, &[&segment]);
        let target = format!("{route}?limit={limit}&{EXTENDED}=true");
        let reply = self.ask(&Ask::get(target, limit)).await?;
        supported(&reply, "outcodes by their beginning")?;
        let found: Vec<Outcode> = reply.result()?;
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        Ok(found)
    }
}

/// Checks that the server has such a route.
fn supported(reply: &Reply, what: &str) -> Result<()> {
    let server = match reply.missing().map(|body| body.code.as_deref()) {
        Some(None) => "is not a postcode-service",
        Some(Some(code::RESOURCE_NOT_FOUND)) => "is an older postcode-service",
        _ => return Ok(()),
    };
    let message = format!("the server {server}, which does not support {what}");
    Err(reply.place(Error::new(ErrorKind::NotSupported, message)))
}

/// Creates the request. `None` if the text can't be the code of an area.
fn ask(query: &Within) -> Result<Option<Ask>> {
    let mut page = format!("limit={}&{EXTENDED}=true", query.limit);
    if let Some(after) = query.after {
        page += &format!("&cursor={}", after.compact());
    }
    let within = path::WITHIN;
    let target = match &query.region {
        Region::Circle { centre, radius } => {
            format!("{within}?lon={}&lat={}&radius={radius}&{page}", centre.longitude(), centre.latitude())
        }
        Region::Box { south_west, north_east } => {
            let edges = [
                south_west.longitude(),
                south_west.latitude(),
                north_east.longitude(),
                north_east.latitude(),
            ];
            format!("{within}?bbox={}&{page}", edges.map(|edge| edge.to_string()).join(","))
        }
        Region::Polygon(corners) => {
            let body = PolygonBody::of(corners);
            return Ask::post(format!("{within}?{page}"), &body, query.limit).map(Some);
        }
        Region::MultiPolygon(polygons) => {
            let body = MultiPolygonBody::of(polygons);
            return Ask::post(format!("{within}?{page}"), &body, query.limit).map(Some);
        }
        // A segment of only dots would be a different path.
        Region::Area { code, .. } if code.bytes().all(|byte| byte == b'.') => return Ok(None),
        Region::Area { code, kind } => {
            let kind = kind.map_or(String::new(), |kind| format!("&kind={}", kind.key()));
            let code = utf8_percent_encode(code, NON_ALPHANUMERIC);
            format!("{}?{page}{kind}", path::filled(path::AREA_POSTCODES, &[&code]))
        }
        Region::Outcode(outcode) => format!("{}?{page}", path::filled(path::OUTCODE_POSTCODES, &[outcode])),
        Region::Sector(sector) => {
            let sector = format!("{}{}", sector.outcode(), sector.digit());
            format!("{}?{page}", path::filled(path::SECTOR_POSTCODES, &[&sector]))
        }
    };
    Ok(Some(Ask::get(target, query.limit)))
}
