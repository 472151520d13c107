//! Places and Scotland: one request each, to either kind of server.

use url::form_urlencoded;

use super::call::{Ask, Call};
use crate::wire::{EXTENDED, LOCAL_TYPE, WITHIN, code, path};
use crate::{Place, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, Result, ScottishPostcode};

impl Call<'_> {
    pub(super) async fn place(&self, text: &str) -> Result<Option<Place>> {
        let Some(asked) = Place::code_of(text) else { return Ok(None) };
        let reply = self.ask(&Ask::get(format!("{}/{asked}", path::PLACES), 1)).await?;
        let place: Option<Place> = reply.result_unless(&[code::PLACE_NOT_FOUND], &["Place not found"])?;
        match &place {
            Some(place) if place.code != asked => Err(reply
                .protocol(format!("the request was for {asked}, but the response is for {:?}", place.code))),
            _ => Ok(place),
        }
    }

    pub(super) async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        // An empty text is refused; a blank one finds nothing.
        let query = if query.is_empty() { " " } else { query };
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", query).finish();
        let reply = self.ask(&Ask::get(format!("{}?{query}&limit={limit}", path::PLACES), limit)).await?;
        let found: Vec<Place> = reply.result()?;
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        Ok(found)
    }

    pub(super) async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        // An empty parameter is ignored; a blank one finds nothing.
        let given = [
            ("q", Some(&query.text)),
            (WITHIN, query.within.as_ref()),
            (LOCAL_TYPE, query.local_type.as_ref()),
        ];
        let given = given.into_iter().filter_map(|(name, text)| Some((name, text?)));
        let given = given.map(|(name, text)| (name, if text.is_empty() { " " } else { text }));
        let parameters = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        let limit = query.limit;
        let reply =
            self.ask(&Ask::get(format!("{}?{parameters}&limit={limit}", path::FIND_PLACES), limit)).await?;
        reply.has_route("search for places by what is typed")?;
        let found: Vec<PlaceMatch> = reply.result()?;
        self.at_most(found.len(), limit).map_err(|error| reply.place(error))?;
        Ok(found)
    }

    pub(super) async fn place_postcodes(
        &self,
        text: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        let Some(asked) = Place::code_of(text) else { return Ok(None) };
        let mut target = format!("{}/{asked}/postcodes?limit={limit}", path::PLACES);
        if let Some(after) = after {
            target += &format!("&after={}", after.compact());
        }
        let reply = self.ask(&Ask::get(target, limit)).await?;
        reply.has_route("postcodes of a place")?;
        let page: Option<PlacePostcodes> = reply.result_unless(&[code::PLACE_NOT_FOUND], &[])?;
        let found = page.as_ref().map_or(0, |page| page.postcodes.len());
        self.at_most(found, limit).map_err(|error| reply.place(error))?;
        Ok(page)
    }

    pub(super) async fn random_place(&self) -> Result<Option<Place>> {
        self.ask(&Ask::get(path::RANDOM_PLACES.to_owned(), 1)).await?.result()
    }

    pub(super) async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        let target = format!("{}/{}?{EXTENDED}=true", path::SCOTLAND, postcode.compact());
        let reply = self.ask(&Ask::get(target, 1)).await?;
        let codes = [code::POSTCODE_NOT_FOUND, code::NOT_SCOTTISH, code::INVALID_POSTCODE, code::NOT_COVERED];
        let messages = ["Postcode not found", "Postcode exists in ONSPD but not in SPD", "Invalid postcode"];
        let entry: Option<ScottishPostcode> = reply.result_unless(&codes, &messages)?;
        match &entry {
            Some(entry) if entry.postcode != postcode => Err(reply.protocol(format!(
                "the request was for {postcode}, but the response is for {}",
                entry.postcode
            ))),
            _ => Ok(entry),
        }
    }
}
