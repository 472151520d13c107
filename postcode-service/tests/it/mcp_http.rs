//! The tools for assistants over HTTP, called by the SDK's own client.

use std::path::Path;

use postcode_edge::{NewToken, Scope};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::program::Server;

fn http() -> reqwest::Client {
    postcode_core::remote::tls_provider();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

fn token(file: &Path, scopes: &[Scope]) -> String {
    NewToken { scopes: scopes.to_vec(), ..NewToken::default() }.add_to(file).unwrap().1.unwrap()
}

async fn client(server: &Server, token: Option<&str>) -> Result<RunningService<RoleClient, ()>, String> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", server.address));
    if let Some(token) = token {
        config = config.auth_header(token);
    }
    let transport = StreamableHttpClientTransport::with_client(http(), config);
    ().serve(transport).await.map_err(|error| format!("{error:?}"))
}

async fn call(client: &RunningService<RoleClient, ()>, name: &'static str, input: Value) -> Value {
    let mut params = CallToolRequestParams::new(name);
    params.arguments = input.as_object().cloned();
    let result = client.call_tool(params).await.unwrap();
    match result.is_error {
        Some(true) => json!({ "error": serde_json::to_value(&result.content).unwrap()[0]["text"] }),
        _ => result.structured_content.unwrap(),
    }
}

/// Sends a message without the SDK. Returns the status and the body.
async fn send(server: &Server, body: String, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = http()
        .post(format!("{}/mcp", server.address))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

fn list() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string()
}

#[tokio::test]
async fn every_tool_answers_over_http() {
    let server = Server::start(&["--listen", "127.0.0.1:0", "--jobs", "none", "--mcp"]);
    let client = client(&server, None).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["lookup", "validate", "nearest", "within", "places", "dataset"]);

    let found = call(&client, "lookup", json!({ "postcodes": ["SW1A 1AA", "AB1 0AA"] })).await;
    assert_eq!(found["items"][0]["result"]["admin_district"], "Westminster");
    assert_eq!(found["items"][1]["status"], "terminated");
    let checked = call(&client, "validate", json!({ "texts": ["SWIA 1AA"] })).await;
    assert_eq!(checked["items"][0]["repaired"], json!({ "postcode": "SW1A 1AA", "status": "live" }));
    let near = call(&client, "nearest", json!({ "postcode": "SW1A 1AA", "limit": 2 })).await;
    assert_eq!(near["items"][0]["postcode"], "SW1A 1AA");
    let within = call(&client, "within", json!({ "sector": "SW1A 1", "limit": 3 })).await;
    assert_eq!(within["items"].as_array().unwrap().len(), 3);
    // The data inside the program has no places.
    assert!(call(&client, "places", json!({ "text": "Leeds" })).await["error"].is_string());
    assert!(call(&client, "dataset", json!({})).await["attribution"].is_string());
    let refused = call(&client, "lookup", json!({ "postcodes": vec!["M1 1AE"; 51] })).await;
    assert_eq!(refused["error"], "51 texts: give 1 to 50");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_tool_needs_the_scope_of_a_lookup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let right = token(&file, &[Scope::Lookup]);
    let wrong = token(&file, &[Scope::Jobs]);
    let tokens = file.to_str().unwrap();
    let server = Server::start(&["--listen", "127.0.0.1:0", "--jobs", "none", "--mcp", "--tokens", tokens]);

    let (status, body) = send(&server, list(), &[]).await;
    assert_eq!((status, &body["code"]), (401, &json!("token_required")));
    let bearer = format!("Bearer {wrong}");
    let (status, body) = send(&server, list(), &[("authorization", &bearer)]).await;
    assert_eq!((status, &body["code"]), (403, &json!("scope_missing")));
    assert!(client(&server, None).await.is_err());
    assert!(client(&server, Some(&wrong)).await.is_err());

    let client = client(&server, Some(&right)).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 6);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn messages_are_bounded_and_pages_of_other_sites_are_refused() {
    let server = Server::start(&["--listen", "127.0.0.1:0", "--jobs", "none", "--mcp"]);
    let (status, body) = send(&server, list(), &[]).await;
    assert_eq!((status, body["result"]["tools"].as_array().unwrap().len()), (200, 6));

    let long = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "cursor": "x".repeat(1 << 20) } });
    let (status, body) = send(&server, long.to_string(), &[]).await;
    assert_eq!((status, &body["code"]), (413, &json!("payload_too_large")));
    let (status, body) = send(&server, list(), &[("origin", "https://elsewhere.example")]).await;
    assert_eq!((status, &body["code"]), (403, &json!("cross_site")));
    let (status, _) = send(&server, list(), &[("host", "elsewhere.example")]).await;
    assert_eq!(status, 421);
    let (status, _) = send(&server, "nonsense".to_owned(), &[]).await;
    assert!((400..500).contains(&status), "{status}");

    let plain =
        http().post(format!("{}/mcp", server.address)).header("content-type", "text/plain").body(list());
    assert_eq!(plain.send().await.unwrap().status(), 415);
    // A client that gets 405 continues without an event stream.
    let stream = http().get(format!("{}/mcp", server.address)).send().await.unwrap();
    assert_eq!((stream.status().as_u16(), &stream.headers()["allow"]), (405, &"POST".parse().unwrap()));
}

#[tokio::test]
async fn a_server_without_the_option_has_no_tools() {
    let server = Server::start(&["--listen", "127.0.0.1:0", "--jobs", "none"]);
    let (status, body) = send(&server, list(), &[]).await;
    assert_eq!((status, &body["code"]), (501, &json!("not_supported")));
    assert!(body["error"].as_str().unwrap().contains("--mcp"), "{body}");
}
