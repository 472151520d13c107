//! The program, a proxy in front of it in a separate process, and a client: faults, kill -9,
//! restart.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use postcode_core::layers::{Fallback, Resilience, resilient};
use postcode_core::{PostcodeLookup, PostcodeLookupExt, Remote};
use postcode_testing::until;
use tokio::time::timeout;

use crate::faults::load::{Load, is_typed};
use crate::faults::proxy::{Fault, Proxy};
use crate::faults::service::{GENEROUS, Program, data, local, postcode};

/// The variable that makes a proxy of this test program.
const PROXY_TO: &str = "POSTCODE_TEST_PROXY_TO";

/// No test, but what [`ProxyProcess`] starts: prints where it listens, and reads the faults from
/// standard input.
#[test]
#[ignore = "the proxy that another test starts as a process"]
fn the_proxy_itself() {
    let Ok(to) = std::env::var(PROXY_TO) else { return };
    let proxy = Proxy::before(&to);
    println!("\nproxy at {}", proxy.url);
    for line in std::io::stdin().lines() {
        proxy.set(line.unwrap().parse().unwrap());
        println!("\nset");
    }
}

struct ProxyProcess {
    child: Child,
    input: ChildStdin,
    output: std::io::Lines<BufReader<std::process::ChildStdout>>,
    url: String,
}

impl ProxyProcess {
    fn before(service: &str) -> Self {
        let mut command = postcode_testing::command(std::env::current_exe().unwrap());
        command.args(["--exact", "faults::processes::the_proxy_itself", "--ignored", "--nocapture"]);
        command.env(PROXY_TO, service).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = output.find_map(|line| line.unwrap().strip_prefix("proxy at ").map(str::to_owned));
        Self { child, input, output, url: url.unwrap() }
    }

    /// Sets the fault. It is in effect when this returns.
    fn set(&mut self, fault: Fault) {
        writeln!(self.input, "{fault}").unwrap();
        assert!(self.output.any(|line| line.unwrap() == "set"));
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A timeout of clients, where it is not what ends a call.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

pub(crate) fn client(url: &str, timeout: Duration) -> Arc<dyn PostcodeLookup> {
    let bare = Remote::new(&format!("{url}?timeout=10m&deadline=10m&retries=0")).unwrap();
    let mut layers = Resilience::default();
    (layers.timeout, layers.deadline) = (timeout, 2 * timeout);
    resilient(bare, &layers)
}

/// Waits until a call is answered again.
pub(crate) async fn recovers(lookup: &dyn PostcodeLookup) {
    until("a call that is answered", async || lookup.get(postcode()).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_and_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start("127.0.0.1:0", &data(&folder.path().join("uk.postcodes")));
    let mut proxy = ProxyProcess::before(&program.url);
    let lookup = client(&proxy.url, Duration::from_millis(200));
    let right = local().dataset().get(postcode());
    for fault in Fault::ALL {
        recovers(&*lookup).await;
        proxy.set(fault);
        for _ in 0..10 {
            match timeout(GENEROUS, lookup.get(postcode())).await.expect("a call that hangs") {
                Ok(answer) => assert_eq!(answer, right, "{fault}"),
                Err(error) => assert!(is_typed(error.kind()), "{fault}: {error:?}"),
            }
        }
        proxy.set(Fault::None);
    }
    recovers(&*lookup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_load_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder.path().join("uk.postcodes"));
    // Use a Unix socket: another program could take the port before the service comes back.
    let listen = format!("unix:{}", folder.path().join("socket").display());
    let program = Program::start(&listen, &data);
    let alone = client(&program.url, PATIENT);
    // The same service, and the data in this process for when it is away.
    let safe = Arc::new(Fallback::new(client(&program.url, PATIENT), local()));
    let (bare, backed) = (Load::on(alone, 4), Load::on(safe.clone(), 4));
    bare.more(&bare.answered, 200).await;
    assert_eq!(bare.failed.load(SeqCst), 0, "all is well before");
    program.kill();
    bare.more(&bare.failed, 200).await;
    backed.more(&backed.answered, 200).await;
    assert!(safe.fallbacks() > 0);
    let program = Program::start(&listen, &data);
    // The clients recover without being told.
    bare.more(&bare.answered, 200).await;
    backed.more(&backed.answered, 200).await;
    let (answered, failed) = bare.end().await;
    println!("the client alone:   {answered} answered, {failed} failed with an error that says why");
    let (answered, failed) = backed.end().await;
    println!("with its fallback:  {answered} answered, {failed} failed");
    assert_eq!(failed, 0, "with a fallback nothing fails");
    program.terminate();
}
