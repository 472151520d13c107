//! `addresses`: looks the addresses of postcodes up.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use anyhow::Context;
use postcode_addresses::format::Style;
use postcode_addresses::lookup::wire::AnswerBody;
use postcode_addresses::lookup::{MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE, connect_addresses};
use postcode_addresses::{AddressAnswer, AddressLookup, AddressPage};
use postcode_core::{Outcode, Postcode, path_or_url};

use super::source::Source;
use super::{exit, output, stdin, words};

/// List the addresses of postcodes.
///
/// No open data of British addresses exists, so none is in this program. Import a file that you hold a licence of.
///
/// Exit status: 0 if all postcodes have addresses, 1 if some have none, are unknown, invalid or not covered by the data,
/// 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service addresses SW1A 2AA --addresses uk.addresses
  postcode-service addresses --json --addresses uk.addresses < postcodes.txt > addresses.jsonl
  postcode-service addresses SW1A 2AA --addresses http://127.0.0.1:8080
  postcode-service addresses HY20 --addresses streets.addresses

A line of --json:
  {\"query\":…,\"status\":\"found\"|\"no_addresses\"|\"unknown\"|\"not_covered\"|\"invalid\",\"total\":…,\"addresses\":[{…,\"lines\":[…]}]}")]
pub struct Args {
    /// Postcodes in any case and spacing, or outcodes for the streets of open data; - reads one a line from standard input, which is also
    /// read if there is no POSTCODE and it is piped
    #[arg(value_name = "POSTCODE")]
    postcodes: Vec<String>,
    /// The address data: a file of addresses, or http://host:port, https://host or unix:/run/postcode.sock (a
    /// postcode-service with addresses)
    #[arg(long, value_name = "PATH|URL", env = "POSTCODE_ADDRESSES", hide_env_values = true)]
    addresses: String,
    /// How the lines of an address are written: guide (Royal Mail's guide, all elements), ideal (three lines), dvla (four
    /// lines)
    #[arg(long, default_value = "guide", value_name = "STYLE")]
    style: Style,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let inputs = stdin::inputs("POSTCODE", words::postcodes(&self.postcodes))?;
        let addresses = path_or_url(&self.addresses);
        let postcodes = match addresses.starts_with("file:") {
            // The postcode data says which postcodes exist.
            true => Some(self.source.open().await? as Arc<dyn postcode_core::PostcodeLookup>),
            false => None,
        };
        let lookup = connect_addresses(&addresses, postcodes).context("--addresses")?;
        let coverage = lookup.address_coverage().await.context("--addresses")?;
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        let mut printer =
            Printer { lookup, json: self.json, style: self.style, out, queries: Vec::new(), all_found: true };
        let mut batches = stdin::Batches::new(inputs);
        while let Some(batch) = batches.next().await? {
            for line in batch {
                // A line that can't be read is shown as what can be read of it, and is not a postcode.
                printer.add(line.unwrap_or_else(|unread| unread.shown)).await?;
            }
            printer.flush().await?;
        }
        printer.flush().await?;
        if !self.json {
            eprintln!("{}", coverage.edition);
            if !coverage.attribution.is_empty() {
                eprintln!("{}", coverage.attribution);
            }
        }
        exit::found(printer.all_found)
    }
}

struct Printer {
    lookup: Arc<dyn AddressLookup>,
    json: bool,
    style: Style,
    out: BufWriter<io::Stdout>,
    queries: Vec<String>,
    all_found: bool,
}

impl Printer {
    async fn add(&mut self, text: String) -> anyhow::Result<()> {
        self.queries.push(text);
        if self.queries.len() == MAX_ADDRESS_BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        let queries = std::mem::take(&mut self.queries);
        let parsed: Vec<Result<Postcode, String>> =
            queries.iter().map(|text| text.parse().map_err(|e| format!("{e}"))).collect();
        let postcodes: Vec<Postcode> = parsed.iter().flatten().copied().collect();
        let mut answers = self.lookup.addresses(&postcodes).await?.into_iter();
        for (query, postcode) in queries.iter().zip(parsed) {
            match postcode {
                Err(why) => match query.parse::<Outcode>() {
                    Ok(outcode) => self.streets(query, outcode).await?,
                    Err(_) => self.write(query, None, &why)?,
                },
                Ok(postcode) => {
                    let answer = answers.next().context("a batch came back short")?;
                    let answer = self.rest(postcode, answer).await?;
                    self.write(query, Some(&answer), "")?;
                }
            }
        }
        self.out.flush()?;
        Ok(())
    }

    /// Lists the streets of an outcode.
    async fn streets(&mut self, query: &str, outcode: Outcode) -> anyhow::Result<()> {
        let mut all: Option<AddressPage> = None;
        loop {
            let skip = all.as_ref().map_or(0, |page| page.addresses.len());
            let Some(next) = self.lookup.streets(outcode, skip, MAX_ADDRESS_PAGE).await? else { break };
            let is_last = next.addresses.is_empty() || skip + next.addresses.len() >= next.total;
            match &mut all {
                Some(page) => page.addresses.extend(next.addresses),
                None => all = Some(next),
            }
            if is_last {
                break;
            }
        }
        let answer = all.map_or(AddressAnswer::NotCovered, AddressAnswer::Found);
        if let (false, AddressAnswer::Found(page)) = (self.json, &answer) {
            let plural = if page.total == 1 { "" } else { "s" };
            writeln!(self.out, "{query}  {} street{plural}, approximate", page.total)?;
            for street in &page.addresses {
                let place = &street.dependent_locality;
                let comma = if place.is_empty() { "" } else { ", " };
                writeln!(self.out, "  {}{comma}{place}", street.thoroughfare)?;
            }
            return Ok(());
        }
        Ok(self.write(query, Some(&answer), "")?)
    }

    /// Asks for the pages after the first one.
    async fn rest(&self, postcode: Postcode, answer: AddressAnswer) -> anyhow::Result<AddressAnswer> {
        let AddressAnswer::Found(mut page) = answer else { return Ok(answer) };
        crate::prove::add_pages(&*self.lookup, postcode, &mut page).await?;
        Ok(AddressAnswer::Found(page))
    }

    fn write(&mut self, query: &str, answer: Option<&AddressAnswer>, why: &str) -> io::Result<()> {
        self.all_found &= matches!(answer, Some(AddressAnswer::Found(_)));
        if self.json {
            let mut body = AnswerBody::new(query, answer);
            if self.style != Style::Guide {
                for (written, address) in
                    body.addresses.iter_mut().zip(answer.map_or(&[][..], AddressAnswer::addresses))
                {
                    written.lines = address.format(self.style).lines;
                }
            }
            return output::json(&mut self.out, &body);
        }
        match answer {
            None => writeln!(self.out, "{query}  invalid: {why}"),
            Some(AddressAnswer::Found(page)) => {
                writeln!(
                    self.out,
                    "{query}  {} address{}",
                    page.total,
                    if page.total == 1 { "" } else { "es" }
                )?;
                for address in &page.addresses {
                    let number = address.udprn.map_or_else(|| "-".to_owned(), |udprn| format!("{udprn:08}"));
                    let lines = address.format(self.style).lines.join(", ");
                    let town = format!("{}, {}", address.post_town, address.postcode);
                    writeln!(self.out, "  {number:8}  {lines}, {town}")?;
                }
                Ok(())
            }
            Some(other) => {
                let status = match other {
                    AddressAnswer::NoAddresses => "no addresses in the data",
                    AddressAnswer::NotCovered => "not covered: the data has no addresses in this outcode",
                    _ => "unknown: there is no such postcode",
                };
                writeln!(self.out, "{query}  {status}")
            }
        }
    }
}
