//! The short way of plain requests for one postcode gives the answers of the router.

use axum::body::Body;
use http::Request;

use crate::common::{self, api_over, get, send};

#[tokio::test]
async fn plain_request_gets_the_answer_of_the_router() {
    let api = api_over(common::small()).await;
    let mut statuses = Vec::new();
    // Live, without a location, terminated, unknown, not covered; and what only the router takes.
    for postcode in
        ["AB101AB", "ab10%201ab", "JE24WD", "AB10AA", "M19ZZ", "BT15GS", "GIR0AA", "AB101II", "AB10%20%201AB"]
    {
        for query in ["", "?extended=true", "?extended=false"] {
            let uri = format!("/postcodes/{postcode}{query}");
            let plain = get(&api, &uri).await;
            // Has no effect on the answer, and leaves the request to the router.
            let request = Request::get(&uri).header("if-none-match", "\"other\"");
            let routed = send(&api, request.body(Body::empty()).unwrap()).await;
            assert_eq!(plain.status, routed.status, "{uri}");
            assert_eq!(plain.headers, routed.headers, "{uri}");
            assert_eq!(String::from_utf8(plain.body), String::from_utf8(routed.body), "{uri}");
            statuses.push(plain.status.as_u16());
        }
    }
    assert_eq!(statuses[..9], [200; 9]);
    assert_eq!(statuses[9..21], [404; 12]);
}
