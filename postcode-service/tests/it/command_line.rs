//! Checks what a person types: arguments without quotes, paths instead of URLs, units, output forms,
//! standard input.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::common;
use crate::program::{program, text};

/// Writes a dataset file with positions and names of areas.
fn dataset(folder: &Path) -> String {
    let path = folder.join("uk.postcodes");
    std::fs::write(&path, common::small().dataset().as_bytes()).unwrap();
    path.display().to_string()
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = program().args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // A program that needs no input may have ended.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn said(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let output = run(arguments, input);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn postcodes_without_quotes_are_joined_and_several_stay_several() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    let lookup = |postcodes: &[&str]| {
        let (status, out, _) =
            said(&[&["lookup", "-s", &data, "--csv", "-c", "postcode"], postcodes].concat(), b"");
        (status, out)
    };
    let one = (Some(0), "query,postcode\nAB10 1AB,AB10 1AB\n".to_owned());
    assert_eq!(lookup(&["AB10 1AB"]), one);
    assert_eq!(lookup(&["AB10", "1AB"]), one);
    let (status, out) = lookup(&["ab10", "1ab", "M11AD", "AB10", "1AF"]);
    assert_eq!(status, Some(0));
    assert_eq!(out, "query,postcode\nab10 1ab,AB10 1AB\nM11AD,M1 1AD\nAB10 1AF,AB10 1AF\n");
    // An outcode alone is not a postcode.
    assert_eq!(lookup(&["AB10", "M11AD"]), (Some(1), "query,postcode\nAB10,\nM11AD,M1 1AD\n".to_owned()));

    for (arguments, status, expected) in [
        (&["validate", "AB10", "1AB"][..], 0, "AB10 1AB  live\n"),
        (&["distance", "AB10", "1AB", "AB10", "1AF"], 0, "0.0 m\n"),
        (&["distance", "AB101AB", "AB10", "1AF"], 0, "0.0 m\n"),
        (&["search", "AB10", "1AB", "--csv"], 0, "postcode,admin_district"),
        (&["autocomplete", "ab10", "1"], 0, "AB10 1AB\nAB10 1AF\n"),
        (&["nearest", "AB10", "1AB", "-n", "1"], 0, "      0.0 m  AB10 1AB  Aberdeen City\n"),
        (&["nearest", "57.14959", "-2.096923", "-n", "1"], 0, "      0.0 m  AB10 1AB  Aberdeen City\n"),
        (&["distance", "AB101AB"], 2, ""),
        (&["distance", "AB101AB", "M11AD", "AB101AF"], 2, ""),
    ] {
        let (code, out, why) = said(&[arguments, &["--source", &data]].concat(), b"");
        assert_eq!(code, Some(status), "{arguments:?}: {why}");
        assert!(out.starts_with(expected), "{arguments:?}: {out}");
    }
}

#[test]
fn dataset_is_a_path_or_a_url_in_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = dataset(folder.path());
    let url = format!("file:{path}");
    for data in [&path, &url] {
        for arguments in [
            &["info", "--source", data][..],
            &["info", "--data", data],
            &["lookup", "AB101AB", "-s", data],
            &["inspect", data],
            &["verify", data],
            &["diff", data, &path],
            &["export", data, "-o", &format!("{path}.csv")],
            &["pack", data, "-o", &format!("{path}.pack")],
        ] {
            let (status, _, why) = said(arguments, b"");
            assert_eq!(status, Some(0), "{arguments:?}: {why}");
        }
    }
    let (status, out, _) = said(&["inspect", "embedded:"], b"");
    assert!(status == Some(0) && out.starts_with("ONSPD"), "{out}");
    let absent = out.split("field without a value").nth(1).unwrap();
    assert!(
        absent.lines().any(|line| line.starts_with("ttwa ") && line.ends_with(" import ONSPD or NSPL")),
        "{absent}"
    );
    assert!(!absent.contains("nuts"), "{absent}");
    let (status, _, why) = said(&["inspect", "http://127.0.0.1:1"], b"");
    assert!(status == Some(2) && why.contains("this is a service"), "{why}");
    let (status, _, why) = said(&["pack", "embedded:", "-o", "x"], b"");
    assert!(status == Some(1) && why.contains("give the path"), "{why}");
}

#[test]
fn swapped_coordinates_are_refused_with_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    for (arguments, meant) in [
        (&["nearest", "-2.09,57.14"][..], "57.14,-2.09"),
        (&["nearest", "-2.09", "57.14"], "57.14,-2.09"),
        (&["within", "--circle", "-2.09,57.14,1km"], "57.14,-2.09"),
        (&["within", "--box=-2.2,57.1,-2.0,57.2"], "57.1,-2.2,57.2,-2"),
        (&["within", "--polygon", "-2.2,57.1 -2,57.1 -2,57.2"], "'57.1,-2.2 57.1,-2 57.2,-2'"),
    ] {
        let (status, out, why) = said(&[arguments, &["-s", &data]].concat(), b"");
        assert_eq!((status, &*out), (Some(2), ""), "{arguments:?}");
        assert!(why.contains(&format!("latitude comes first. Did you mean {meant}?")), "{why}");
    }
}

#[test]
fn box_takes_its_corners_in_any_notation() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    let within =
        |text: &str| said(&["within", &format!("--box={text}"), "-s", &data, "--csv", "-c", "postcode"], b"");
    let (status, expected, why) = within("57.1,-2.2,57.2,-2.0");
    assert!(status == Some(0) && expected.lines().count() > 1, "{why}");
    for text in [
        "57.1,-2.2;57.2,-2.0",
        "57.1N,2.2W,57.2N,2.0W",
        "57°6'N 2°12'W; 57°12'N 2°0'W",
        "(57.1, -2.2), (57.2, -2.0)",
        "57,1 -2,2; 57,2 -2,0",
        "387900 798700; 400100 811900",
        "NO 879 987; NK 001 119",
    ] {
        let (status, out, why) = within(text);
        assert_eq!((status, &out), (Some(0), &expected), "{text}: {why}");
    }
    for (text, says) in [
        ("57.1,-2.2,57.2", "a number has no partner"),
        ("57.1,-2.2", "not two corners"),
        ("57.1,-2.2;57.2", "give SOUTH,WEST,NORTH,EAST, or two corners with ; between them"),
        ("-2.2,57.1;-2.0,57.2", "latitude comes first"),
        ("57.2,-2.0;57.1,-2.2", "south"),
    ] {
        let (status, out, why) = within(text);
        assert_eq!((status, &*out), (Some(2), ""), "{text}: {why}");
        assert!(why.contains(says), "{text}: {why}");
    }
}

#[test]
fn distances_take_units() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    let near = |radius: &str| said(&["nearest", "57.1", "-2.1", "-r", radius, "-s", &data], b"");
    for (radius, found) in [("6km", true), ("6000", true), ("4mi", true), ("5km", false), ("3 miles", false)]
    {
        let (status, out, why) = near(radius);
        assert_eq!(status, Some(i32::from(!found)), "{radius}: {out} {why}");
    }
    let (status, _, why) = near("1 league");
    assert!(status == Some(2) && why.contains("unknown unit \"league\""), "{why}");
    let (status, out, _) = said(&["within", "--circle", "57.1,-2.1,6km", "-s", &data], b"");
    assert_eq!((status, out.lines().count()), (Some(0), 2));
    let (status, _, why) = said(&["nearest", "AB10 1AB", "-s", &data, "-r", "0"], b"");
    assert!(status == Some(0) && why.contains("--radius looks further"), "{why}");
}

#[test]
fn postcode_without_a_location_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    for (arguments, expected) in [
        (&["nearest", "JE2 4WD"][..], "JE2 4WD: the data has no location for this postcode\n"),
        (&["nearest", "M1 1ZZ"], "M1 1ZZ: unknown\n"),
        (&["distance", "AB10", "1AB", "JE2", "4WD"], "JE2 4WD: the data has no location for this postcode\n"),
        (&["distance", "BT1", "5GS", "AB10", "1AB"], "BT1 5GS: not covered: load ONSPD\n"),
    ] {
        let (status, out, why) = said(&[arguments, &["-s", &data]].concat(), b"");
        assert_eq!((status, &*out, &*why), (Some(1), "", expected), "{arguments:?}");
    }
}

#[test]
fn standard_input_is_read_if_nothing_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    let (status, out, why) = said(&["lookup", "-s", &data, "--csv", "-c", "status"], b"AB10 1AB\nxyz\n");
    assert_eq!((status, &*out), (Some(1), "query,status\nAB10 1AB,live\nxyz,invalid\n"), "{why}");
    let (status, out, _) = said(&["validate", "-s", &data], b"AB10 1AB\n\xff\n");
    assert_eq!(status, Some(1));
    assert!(out.starts_with("AB10 1AB  live\nÿ  invalid: "), "{out}");
    let wide: Vec<u8> = "\u{feff}AB10 1AB\rAB10 1AF\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [&b"\xef\xbb\xbfAB10 1AB\rAB10\xa01AF\r"[..], &wide] {
        let (status, out, _) = said(&["lookup", "-s", &data, "--csv", "-c", "status", "-"], text);
        let statuses: Vec<_> = out.lines().filter_map(|line| line.split(',').nth(1)).collect();
        assert_eq!((status, &*statuses), (Some(0), &["status", "live", "live"][..]), "{out}");
    }
    let (status, out, why) = said(&["enrich", "-s", &data, "-c", "status"], b"postcode\nAB10 1AB\n");
    assert_eq!((status, &*out), (Some(0), "postcode,status\nAB10 1AB,live\n"), "{why}");
    let (status, out, _) = said(&["lookup", "-s", &data, "--csv"], b"");
    assert_eq!((status, out.lines().count()), (Some(0), 1));
}

#[test]
fn csv_of_every_lookup_has_a_header_and_a_row_for_each_answer() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(folder.path());
    for (arguments, header, rows) in [
        (&["lookup", "AB101AB"][..], "query,status,postcode,admin_district", 1),
        (&["validate", "AB101AB", "x"], "query,valid,status,reason", 2),
        (&["search", "AB10"], "postcode,admin_district,admin_ward", 2),
        (&["autocomplete", "AB"], "postcode", 2),
        (&["autocomplete", "AB", "--outcodes"], "outcode", 1),
        (&["random", "--outcode", "M1"], "postcode,", 1),
        (&["outcode", "AB10", "M1"], "outcode,admin_district", 2),
        (&["outcode", "AB10", "--nearest"], "outcode,admin_district", 1),
        (&["nearest", "AB101AB"], "distance,postcode,", 2),
        (&["within", "--outcode", "AB10"], "postcode,admin_district", 2),
        (&["within", "--outcode", "AB10", "-c", "codes.admin_district"], "codes.admin_district", 2),
        (&["distance", "AB101AB", "M11AD"], "from,to,metres", 1),
        (&["info"], "edition,source,live,terminated", 1),
    ] {
        let (_, out, why) = said(&[arguments, &["--csv", "-s", &data]].concat(), b"");
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.first().is_some_and(|line| line.starts_with(header)), "{arguments:?}: {out}{why}");
        assert_eq!(lines.len(), rows + 1, "{arguments:?}: {out}");
        let (_, json, why) = said(&[arguments, &["-s", &data]].concat(), b"");
        assert!(!json.contains('\x1b'), "{arguments:?} is coloured in a pipe: {json}{why}");
    }
    let (_, out, _) = said(&["distance", "AB101AB", "AB101AF", "--json", "-s", &data], b"");
    assert_eq!(out, "{\"from\":\"AB10 1AB\",\"to\":\"AB10 1AF\",\"metres\":0.0}\n");
}

#[test]
fn find_says_where_postcodes_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear sir,\nfrom sw1a1aa to M1\n1AE. Yours\n").unwrap();
    let file = file.display().to_string();
    let (status, out, why) = said(&["find", &file], b"");
    assert_eq!((status, &*out), (Some(0), "2:6: SW1A 1AA\n2:17: M1 1AE\n"), "{why}");
    let (_, out, _) = said(&["find", "--only"], b"EH1 1YZ and eh11yz");
    assert_eq!(out, "EH1 1YZ\nEH1 1YZ\n");
    let (_, out, _) = said(&["find", "--csv", "-"], b"in EH1 1YZ");
    assert_eq!(
        out,
        "file,line,column,start,end,kind,text,postcode\n(standard input),1,4,3,10,postcode,EH1 1YZ,EH1 1YZ\n"
    );
    let (_, out, _) = said(&["find", "--json", "--everything"], b"SW1A and BFPO 61");
    assert!(out.contains("\"kind\":\"outcode\"") && out.contains("\"postcode\":\"BFPO 61\""), "{out}");
    assert_eq!(said(&["find"], b"nothing here").0, Some(1));
    let (status, _, why) = said(&["find", "From SW1A 1AA"], b"");
    assert!(status == Some(2) && why.contains("To search a text"), "{why}");
}

/// Returns the subcommands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    let named = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    named.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

#[test]
fn postcode_of_no_area_is_unknown_with_what_may_be_meant() {
    let (status, out, _) = said(&["validate", "C01 1AA", "I61 1AA", "SW1A 9ZZ"], b"");
    assert_eq!(status, Some(1));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines,
        [
            "C01 1AA  unknown: there is no postcode area C; did you mean CO1 1AA?",
            "I61 1AA  unknown: there is no postcode area I; did you mean L61 1AA or IG1 1AA?",
            "SW1A 9ZZ  unknown",
        ]
    );
    // A column that was copied out of a spreadsheet.
    let (_, out, _) = said(&["validate"], b"=\"EH1 1YZ\"\n'M1 1AE\n");
    assert_eq!(out.lines().collect::<Vec<_>>(), ["=\"EH1 1YZ\"  live", "'M1 1AE  live"]);
    let (_, out, _) = said(&["lookup", "--json", "C01 1AA"], b"");
    let line: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["status"], "unknown");
    assert_eq!(line["error"], "there is no postcode area C; did you mean CO1 1AA?");
}

#[test]
fn every_command_says_its_exit_status_and_has_completions_and_a_man_page() {
    let help = said(&["--help"], b"").1;
    let all = commands(&help);
    assert!(all.len() > 20, "{help}");
    for command in &all {
        let help = said(&[command, "--help"], b"").1;
        let parts = commands(&help);
        for part in &parts {
            let help = said(&[command, part, "--help"], b"").1;
            assert!(help.contains("Exit status"), "{command} {part}: {help}");
        }
        assert!(!parts.is_empty() || help.contains("Exit status"), "{command}: {help}");
    }
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let (status, script, _) = said(&["completions", shell], b"");
        assert_eq!(status, Some(0), "{shell}");
        for command in &all {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1").display().to_string();
    let (status, _, why) = said(&["man", "--out", &out], b"");
    assert_eq!(status, Some(0), "{why}");
    for command in &all {
        assert!(Path::new(&format!("{out}/postcode-service-{command}.1")).is_file(), "{command}");
    }
    let page = std::fs::read_to_string(format!("{out}/postcode-service-lookup.1")).unwrap();
    assert!(page.contains("Exit status"), "{page}");
    assert!(said(&["man"], b"").1.contains(".TH"));
}
