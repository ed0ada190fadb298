//! A URL as written. Parsers differ about odd URLs, so those are refused before any
//! parser sees them; what is left means the same to all of them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::uri::Scheme;
use url::{Host, Url};

use super::{Guard, Refused};
use crate::target::{Origin, Target};

/// Bytes of a URL. Longer ones are refused by servers and proxies on the way.
const MAX_URL: usize = 2048;

pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Names that mean something inside a network only (RFC 6761, 6762, 7686, 8375;
/// ICANN's `.internal`; Kubernetes), and names of clouds' metadata servers. Each
/// also stands for every name below it.
const RESERVED: [&str; 15] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "svc",
    "cluster.local",
    "home.arpa",
    "intranet",
    "lan",
    "test",
    "invalid",
    "onion",
    "metadata.goog",
    "metadata.tencentyun.com",
    "metadata.packet.net",
];

pub(super) fn check(guard: &Guard, url: &str) -> Result<Target, Refused> {
    if url.len() > MAX_URL {
        return Err(Refused::TooLong {
            found: url.len(),
            allowed: MAX_URL,
        });
    }
    let odd = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    if let Some(found) = url.chars().find(|c| odd(*c)) {
        return Err(Refused::Character { found });
    }
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_as_written = authority.split(':').next().unwrap_or_default();
    let plain = scheme == "http" && guard.plain_loopback && host_as_written == "127.0.0.1";
    if !plain && !scheme.eq_ignore_ascii_case("https") {
        let found = scheme.chars().take(16).collect();
        return Err(Refused::Scheme { found });
    }
    if authority.contains('@') {
        return Err(Refused::UserInfo);
    }
    if host_as_written.is_empty() {
        return Err(Refused::NoHost);
    }
    if rest.contains('#') {
        return Err(Refused::Fragment);
    }
    // What the parser makes of decimal, octal, hexadecimal and short IPv4 forms,
    // of percent-encoding and of IDNA is judged below, never the written text.
    let parsed = Url::parse(url).map_err(|e| unreadable(e.to_string()))?;
    let port = parsed.port_or_known_default().unwrap_or_default();
    if port == 0 || (!plain && !guard.ports.contains(&port)) {
        let allowed = guard.ports.iter().map(u16::to_string);
        return Err(Refused::Port {
            found: port,
            allowed: allowed.collect::<Vec<_>>().join(", "),
        });
    }
    let scheme = if plain { Scheme::HTTP } else { Scheme::HTTPS };
    let literal = match parsed.host() {
        None => return Err(Refused::NoHost),
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => {
            check_name(name)?;
            None
        }
    };
    if let Some(ip) = literal {
        guard.check_connect(&scheme, ip)?;
    }
    let host = parsed.host_str().unwrap_or_default();
    let origin = Origin::new(scheme, host, literal, port)
        .ok_or_else(|| unreadable(format!("{host:?} is not a host name")))?;
    Target::new(Arc::new(origin), &parsed).map_err(|e| unreadable(e.to_string()))
}

fn check_name(name: &str) -> Result<(), Refused> {
    // The root's dot makes no other name, but slips past comparisons of suffixes.
    let bare = name.strip_suffix('.').unwrap_or(name);
    let reserved = RESERVED.into_iter().find(|reserved| {
        bare.strip_suffix(reserved)
            .is_some_and(|below| below.is_empty() || below.ends_with('.'))
    });
    if let Some(reserved) = reserved {
        return Err(Refused::ReservedName {
            name: name.to_owned(),
            reserved,
        });
    }
    if !bare.contains('.') {
        return Err(Refused::SingleLabel {
            name: name.to_owned(),
        });
    }
    if bare.len() != name.len() {
        return Err(unreadable("the host name ends with a dot".to_owned()));
    }
    Ok(())
}

fn unreadable(reason: String) -> Refused {
    Refused::Unreadable { reason }
}
