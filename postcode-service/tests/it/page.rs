//! The page at `/`: what it understands, what it says, that it answers without JavaScript, and that
//! nothing from outside gets into it.

use http::StatusCode;
use postcode_core::Local;
use postcode_service::api::Api;

use crate::common::{Answer, api_over, get, small};

/// Returns the answer to a text, as a browser without JavaScript gets it.
async fn asked(api: &Api, text: &str) -> (StatusCode, String) {
    let query = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let Answer { status, body, .. } = get(api, &format!("/?q={query}")).await;
    let html = String::from_utf8(body).unwrap();
    let main = html.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    (status, main.to_owned())
}

#[tokio::test]
async fn page_says_what_it_understood_of_any_text() {
    let api = api_over(Local::embedded().unwrap()).await;
    for (text, said) in [
        (
            "sw1a1aa",
            &[
                "<h2>SW1A 1AA</h2><p>In use.",
                "Westminster <code>E09000033</code>",
                "?q=SW1A%201\"",
                "Nearest postcodes",
            ][..],
        ),
        ("SWIA 1AA", &["SWIA 1AA is not a postcode", "<h2>SW1A 1AA</h2>"]),
        ("10 Downing Street, London SW1A 2AA", &["The text holds the postcode <strong>SW1A 2AA"]),
        ("SW1A 1AA and EH1 1YZ", &["<h2>2 postcodes in the text", "City of Edinburgh"]),
        ("SW1A", &["<h2>SW1A</h2>", "(an outcode)", "Westminster", "Nearest outcodes", "class=\"dot\""]),
        ("EH1 1", &["<h2>EH1 1</h2>", "A sector", "?q=EH1%201YZ"]),
        ("SW1A 1A", &["Postcodes that begin with this", "?q=SW1A%201AA"]),
        ("51.501,-0.1416", &["Understood as a latitude and longitude", "SW1A 1AA", "class=\"dot\""]),
        ("-0.1416,51.501", &["The two numbers were exchanged", "SW1A 1AA"]),
        ("TQ 290 796", &["Understood as a grid reference", "SW1"]),
        ("529090 179645", &["Understood as eastings and northings", "SW1A 1AA"]),
        ("AB1 0AA", &["No longer in use. Royal Mail ended it"]),
        ("SW1A 9ZZ", &["There is no such postcode in the data"]),
        ("BT1 5GS", &["This service has no data for postcodes that begin with BT (Northern Ireland)"]),
        ("BT2 7AA", &["<small>For the operator of this service: Northern Ireland (BT) postcodes"]),
        ("EH1 1YZ", &["<th scope=\"row\">Introduced</th><td>August 2006</td>"]),
        ("BT1", &["This service has no data for postcodes that begin with BT"]),
        (
            "BF1 3AA",
            &["data for postcodes that begin with BF", "check it with the BFPO number at gov.uk/bfpo.</p>"],
        ),
        ("GX11", &["GX is Gibraltar, whose only postcode is GX11 1AA"]),
        ("hello", &["This is not a postcode, a part of one, or a point"]),
        ("0,0", &["No postcode in use is within 50 km"]),
    ] {
        let (status, html) = asked(&api, text).await;
        assert_eq!(status, 200, "{text}");
        for part in said {
            assert!(html.contains(part), "{text}: no {part:?} in {html}");
        }
        assert!(html.len() < 150_000, "{text}: {} bytes", html.len());
    }
}

#[tokio::test]
async fn whole_page_is_small_and_asks_nobody_else() {
    let api = api_over(Local::embedded().unwrap()).await;
    for path in ["/", "/?q=SW1A1AA", "/?q=SW1A", "/?q=SW1A1AA&r=5000"] {
        let page = get(&api, path).await;
        let html = String::from_utf8(page.body.clone()).unwrap();
        assert!(page.body.len() < 250_000, "{path}: {} bytes", page.body.len());
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{path}: {outside}");
        }
        assert!(!html.contains("{{"), "{path}: a place of the template is left");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
    }
}

#[tokio::test]
async fn text_of_a_visitor_is_never_markup() {
    let api = api_over(small()).await;
    for text in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{answer}}", "'\"&<>"] {
        let query = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let page = get(&api, &format!("/?q={query}")).await;
        let html = String::from_utf8(page.body).unwrap();
        assert_eq!(html.matches("<script>").count(), 1, "{text}");
        assert!(!html.contains("<img") && !html.contains("{{answer}}"), "{text}: {html}");
    }
    // A pasted text of any length is cut.
    let long = "x".repeat(5_000);
    let page = get(&api, &format!("/?q={long}")).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn radius_is_one_of_those_offered() {
    let api = api_over(Local::embedded().unwrap()).await;
    let page = async |path: &str| String::from_utf8(get(&api, path).await.body).unwrap();
    assert!(page("/?q=SW1A1AA&r=2000").await.contains("<strong aria-current=\"true\">2 km</strong>"));
    for other in ["", "&r=7", "&r=99999999999", "&r=x"] {
        assert!(
            page(&format!("/?q=SW1A1AA{other}"))
                .await
                .contains("<strong aria-current=\"true\">500 m</strong>")
        );
    }
}
