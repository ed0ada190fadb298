//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::Refused;

struct Block<A> {
    first: A,
    prefix: u32,
    what: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, prefix: u32, what: &'static str) -> Block<Ipv4Addr> {
    Block {
        first: Ipv4Addr::new(a, b, c, 0),
        prefix,
        what,
    }
}

const fn v6(a: u16, b: u16, c: u16, prefix: u32, what: &'static str) -> Block<Ipv6Addr> {
    Block {
        first: Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0),
        prefix,
        what,
    }
}

/// IANA IPv4 Special-Purpose Address Registry, and multicast. Also the blocks that
/// it calls globally reachable: no shop's server lives there.
const NOT_PUBLIC_V4: [Block<Ipv4Addr>; 18] = [
    v4(0, 0, 0, 8, "this network, RFC 791"),
    v4(10, 0, 0, 8, "private use, RFC 1918"),
    v4(100, 64, 0, 10, "shared address space (CGNAT), RFC 6598"),
    v4(127, 0, 0, 8, "loopback, RFC 1122"),
    v4(169, 254, 0, 16, "link local and cloud metadata, RFC 3927"),
    v4(172, 16, 0, 12, "private use, RFC 1918"),
    v4(192, 0, 0, 24, "IETF protocol assignments, RFC 6890"),
    v4(192, 0, 2, 24, "documentation, RFC 5737"),
    v4(192, 31, 196, 24, "AS112, RFC 7535"),
    v4(192, 52, 193, 24, "AMT, RFC 7450"),
    v4(192, 88, 99, 24, "6to4 relay anycast, RFC 7526"),
    v4(192, 168, 0, 16, "private use, RFC 1918"),
    v4(192, 175, 48, 24, "AS112, RFC 7534"),
    v4(198, 18, 0, 15, "benchmarking, RFC 2544"),
    v4(198, 51, 100, 24, "documentation, RFC 5737"),
    v4(203, 0, 113, 24, "documentation, RFC 5737"),
    v4(224, 0, 0, 4, "multicast, RFC 5771"),
    v4(240, 0, 0, 4, "reserved and broadcast, RFC 1112"),
];

/// Global unicast, RFC 4291: the only part of IPv6 that can be public.
const GLOBAL_UNICAST: Block<Ipv6Addr> = v6(0x2000, 0, 0, 3, "global unicast");

/// Not public inside global unicast.
const NOT_PUBLIC_V6: [Block<Ipv6Addr>; 5] = [
    v6(0x2001, 0, 0, 32, "Teredo, RFC 4380"),
    v6(0x2001, 0, 0, 23, "IETF protocol assignments, RFC 2928"),
    v6(0x2001, 0xdb8, 0, 32, "documentation, RFC 3849"),
    v6(0x2002, 0, 0, 16, "6to4, RFC 3056"),
    v6(0x3fff, 0, 0, 20, "documentation, RFC 9637"),
];

/// What lies outside global unicast, for the message only: all of it is refused.
const OUTSIDE_V6: [Block<Ipv6Addr>; 8] = [
    v6(0x64, 0xff9b, 0, 96, "NAT64, RFC 6052"),
    v6(0x64, 0xff9b, 1, 48, "NAT64, RFC 8215"),
    v6(0x100, 0, 0, 64, "discard only, RFC 6666"),
    v6(0x5f00, 0, 0, 16, "segment routing, RFC 9602"),
    v6(0xfc00, 0, 0, 7, "unique local, RFC 4193"),
    v6(0xfe80, 0, 0, 10, "link local, RFC 4291"),
    v6(0xfec0, 0, 0, 10, "site local, RFC 3879"),
    v6(0xff00, 0, 0, 8, "multicast, RFC 4291"),
];

impl Block<Ipv4Addr> {
    fn contains(&self, ip: Ipv4Addr) -> bool {
        (u32::from(ip) ^ u32::from(self.first)) >> (32 - self.prefix) == 0
    }
}

impl Block<Ipv6Addr> {
    fn contains(&self, ip: Ipv6Addr) -> bool {
        (u128::from(ip) ^ u128::from(self.first)) >> (128 - self.prefix) == 0
    }
}

/// Which addresses may be connected to: public ones, less the denied.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    denied: Vec<IpNet>,
    excepted: Vec<IpNet>,
}

impl AddressPolicy {
    /// Every public address, and no other.
    #[must_use]
    pub fn public_only() -> Self {
        Self::default()
    }

    /// Also refuses these, although they are public: one's own ingress and nodes.
    /// Wins over [`except`](Self::except).
    #[must_use]
    pub fn deny(mut self, nets: impl IntoIterator<Item = IpNet>) -> Self {
        self.denied.extend(nets);
        self
    }

    /// Takes a net for public although it is not. No setting leads here: it is for
    /// tests, whose receivers are on 127.0.0.1.
    #[must_use]
    pub fn except(mut self, net: IpNet) -> Self {
        self.excepted.push(net);
        self
    }

    /// Refuses an address that is denied or not public.
    ///
    /// # Errors
    /// [`Refused::Denied`] or [`Refused::NotPublic`], which names the block.
    pub fn check(&self, ip: IpAddr) -> Result<(), Refused> {
        // An IPv4 net must also cover the address's IPv6 forms; those are not
        // public in the first place, so the plain comparison is enough.
        if let Some(net) = self.denied.iter().find(|net| net.contains(&ip)) {
            return Err(Refused::Denied { ip, net: *net });
        }
        if self.excepted.iter().any(|net| net.contains(&ip)) {
            return Ok(());
        }
        let block = match ip {
            IpAddr::V4(ip) => not_public_v4(ip),
            IpAddr::V6(ip) => not_public_v6(ip),
        };
        block.map_or(Ok(()), |block| Err(Refused::NotPublic { ip, block }))
    }
}

fn not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    NOT_PUBLIC_V4
        .iter()
        .find(|block| block.contains(ip))
        .map(|block| block.what)
}

fn not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if GLOBAL_UNICAST.contains(ip) {
        return NOT_PUBLIC_V6
            .iter()
            .find(|block| block.contains(ip))
            .map(|block| block.what);
    }
    let block = OUTSIDE_V6.iter().find(|block| block.contains(ip));
    Some(match (block, ip.segments()) {
        (Some(block), _) => block.what,
        (None, [0, 0, 0, 0, 0, 0, 0, 0]) => "unspecified, RFC 4291",
        (None, [0, 0, 0, 0, 0, 0, 0, 1]) => "loopback, RFC 4291",
        (None, [0, 0, 0, 0, 0, 0xffff, ..]) => "IPv4-mapped, RFC 4291",
        (None, [0, 0, 0, 0, 0, 0, ..]) => "IPv4-compatible, RFC 4291",
        (None, _) => "outside global unicast 2000::/3, RFC 4291",
    })
}
