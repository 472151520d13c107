//! The service under test: in this process, or the program itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use postcode_core::conformance::Fixture;
use postcode_core::{Local, Postcode};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Listener, Options, run};
use tokio::runtime::Runtime;

use crate::common::program;

pub(crate) use postcode_testing::GENEROUS;

pub(crate) fn local() -> Local {
    Local::new(Fixture::small().dataset().unwrap())
}

/// Returns a postcode that is live in the fixture.
pub(crate) fn postcode() -> Postcode {
    "M1 1AD".parse().unwrap()
}

/// A separate runtime and thread for the other side of the network, so that its work, tasks and
/// shutdown do not mix with those of the tested side.
pub(crate) struct Aside(Option<Runtime>);

impl Aside {
    pub(crate) fn start<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> (T, Self) {
        let start = move || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(1).enable_all().build().unwrap();
            (runtime.block_on(task), Self(Some(runtime)))
        };
        // A runtime can't be started within another one.
        std::thread::spawn(start).join().unwrap()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// A service in this process; its address.
pub(crate) struct InProcess {
    pub(crate) url: String,
    _aside: Aside,
}

impl InProcess {
    pub(crate) fn start() -> Self {
        let (url, _aside) = Aside::start(async move {
            let options = Options::default();
            let api = Api::new(Edition::of(Arc::new(local())).await.unwrap(), Limits::default());
            let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
            let url = listener.url().unwrap();
            let frontend = Arc::new(Frontend::new(api, &options));
            tokio::spawn(run(listener, frontend, options, std::future::pending()));
            url
        });
        Self { url, _aside }
    }
}

/// Writes the fixture as a dataset file; the `--data` for it.
pub(crate) fn data(path: &Path) -> String {
    std::fs::write(path, Fixture::small().dataset().unwrap().as_bytes()).unwrap();
    format!("file:{}", path.display())
}

/// The program, serving. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
}

impl Program {
    pub(crate) fn start(listen: &str, data: &str) -> Self {
        let mut command = program();
        command.args(["serve", "--listen", listen, "--data", data, "--log", "error"]);
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
        Self { url: url.to_owned(), child }
    }

    /// Kills it at once, like `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) {
        postcode_testing::signal(self.child.id(), "TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
