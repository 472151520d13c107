use super::*;

fn name<'a>(names: &'a Names, kind: AreaKind, code: &str) -> Option<(&'a str, Option<&'a str>)> {
    let name = names.kinds[kind as usize].get(code)?;
    Some((name.name.as_deref()?, name.alias.as_deref()))
}

fn read(lists: &[(&str, &[u8])]) -> Names {
    let mut names = Names::new();
    for (header, rows) in lists {
        let list = List::of(&header.split(',').collect::<Vec<_>>()).expect("a list");
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(rows);
        names.add(&list, &bytes, "list.csv", b',').unwrap();
    }
    names
}

#[test]
fn codes_names_and_aliases() {
    let names = read(&[
        ("LAD25CD,LAD25NM", b"E06000002,Middlesbrough\r\nE06000019,\"Herefordshire, County of\"\r\n"),
        ("SICBL24CD,SICBL24CDH,SICBL24NM", b"E38000006,02P,NHS South Yorkshire"),
        ("ITL25CD,ITL325CD,ITL325NM", b"S30000026,TLM50,Aberdeen City and Aberdeenshire"),
        ("LAU219CD,LAU219NM,NUTS318CD,NUTS318NM", b"E05000026,Abbey,UKI52,Barking"),
        ("RUC21IND,RUC21NM", b"UN1,Urban"),
        ("LEP21CD,LEP21NM", b"E37000001,Black Country"),
    ]);
    assert_eq!(name(&names, AreaKind::AdminDistrict, "E06000019"), Some(("Herefordshire, County of", None)));
    assert_eq!(name(&names, AreaKind::Ccg, "E38000006"), Some(("NHS South Yorkshire", Some("02P"))));
    let level_3 = Some(("Aberdeen City and Aberdeenshire", Some("TLM50")));
    assert_eq!(name(&names, AreaKind::Nuts, "S30000026"), level_3);
    assert_eq!(name(&names, AreaKind::Nuts, "E05000026"), Some(("Barking", Some("UKI52"))));
    assert_eq!(name(&names, AreaKind::RuralUrban21, "UN1"), Some(("Urban", None)));
    assert!(name(&names, AreaKind::LocalEnterprisePartnership2, "E37000001").is_some());
}

#[test]
fn the_newest_list_wins() {
    let names =
        read(&[("WD25CD,WD25NM", b"E05000001,New"), ("WD22CD,WD22NM", b"E05000001,Old\nE05000002,Gone")]);
    assert_eq!(name(&names, AreaKind::AdminWard, "E05000001"), Some(("New", None)));
    assert_eq!(name(&names, AreaKind::AdminWard, "E05000002"), Some(("Gone", None)));
}

#[test]
fn both_encodings() {
    let names = read(&[
        ("LAD25CD,LAD25NM", "W06000001,Ynys Môn".as_bytes()),
        ("PAR25CD,PAR25NM", b"W04000001,T\xfdn-y-Gongl"),
    ]);
    assert_eq!(name(&names, AreaKind::AdminDistrict, "W06000001"), Some(("Ynys Môn", None)));
    assert_eq!(name(&names, AreaKind::Parish, "W04000001"), Some(("Týn-y-Gongl", None)));
    let mut names = Names::new();
    let list = List::of(&["\u{feff}LAD25CD", "LAD25NM"]).unwrap();
    names.add(&list, "\u{feff}LAD25CD,LAD25NM\nE1,One\n".as_bytes(), "list.csv", b',').unwrap();
    assert_eq!(name(&names, AreaKind::AdminDistrict, "E1"), Some(("One", None)));
}

#[test]
fn what_is_no_list() {
    for header in ["pcds,lad25cd", "LAD25CD", "LAD25CD,POP", "x,LAD25NM", "OA21CD,OA21NM"] {
        assert_eq!(List::of(&header.split(',').collect::<Vec<_>>()), None, "{header}");
    }
    assert!(List::is_of_others(&["WZ11CD", "WZ11NM"]));
    assert_eq!(
        List::of(&["SPC21CD", "SPC21NM"]).and_then(|list| list.scottish),
        Some(ScottishArea::ScottishParliamentaryConstituency)
    );
    assert!(!List::is_of_others(&["LAD25CD", "LAD25NM"]) && !List::is_of_others(&["pcds", "lad25cd"]));
}

#[test]
fn lists_of_the_scottish_directory() {
    let area = |code: &str, name: &str| List::of(&[code, name]).and_then(|list| list.scottish);
    assert_eq!(
        area("ScottishParliamentaryRegion2021Code", "ScottishParliamentaryRegion2021Name"),
        Some(ScottishArea::ScottishParliamentaryRegion)
    );
    assert_eq!(area("Locality2020Code", "Locality2020Name"), Some(ScottishArea::Locality));
    assert_eq!(area("Locality2020Code", "Population"), None);
}
