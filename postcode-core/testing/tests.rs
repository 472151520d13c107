//! Tests of these helpers.

use std::process::Command;

use crate::{Nobody, command};

/// Runs one of the ignored tests below in a process that `prepare`, a shell command, has set up.
fn again(prepare: &str, test: &str) -> String {
    let script = format!("{prepare}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(std::env::current_exe().unwrap());
    let output = shell.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn command_of_a_parent_that_ignores_signals_starts_with_the_defaults() {
    let said = again("trap '' HUP INT TERM", "tests::prints_what_a_child_ignores");
    let mask = said.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    // From 32 on they belong to the C library.
    assert_eq!(u64::from_str_radix(mask, 16).unwrap() & 0x7fff_ffff, 0, "{said}");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "started by another test"]
fn prints_what_a_child_ignores() {
    let output = command("grep").args(["SigIgn", "/proc/self/status"]).output().unwrap();
    crate::say(&String::from_utf8_lossy(&output.stdout));
}

#[test]
fn command_has_no_variables_but_those_that_it_needs() {
    let set = "export http_proxy=http://127.0.0.1:9 DATABASE_URL=x TZ=Asia/Tokyo LANG=tr_TR.UTF-8 POSTCODE_LISTEN=x";
    let said = again(set, "tests::prints_what_a_child_has");
    let names: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("has ")).collect();
    assert!(names.iter().any(|line| line.starts_with("HOME=")), "{said}");
    for name in ["http_proxy", "DATABASE_URL", "TZ", "LANG", "POSTCODE_LISTEN"] {
        assert!(!names.iter().any(|line| line.starts_with(&format!("{name}="))), "{name}: {said}");
    }
}

#[test]
#[ignore = "started by another test"]
fn prints_what_a_child_has() {
    let output = command("env").output().unwrap();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        crate::say(&format!("has {line}"));
    }
}

#[test]
fn skipped_test_is_written_to_the_file_and_fails_in_ci() {
    let file = std::env::temp_dir().join(format!("skips-{}", std::process::id()));
    let set = format!("unset CI; export POSTCODE_TEST_SKIPS='{}'", file.display());
    again(&set, "tests::is_skipped");
    let lines = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(lines.starts_with("skipped: ") && lines.ends_with(": for no reason\n"), "{lines:?}");
    let said = again("export CI=true", "tests::is_refused_in_ci");
    assert!(said.contains("CI must not skip this test: for no reason"), "{said}");
}

#[test]
#[ignore = "started by another test"]
fn is_skipped() {
    crate::skip("for no reason");
}

#[test]
#[ignore = "started by another test"]
#[should_panic(expected = "CI must not skip this test: for no reason")]
fn is_refused_in_ci() {
    crate::skip("for no reason");
}

#[tokio::test]
async fn nobody_refuses_connections_until_it_listens() {
    let nobody = Nobody::new();
    let address = nobody.address;
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let _listener = nobody.listen();
    tokio::net::TcpStream::connect(address).await.unwrap();
}
