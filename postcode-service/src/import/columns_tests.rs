use super::*;
use postcode_core::AreaKind::*;

/// `field` is found in the column of that name of a header.
fn found(header: &str, field: Field) -> Option<String> {
    let columns = Columns::of(header.split(','));
    columns.index(field).map(|at| columns.names[at].clone())
}

#[test]
fn the_names_of_every_generation() {
    // (column of one year's ONSPD, NSPL or Code-Point Open, its meaning)
    let cases = [
        ("pcds", Field::Postcode),
        ("PCD8", Field::Postcode),
        ("pcd2", Field::Postcode),
        ("\u{feff}pcd", Field::Postcode),
        ("Postcode", Field::Postcode),
        ("doterm", Field::Terminated),
        ("usrtypind", Field::UserType),
        ("usertype", Field::UserType),
        ("oseast1m", Field::Eastings),
        ("east1m", Field::Eastings),
        ("osnrth1m", Field::Northings),
        ("north1m", Field::Northings),
        ("osgrdind", Field::Quality),
        ("gridind", Field::Quality),
        ("Positional quality indicator", Field::QualityTens),
        ("imd", Field::DeprivationRank),
        ("imd20ind", Field::DeprivationRank),
        ("oslaua", Field::Area(AdminDistrict)),
        ("laua", Field::Area(AdminDistrict)),
        ("lad25cd", Field::Area(AdminDistrict)),
        ("LAD31CD", Field::Area(AdminDistrict)),
        ("osward", Field::Area(AdminWard)),
        ("wd25cd", Field::Area(AdminWard)),
        ("parish", Field::Area(Parish)),
        ("parncp25cd", Field::Area(Parish)),
        ("hlthau", Field::Area(HealthAuthority)),
        ("hlth19cd", Field::Area(HealthAuthority)),
        ("pct", Field::Area(PrimaryCareTrust)),
        ("pco19cd", Field::Area(PrimaryCareTrust)),
        ("nuts", Field::Area(Nuts)),
        ("itl25cd", Field::Area(Nuts)),
        ("ccg", Field::Area(Ccg)),
        ("sicbl24cd", Field::Area(Ccg)),
        ("park", Field::Area(NationalPark)),
        ("npark16cd", Field::Area(NationalPark)),
        ("stp", Field::Area(IntegratedCareBoard)),
        ("icb23cd", Field::Area(IntegratedCareBoard)),
        ("calncv", Field::Area(CancerAlliance)),
        ("cal24cd", Field::Area(CancerAlliance)),
        ("lsoa21", Field::Area(Lsoa21)),
        ("lsoa21cd", Field::Area(Lsoa21)),
        ("ru11ind", Field::Area(RuralUrban11)),
        ("ruc21ind", Field::Area(RuralUrban21)),
        ("lep1", Field::Area(LocalEnterprisePartnership1)),
        ("lep21cd2", Field::Area(LocalEnterprisePartnership2)),
        ("Admin_district_code", Field::Area(AdminDistrict)),
    ];
    for (name, field) in cases {
        let header = format!("x,{name},y");
        assert!(found(&header, field).is_some(), "{name} should be {field:?}");
        assert_eq!(Columns::of([name]).fields.len(), 1, "{name} is one thing only");
    }
}

#[test]
fn the_newest_of_several_wins() {
    assert_eq!(found("bua11,bua24cd", Field::Area(BuiltUpArea)).as_deref(), Some("bua24cd"));
    assert_eq!(found("bua24,bua11", Field::Area(BuiltUpArea)).as_deref(), Some("bua24"));
    assert_eq!(
        found("pcon24cd,pcon14cd", Field::Area(ParliamentaryConstituency)).as_deref(),
        Some("pcon24cd")
    );
    assert_eq!(found("pcd7,pcd8,pcds", Field::Postcode).as_deref(), Some("pcds"));
}

#[test]
fn what_is_not_kept_is_not_mistaken() {
    let not_kept =
        "streg,teclec,statsward,oa01,casward,lsoa01,msoa01,ur01ind,oac01,oa11,wz11,buasd11,oac11,first_seen";
    assert!(Columns::of(not_kept.split(',')).fields.is_empty());
    assert_eq!(Columns::of(not_kept.split(',')).unused().count(), 14);
}

#[test]
fn code_point_open_is_all_recognised_but_one() {
    let columns = Columns::of(CODE_POINT_OPEN);
    assert_eq!(columns.unused().collect::<Vec<_>>(), ["nhs_regional_ha_code"]);
}

#[test]
fn years_of_two_digits() {
    assert_eq!(vintage("lad##cd", "lad25cd"), Some(2025));
    assert_eq!(vintage("ssr##cd", "ssr95cd"), Some(1995));
    assert_eq!(vintage("pcds", "pcds"), Some(0));
    assert_eq!(vintage("lad##cd", "ladxxcd"), None);
}

#[test]
fn columns_of_one_name_are_said_if_they_are_read() {
    assert_eq!(Columns::of("pcds,lat,long,PCDS,x,x".split(',')).namesakes(), ["pcds"]);
    assert!(Columns::of("pcds,pcd7,lat,long,x,x".split(',')).namesakes().is_empty());
}
