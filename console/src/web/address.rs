//! Where a request comes from, as far as that can be believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use ipnet::IpNet;

/// The proxies in front, whose `X-Forwarded-For` is believed.
#[derive(Debug)]
pub(crate) struct Proxies(pub(crate) Vec<IpNet>);

impl Proxies {
    /// Whose attempts are counted together: an IPv4 address, or the /64 of an
    /// IPv6 one, which one person has as a whole. That of the peer, or where the
    /// peer is a proxy the last one in `X-Forwarded-For` that is none.
    pub(crate) fn client(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
            peer.0.ip().to_canonical()
        });
        let client = if self.has(peer) {
            self.forwarded(parts).unwrap_or(peer)
        } else {
            peer
        };
        match client {
            IpAddr::V4(_) => client,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }
    }

    fn forwarded(&self, parts: &Parts) -> Option<IpAddr> {
        let fields = parts.headers.get_all("x-forwarded-for").iter();
        let hops: Vec<&str> = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','))
            .collect();
        let mut hops = hops.iter().rev().map(|hop| hop.trim().parse::<IpAddr>());
        // What is no address ends what can be believed.
        hops.find_map(|hop| match hop {
            Ok(address) => {
                let address = address.to_canonical();
                (!self.has(address)).then_some(Some(address))
            }
            Err(_) => Some(None),
        })
        .flatten()
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut request = Request::new(());
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        request.extensions_mut().insert(ConnectInfo(peer));
        for field in forwarded {
            let field = field.parse().unwrap();
            request.headers_mut().append("x-forwarded-for", field);
        }
        proxies.client(&request.into_parts().0).to_string()
    }

    #[test]
    fn only_a_proxy_is_believed_and_only_as_far_as_it_has_seen_itself() {
        assert_eq!(client("203.0.113.9", &[]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(client("10.0.0.1", &["6.6.6.6, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("::ffff:203.0.113.9", &[]), "203.0.113.9");
        assert_eq!(client("2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::");
    }
}
