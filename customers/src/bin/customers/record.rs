//! The recording of lookups, for `postcode-service replay`.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use postcode_core::Lookups;
use postcode_core::layers::{CallRecorder, CallRecorderConfig, RecordedCall, Step};
use tokio::sync::mpsc;
use tracing::{info, warn};

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// Record lookups in this new file, a line of JSON for each, for postcode-service replay. If the file exists,
    /// nothing is recorded
    #[arg(long, env = "CUSTOMERS_RECORD", value_name = "FILE")]
    record: Option<PathBuf>,
    /// The share of the lookups that are recorded, the most of them, and whether only the sectors of
    /// postcodes are, such as share=1%,most=1000000,private=on
    #[arg(
        long,
        env = "CUSTOMERS_RECORD_HOW",
        default_value = "share=1%,most=1000000,private=on",
        value_name = "HOW",
        requires = "record"
    )]
    record_how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct How(CallRecorderConfig);

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut config = CallRecorderConfig::default();
        for setting in text.split(',').filter(|setting| !setting.is_empty()) {
            let wrong = || format!("{setting:?}: give share=1%, most=1000000 or private=on");
            let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
            match name {
                "share" => config.share = Step::share(value).map_err(|error| error.to_string())?,
                "most" => config.most = value.parse().map_err(|_| wrong())?,
                "private" => {
                    config.is_private = match value {
                        "on" => true,
                        "off" => false,
                        _ => return Err(wrong()),
                    }
                }
                _ => return Err(wrong()),
            }
        }
        Ok(Self(config))
    }
}

impl RecordArgs {
    /// Records the calls of a lookup, if a file is given. An existing file is left alone: a program that is restarted by its
    /// supervisor must start.
    pub(crate) fn around(&self, lookup: Arc<dyn Lookups>) -> Result<Arc<dyn Lookups>> {
        let Some(path) = &self.record else { return Ok(lookup) };
        let shown = path.display().to_string();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Calls can be personal data.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                warn!(file = shown, "lookups are not recorded, because the file of --record exists already");
                return Ok(lookup);
            }
            opened => opened.with_context(|| format!("--record: can't create {shown}"))?,
        };
        let (recorder, calls) = CallRecorder::new(lookup, self.record_how.0);
        info!(file = shown, how = ?self.record_how.0, "recording lookups");
        let write = move || {
            if let Err(error) = written(BufWriter::new(file), calls) {
                warn!(file = shown, %error, "lookups are not recorded any more");
            }
        };
        std::thread::Builder::new().name("record".to_owned()).spawn(write).context("--record")?;
        Ok(Arc::new(recorder))
    }
}

/// Writes calls until the lookup is dropped. Nothing waits in memory while no call comes.
fn written(mut out: impl Write, mut calls: mpsc::Receiver<RecordedCall>) -> std::io::Result<()> {
    while let Some(first) = calls.blocking_recv() {
        let mut next = Some(first);
        while let Some(call) = next {
            serde_json::to_writer(&mut out, &call)?;
            out.write_all(b"\n")?;
            next = calls.try_recv().ok();
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_are_named_if_they_are_wrong() {
        let How(read) = "share=50%,private=off".parse().unwrap();
        assert_eq!((read.share, read.most, read.is_private), (0.5, 1_000_000, false));
        assert_eq!("".parse(), Ok(How(CallRecorderConfig::default())));
        for wrong in ["share=2", "most=-1", "private=maybe", "all", "size=3"] {
            assert!(wrong.parse::<How>().is_err(), "{wrong}");
        }
    }
}
