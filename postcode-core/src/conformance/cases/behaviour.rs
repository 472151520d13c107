//! Cases that apply to all methods.

use std::pin::pin;
use std::task::{Context, Poll};

use futures::future::{join_all, try_join_all};
use futures::task::noop_waker_ref;

use super::suite::{Broken, Checked, Suite, equal};
use crate::conformance::AnyCall;
use crate::{Nearest, NearestOutcodes, Origin, Region, Result, Within};

/// Returns a call of each method, and some that are refused.
fn calls(suite: &Suite<'_>) -> Result<Vec<AnyCall>> {
    let postcodes: Vec<_> = suite.fixture.records().map(|record| record.postcode).take(5).collect();
    let first = postcodes.first().copied();
    let mut calls = vec![
        AnyCall::Lookup(postcodes),
        AnyCall::Autocomplete("m1".to_owned(), 10),
        AnyCall::Search("M1".to_owned(), 10),
        AnyCall::Autocomplete("m1".to_owned(), 0),
        AnyCall::Info,
    ];
    if suite.fixture.info().places > 0 {
        calls.push(AnyCall::Place("osgb1001".to_owned()));
        calls.push(AnyCall::Places("newport".to_owned(), 10));
    }
    if suite.fixture.info().scottish_postcodes > 0 {
        calls.extend(suite.fixture.scottish().next().map(|entry| AnyCall::Scottish(entry.postcode)));
    }
    calls.extend(first.map(|postcode| AnyCall::NearestOutcodes(NearestOutcodes::to(postcode.outcode()))));
    calls.extend(first.map(|postcode| AnyCall::Lookup(vec![postcode])));
    calls.push(AnyCall::Outcodes("m1".to_owned(), 10));
    let outcode = first.map(|postcode| Region::Outcode(postcode.outcode()));
    calls.extend(outcode.map(|outcode| AnyCall::Within(Within::of(outcode).limit(20))));
    calls.extend(first.map(|postcode| AnyCall::Outcode(postcode.outcode())));
    calls.extend(first.map(|postcode| AnyCall::Nearest(Nearest::to(Origin::Postcode(postcode)))));
    Ok(calls)
}

pub(super) async fn twice(suite: &Suite<'_>) -> Checked {
    for call in calls(suite)? {
        let first = call.answer(suite.lookup).await;
        equal(&call, &call.answer(suite.lookup).await, &first)?;
    }
    Ok(())
}

pub(super) async fn at_once(suite: &Suite<'_>) -> Checked {
    let calls = calls(suite)?;
    let due = join_all(calls.iter().map(|call| call.answer(suite.lookup))).await;
    let many = calls.iter().zip(&due).cycle().take(calls.len() * 12);
    let check = |(call, due)| async move {
        let got: String = AnyCall::answer(call, suite.lookup).await;
        equal(call, &got, due)
    };
    try_join_all(many.map(check)).await.map(|_| ())
}

/// Drops each call before the first poll, after the first poll, after the second, and so on.
pub(super) async fn dropped(suite: &Suite<'_>) -> Checked {
    for call in calls(suite)? {
        let due = call.answer(suite.lookup).await;
        for polls in 0..8 {
            let mut future = pin!(call.answer(suite.lookup));
            let mut done = false;
            for _ in 0..polls {
                let mut context = Context::from_waker(noop_waker_ref());
                if !done && let Poll::Ready(got) = future.as_mut().poll(&mut context) {
                    done = true;
                    equal(&call, &got, &due)?;
                }
            }
        }
        let got = call.answer(suite.lookup).await;
        equal(&call, &got, &due).map_err(|broken| match broken {
            Broken::Fail(message) => Broken::Fail(format!("after dropped calls: {message}")),
            other => other,
        })?;
    }
    Ok(())
}
