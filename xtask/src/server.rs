//! The three servers, and what each answers.

use service::contract::Operation;

/// A server with an API.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// What people call it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) description: &'static str,
    /// The port that it listens on unless its settings say otherwise.
    pub(crate) port: u16,
    /// Where its URL stands in the Postman collection.
    pub(crate) variable: &'static str,
    /// What it answers.
    pub(crate) operations: Vec<Operation>,
}

impl Server {
    /// Where the quickstart has it. A console that serves the documents puts the URLs of
    /// its own installation there: `console/src/portal/servers.rs` knows these.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

/// All of them.
pub(crate) fn all() -> [Server; 3] {
    [
        Server {
            name: "Console",
            description: "Endpoints, secrets, test events, the audit",
            port: 8080,
            variable: "console_url",
            operations: console::operations(),
        },
        Server {
            name: "Producer",
            description: "Takes events in",
            port: 8081,
            variable: "producer_url",
            operations: producer::operations(),
        },
        Server {
            name: "Failed deliveries",
            description: "The failed list, and the way back from it",
            port: 8082,
            variable: "failed_url",
            operations: dlq_consumer::operations(),
        },
    ]
}
