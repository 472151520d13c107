//! Tools for assistants over the Model Context Protocol, on standard input and output or over HTTP: the lookups, from one table, with bounds on every answer.

mod http;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use postcode_core::Lookups;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, ServerHandler, ServiceExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

pub(crate) use http::Endpoint;
use tools::{Operation, TOOLS};

/// Calls that are worked on at once. Others wait.
const AT_ONCE: usize = 4;
/// The time limit of one call.
const CALL_TIME: Duration = Duration::from_secs(10);
/// The longest message of a client, in bytes. That is several times what the tools accept. The whole message is parsed
/// before anything is checked, and its values take a dozen times as much memory.
pub(crate) const LONGEST_MESSAGE: usize = 64 << 10;

const INSTRUCTIONS: &str = "UK postcodes from open data. A postcode is live, terminated, unknown or not_covered; \
                            not_covered means that the data has nothing about the area, so the postcode may exist. \
                            Show the attribution of the data with what you take from it.";

/// A server of tools over a lookup.
#[derive(Clone, Debug)]
pub struct Server {
    lookup: Arc<dyn Lookups>,
    turns: Arc<Semaphore>,
}

impl Server {
    /// Creates a server.
    pub fn new(lookup: Arc<dyn Lookups>) -> Self {
        Self { lookup, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Serves one client until it ends the connection.
    ///
    /// # Errors
    /// Fails if the client does not begin as the protocol says.
    pub async fn serve_on<R, W>(self, read: R, write: W) -> Result<(), crate::Error>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let transport = AsyncRwTransport::new_server(read, write).with_max_line_length(LONGEST_MESSAGE);
        let served = async { anyhow::Ok(self.serve(transport).await?.waiting().await?) };
        served.await.map(drop).map_err(crate::Error::of(crate::ErrorKind::Input))
    }

    async fn answer(&self, operation: &Operation, request: CallToolRequestParams) -> CallToolResult {
        let failed = |text: String| CallToolResult::error(vec![ContentBlock::text(text)]);
        // Never closed.
        let _turn = self.turns.acquire().await;
        let input = request.arguments.unwrap_or_default();
        match tokio::time::timeout(CALL_TIME, operation.call(&*self.lookup, input)).await {
            Ok(Ok(answer)) => CallToolResult::structured(answer),
            Ok(Err(text)) => failed(text),
            Err(_) => failed(format!("no answer within {CALL_TIME:?}: ask for less")),
        }
    }
}

fn described(operation: &Operation) -> Tool {
    let input = operation.input().as_object().cloned().unwrap_or_default();
    let hints =
        ToolAnnotations::with_title(operation.title).read_only(true).idempotent(true).open_world(false);
    Tool::new(operation.name, operation.description, Arc::new(input)).with_annotations(hints)
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("postcode-service", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.iter().map(described).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(operation) = TOOLS.iter().find(|operation| operation.name == request.name) else {
            let names: Vec<&str> = TOOLS.iter().map(|operation| operation.name).collect();
            return Err(ErrorData::invalid_params(
                format!("no such tool: there are {}", names.join(", ")),
                None,
            ));
        };
        Ok(self.answer(operation, request).await.into())
    }
}
