//! Ports for servers that a test starts.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;

static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port on 127.0.0.1 that nobody listens on and that this process did not
/// give out before.
///
/// It lies below the range of outgoing connections (32768 on Linux): a port
/// from `bind(0)` may become the source port of any connection between its
/// release and its use.
#[must_use]
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().expect("no one panics while holding it");
    let given = given.get_or_insert_default();
    loop {
        let random = uuid::Uuid::new_v4().as_fields().1;
        let port = 10_000 + random % 22_000;
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
}
