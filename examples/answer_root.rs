//! A service that is wrong about one postcode of the country: what a sample of its answers sees, and
//! what the root of all answers sees.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use postcode_core::layers::Around;
use postcode_core::layers::call::{Call, LookupCall};
use postcode_core::{Answer, Local, Postcode, PostcodeLookup, Remote};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::proof::{Source, Tree, compare};
use postcode_service::server::{Frontend, Listener, Options, run};

/// How many answers the sample compares.
const SAMPLE: usize = 100_000;
const WRONG: &str = "SW1A 1AA";

/// Answers from the embedded country, with a bug that shows at one postcode.
#[derive(Debug)]
struct Wrong(Local);

impl Around for Wrong {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> postcode_core::Result<C::Reply> {
        call.on(&self.0).await
    }

    async fn around_lookup<C: LookupCall<Local>>(&self, call: C) -> postcode_core::Result<C::Reply> {
        let mut answers = Vec::new();
        self.0.dataset().get_many(call.postcodes(), &mut answers);
        for answer in &mut answers {
            if let Answer::Live(record) = answer
                && record.postcode.spaced().as_str() == WRONG
            {
                record.quality = Some(9);
            }
        }
        C::reply_all(answers)
    }
}

postcode_core::layer!([] Wrong);

#[tokio::main]
async fn main() -> Result<()> {
    let local = Local::embedded()?;
    let all: Vec<Postcode> = local.dataset().iter().map(|record| record.postcode).collect();
    let edition = Edition::of(Arc::new(Wrong(Local::embedded()?))).await?.listing(local.dataset());
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse().map_err(anyhow::Error::msg)?).await?;
    let remote = Remote::new(&listener.url()?)?;
    let api = Api::new(edition, Limits::default());
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));

    println!("{} postcodes; the service is wrong about {WRONG}", all.len());

    // The finaliser of splitmix64: the same sample in every run.
    let draw = |n: usize| {
        let mut z = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        all[((z ^ (z >> 31)) % all.len() as u64) as usize]
    };
    let (began, mut different) = (Instant::now(), 0);
    for first in (0..SAMPLE).step_by(100) {
        let sample: Vec<Postcode> = (first..first + 100).map(draw).collect();
        let (one, other) = tokio::try_join!(local.lookup(&sample), remote.lookup(&sample))?;
        different += one.iter().zip(&other).filter(|(one, other)| one != other).count();
    }
    println!("a sample of {SAMPLE} answers: {different} different, after {:.1?}", began.elapsed());

    let began = Instant::now();
    let dataset = local.dataset();
    let tree = Arc::new(Tree::build(Arc::new(local), dataset, 2).await?);
    println!("the root of all answers here, {} hashed, after {:.1?}", tree.hashed(), began.elapsed());
    let seen = compare(&Source::Tree(tree.clone()), &Source::Service(remote), 8).await?;
    println!("here {}\nthere {}", seen.roots[0], seen.roots[1]);
    println!(
        "{:?} different, named by {} requests, after {:.1?}",
        seen.different,
        seen.requests,
        began.elapsed()
    );
    ensure!(seen.different == [WRONG] && seen.is_complete, "the root did not name the wrong answer");

    // As after a reload of data in which one answer has changed.
    let began = Instant::now();
    let (wrong, dataset) = (Wrong(Local::embedded()?), Local::embedded()?.dataset());
    let next = Tree::build_after(&tree, Arc::new(wrong), dataset, 2).await?;
    println!("the root after a reload, {} hashed, after {:.1?}", next.hashed(), began.elapsed());
    ensure!(next.root() == seen.roots[1], "the root after a reload is another one");
    Ok(())
}
