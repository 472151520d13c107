//! Batches: split into chunks, several at a time, all from one edition.

use std::collections::HashMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::Remote;
use super::call::{Ask, Call};
use super::reply::Reply;
use crate::lookup::call::LookupCall;
use crate::lookup::postcode_calls::LookupOne;
use crate::query::check;
use crate::wire::compact::{CompactBody, CompactQueried};
use crate::wire::{BulkItem, BulkQuery, EXTENDED, RecordBody, code, path};
use crate::{Answer, Error, ErrorKind, Postcode, Result, Status};

/// How often chunks from a different edition are requested again. A dataset changes rarely while it
/// is served, not three times during one call.
const ROUNDS: usize = 3;

/// The answers to one request.
struct Chunk {
    edition: Option<Box<str>>,
    /// The number of the answer within the call.
    number: u64,
    /// `None` if a postcodes.io server answered null: not live, and nothing more is known.
    answers: Vec<Option<Answer>>,
}

impl Call<'_> {
    pub(super) async fn lookup_one(&self, postcode: Postcode) -> Result<Answer> {
        <LookupOne<'_> as LookupCall<Remote>>::reply_all(self.lookup(&[postcode]).await?)
    }

    pub(super) async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        check::batch(postcodes.len())?;
        if postcodes.is_empty() {
            return Ok(Vec::new());
        }
        let chunks = self.one_edition(postcodes).await?;
        let answers: Vec<Option<Answer>> = chunks.into_iter().flat_map(|chunk| chunk.answers).collect();
        self.settle_all(postcodes, answers).await
    }

    async fn one_edition(&self, postcodes: &[Postcode]) -> Result<Vec<Chunk>> {
        let parts: Vec<&[Postcode]> = postcodes.chunks(self.config().batch).collect();
        let mut chunks = self.bulk_all(&parts).await?;
        for _ in 0..ROUNDS {
            // While a server changes its dataset, the latest answer comes from the new one.
            let Some(last) = chunks.iter().max_by_key(|chunk| chunk.number) else { return Ok(chunks) };
            let edition = last.edition.clone();
            let stale: Vec<usize> = (0..chunks.len()).filter(|&i| chunks[i].edition != edition).collect();
            if stale.is_empty() {
                return Ok(chunks);
            }
            let again: Vec<&[Postcode]> = stale.iter().map(|&i| parts[i]).collect();
            for (i, chunk) in stale.into_iter().zip(self.bulk_all(&again).await?) {
                chunks[i] = chunk;
            }
        }
        if chunks.windows(2).all(|pair| pair[0].edition == pair[1].edition) {
            return Ok(chunks);
        }
        let mut editions: Vec<_> = chunks.iter().map(|c| c.edition.as_deref().unwrap_or("none")).collect();
        editions.sort_unstable();
        editions.dedup();
        Err(self.give_up(
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "POST {}{}: the {} requests of one batch were answered from different editions ({}) and again \
                     still so after {ROUNDS} more requests. Wait until all servers at this address have one dataset, \
                     or raise option batch",
                    self.config().address,
                    path::POSTCODES,
                    parts.len(),
                    editions.join(", ")
                ),
            ),
            1,
        ))
    }

    async fn bulk_all(&self, parts: &[&[Postcode]]) -> Result<Vec<Chunk>> {
        let requests: Vec<_> = parts.iter().map(|part| self.bulk(part)).collect();
        stream::iter(requests).buffered(self.config().concurrency).try_collect().await
    }

    async fn bulk(&self, postcodes: &[Postcode]) -> Result<Chunk> {
        let target = format!("{}?{EXTENDED}=true", path::POSTCODES);
        let ask = Ask::post(target, &BulkQuery { postcodes }, postcodes.len())?.of_records();
        let too_many = |error: Error| match error.kind() {
            ErrorKind::InvalidInput if postcodes.len() > 100 => {
                error.and("(if the server does not accept this many postcodes, lower option batch)")
            }
            _ => error,
        };
        let reply = self.ask(&ask).await.map_err(too_many)?;
        let number = self.count_answer();
        let answers = answers(&reply, postcodes).map_err(too_many)?;
        Ok(Chunk { edition: reply.edition.clone(), number, answers })
    }

    /// Looks up one by one the postcodes for which a postcodes.io server answered null in bulk.
    async fn settle_all(&self, postcodes: &[Postcode], answers: Vec<Option<Answer>>) -> Result<Vec<Answer>> {
        let mut open: Vec<Postcode> =
            postcodes.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(p, _)| *p).collect();
        open.sort_unstable();
        open.dedup();
        let requests: Vec<_> = open.iter().map(|&postcode| self.settle(postcode)).collect();
        let settled: Vec<Answer> =
            stream::iter(requests).buffered(self.config().concurrency).try_collect().await?;
        let settled: HashMap<Postcode, Answer> = open.into_iter().zip(settled).collect();
        postcodes
            .iter()
            .zip(answers)
            .map(|(postcode, answer)| {
                answer.or_else(|| settled.get(postcode).cloned()).ok_or_else(|| {
                    Error::new(ErrorKind::Internal, format!("{postcode} was left without an answer"))
                })
            })
            .collect()
    }

    /// Calls `GET /postcodes/{postcode}`, whose 404 tells terminated from unknown.
    pub(super) async fn settle(&self, postcode: Postcode) -> Result<Answer> {
        let route = path::filled(path::POSTCODE, &[&postcode.compact()]);
        let target = format!("{route}?{EXTENDED}=true");
        let reply = self.ask(&Ask::get(target, 1)).await?;
        if reply.says(&[code::NOT_COVERED], &[]) {
            return Ok(Answer::NotCovered);
        }
        let unknown = reply.says(
            &[code::POSTCODE_NOT_FOUND, code::INVALID_POSTCODE],
            // A postcode that is not valid there, such as GIR 0AA, is not in use there either.
            &["Postcode not found", "Invalid postcode"],
        );
        let answer = match reply.missing().filter(|_| unknown) {
            None => reply.result::<RecordBody>()?.into_record(Status::Live).map(Answer::from),
            Some(body) => match body.terminated.clone() {
                Some(terminated) => terminated.into_record().map(Answer::Terminated),
                None => Ok(Answer::Unknown),
            },
        }
        .map_err(|error| reply.place(error))?;
        match answer.record() {
            Some(record) if record.postcode != postcode => Err(reply.protocol(format!(
                "the request was for {postcode}, but the response is for {}",
                record.postcode
            ))),
            _ => Ok(answer),
        }
    }
}

/// Reads the answers to these postcodes, in either encoding.
fn answers(reply: &Reply, postcodes: &[Postcode]) -> Result<Vec<Option<Answer>>> {
    let invalid = || Error::new(ErrorKind::Protocol, "the server says that a valid postcode is invalid");
    match reply.compact() {
        None => {
            let items: Vec<BulkItem<RecordBody>> = reply.result()?;
            checked(reply, postcodes, items, |item| &item.query, BulkItem::into_answer)
        }
        Some(body) => {
            let CompactBody::Bulk(items) = body? else { return Err(reply.other_form()) };
            let answer = |item: CompactQueried<'_>| item.answer.ok_or_else(invalid).map(Some);
            checked(reply, postcodes, items, |item| item.query, answer)
        }
    }
}

/// Checks that the items answer these postcodes, in their order.
fn checked<T>(
    reply: &Reply,
    postcodes: &[Postcode],
    items: Vec<T>,
    query: impl Fn(&T) -> &str,
    answer: impl Fn(T) -> Result<Option<Answer>>,
) -> Result<Vec<Option<Answer>>> {
    if items.len() != postcodes.len() {
        return Err(reply.protocol(format!(
            "the request was for {} postcodes, but the response has {}",
            postcodes.len(),
            items.len()
        )));
    }
    let mut answers = Vec::with_capacity(items.len());
    for (&postcode, item) in postcodes.iter().zip(items) {
        let (asked, query) = (postcode.spaced(), query(&item));
        if query != asked.as_str() {
            return Err(reply.protocol(format!(
                "the request was for {:?}, but the response has {:?} in its place",
                asked.as_str(),
                query.chars().take(40).collect::<String>()
            )));
        }
        let answer = answer(item).map_err(|error| reply.place(error))?;
        if let Some(record) = answer.as_ref().and_then(Answer::record)
            && record.postcode != postcode
        {
            return Err(reply.protocol(format!(
                "the request was for {postcode}, but the response is for {}",
                record.postcode
            )));
        }
        answers.push(answer);
    }
    Ok(answers)
}
