//! The three servers, and what each answers.

use service::contract::Operation;

/// A server with an API.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// What it is for.
    pub(crate) description: &'static str,
    /// The port that it listens on unless its settings say otherwise.
    pub(crate) port: u16,
    /// Where its URL stands in the Postman collection.
    pub(crate) variable: &'static str,
    /// What it answers.
    pub(crate) operations: Vec<Operation>,
}

/// All of them.
pub(crate) fn all() -> [Server; 3] {
    [
        Server {
            description: "console: endpoints, secrets, test events, the audit",
            port: 8080,
            variable: "console_url",
            operations: console::operations(),
        },
        Server {
            description: "producer: takes events in",
            port: 8081,
            variable: "producer_url",
            operations: producer::operations(),
        },
        Server {
            description: "dlq-consumer: the failed list, and the way back from it",
            port: 8082,
            variable: "failed_url",
            operations: dlq_consumer::operations(),
        },
    ]
}
