//! The tools for assistants, called by the SDK's own client.

use std::sync::Arc;

use postcode_core::Local;
use postcode_service::mcp::Server;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};

async fn client() -> RunningService<RoleClient, ()> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let (read, write) = tokio::io::split(ours);
    let server = Server::new(Arc::new(Local::embedded().unwrap()));
    tokio::spawn(async move { server.serve_on(read, write).await.unwrap() });
    ().serve(theirs).await.unwrap()
}

/// Calls a tool. Returns its answer, or the text of its error.
async fn call(
    client: &RunningService<RoleClient, ()>,
    name: &'static str,
    input: Value,
) -> Result<Value, String> {
    let mut params = CallToolRequestParams::new(name);
    params.arguments = input.as_object().cloned();
    let result = client.call_tool(params).await.map_err(|error| error.to_string())?;
    let text = serde_json::to_value(&result.content).unwrap()[0]["text"].as_str().unwrap().to_owned();
    match result.is_error {
        Some(true) => Err(text),
        _ => {
            let answer = result.structured_content.unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), answer, "both forms are the same");
            Ok(answer)
        }
    }
}

#[tokio::test]
async fn tools_are_listed_with_bounded_inputs() {
    let client = client().await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["lookup", "validate", "nearest", "within", "places", "dataset"]);
    for tool in &tools {
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
        assert_eq!(tool.annotations.as_ref().unwrap().read_only_hint, Some(true), "{}", tool.name);
    }
    assert!(client.peer_info().unwrap().instructions.as_ref().unwrap().contains("attribution"));
}

#[tokio::test]
async fn lookup_and_validation_say_what_is_known() {
    let client = client().await;
    let asked = json!({ "postcodes": ["sw1a1aa", "AB1 0AA", "SW1A 9ZZ", "BT1 5GS", "nonsense"] });
    let answer = call(&client, "lookup", asked).await.unwrap();
    let items = answer["items"].as_array().unwrap();
    let statuses: Vec<&str> = items.iter().map(|item| item["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["live", "terminated", "unknown", "not_covered", "invalid"]);
    assert_eq!(items[0]["result"]["admin_district"], "Westminster");
    assert!(items[3]["advice"].as_str().unwrap().contains("Northern Ireland"), "{}", items[3]);
    assert!(items[4]["reason"].is_string());
    let keys = json!({ "postcodes": ["SW1A 1AA"], "keys": ["outcode"] });
    let answer = call(&client, "lookup", keys).await.unwrap();
    assert_eq!(answer["items"][0]["result"], json!({ "outcode": "SW1A" }));

    let answer = call(&client, "validate", json!({ "texts": ["SWIA 1AA", "SW1A 1AA"] })).await.unwrap();
    assert_eq!(answer["items"][0]["repaired"], json!({ "postcode": "SW1A 1AA", "status": "live" }));
    assert_eq!(
        answer["items"][1],
        json!({
        "query": "SW1A 1AA", "valid": true, "status": "live", "postcode": "SW1A 1AA" })
    );
}

#[tokio::test]
async fn regions_and_neighbours_are_those_of_the_lookup() {
    let client = client().await;
    let near = call(
        &client,
        "nearest",
        json!({ "postcode": "SW1A 1AA", "limit": 2, "keys": ["postcode", "distance"] }),
    );
    assert_eq!(near.await.unwrap()["items"][0], json!({ "postcode": "SW1A 1AA", "distance": 0.0 }));
    let page = call(&client, "within", json!({ "sector": "SW1A 1", "limit": 2, "keys": ["postcode"] }))
        .await
        .unwrap();
    assert_eq!(page["items"][0]["postcode"], "SW1A 1AA");
    let rest = json!({ "sector": "SW1A 1", "limit": 1, "after": page["next"], "keys": ["postcode"] });
    let next = call(&client, "within", rest).await.unwrap();
    assert!(next["items"][0]["postcode"].as_str() > page["items"][1]["postcode"].as_str(), "{next}");
    let boxed = json!({ "box": [-0.1425, 51.5005, -0.1405, 51.5015], "keys": ["postcode"] });
    let inside = call(&client, "within", boxed).await.unwrap();
    assert!(inside["items"].as_array().unwrap().contains(&json!({ "postcode": "SW1A 1AA" })), "{inside}");
    let info = call(&client, "dataset", json!({})).await.unwrap();
    assert!(info["attribution"].as_str().unwrap().contains("Crown copyright"), "{info}");
}

#[tokio::test]
async fn wrong_input_is_an_error_that_says_what_to_give() {
    let client = client().await;
    for (name, input, part) in [
        ("lookup", json!({ "postcodes": vec!["SW1A 1AA"; 51] }), "51 texts: give 1 to 50"),
        ("lookup", json!({ "postcodes": ["x".repeat(201)] }), "at most 200"),
        ("lookup", json!({ "postcodes": ["SW1A 1AA"], "keys": ["postcod"] }), "no such key: postcod"),
        ("lookup", json!({ "postcode": "SW1A 1AA" }), "unknown field `postcode`"),
        ("nearest", json!({}), "give a postcode, or latitude and longitude"),
        ("nearest", json!({ "postcode": "SW1A 1AA", "limit": 101 }), "give 1 to 100"),
        ("nearest", json!({ "postcode": "SW1A 1AA", "radius": 1e9 }), "give 0 to 50000"),
        ("within", json!({ "outcode": "SW1A", "sector": "SW1A 1" }), "give one of"),
        ("within", json!({ "area": "E09999999" }), "no such region"),
        ("erase", json!({}), "no such tool"),
    ] {
        let error = call(&client, name, input).await.unwrap_err();
        assert!(error.contains(part), "{name}: {error}");
    }
}

#[tokio::test]
async fn answer_is_never_longer_than_its_bound() {
    let client = client().await;
    let keys: Vec<&str> = postcode_core::wire::Keys::ALL.to_vec();
    let asked = json!({ "outcode": "SW1A", "limit": 100, "keys": keys });
    let answer = call(&client, "within", asked).await.unwrap();
    assert!(answer.to_string().len() < 50 << 10, "{}", answer.to_string().len());
    assert_eq!(answer["left_out"].as_u64().unwrap() + answer["items"].as_array().unwrap().len() as u64, 100);
}
