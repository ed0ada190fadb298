//! Addresses as resolved.

use delivery::AddressPolicy;

fn check(ip: &str) -> Result<(), String> {
    let checked = AddressPolicy::public_only().check(ip.parse().unwrap());
    checked.map_err(|refused| refused.to_string())
}

#[test]
fn addresses_of_every_special_block_are_refused_to_its_edges() {
    for (class, first, last) in [
        ("this network", "0.0.0.0", "0.255.255.255"),
        ("private use", "10.0.0.0", "10.255.255.255"),
        ("CGNAT", "100.64.0.0", "100.127.255.255"),
        ("loopback", "127.0.0.0", "127.255.255.255"),
        ("link local", "169.254.0.0", "169.254.255.255"),
        ("private use", "172.16.0.0", "172.31.255.255"),
        ("IETF protocol", "192.0.0.0", "192.0.0.255"),
        ("documentation", "192.0.2.0", "192.0.2.255"),
        ("AS112", "192.31.196.0", "192.31.196.255"),
        ("AMT", "192.52.193.0", "192.52.193.255"),
        ("6to4 relay", "192.88.99.0", "192.88.99.255"),
        ("private use", "192.168.0.0", "192.168.255.255"),
        ("AS112", "192.175.48.0", "192.175.48.255"),
        ("benchmarking", "198.18.0.0", "198.19.255.255"),
        ("documentation", "198.51.100.0", "198.51.100.255"),
        ("documentation", "203.0.113.0", "203.0.113.255"),
        ("multicast", "224.0.0.0", "239.255.255.255"),
        ("broadcast", "240.0.0.0", "255.255.255.255"),
        ("unspecified", "::", "::"),
        ("loopback", "::1", "::1"),
        ("IPv4-compatible", "::2", "::ffff:ffff"),
        ("IPv4-mapped", "::ffff:0.0.0.0", "::ffff:255.255.255.255"),
        ("NAT64", "64:ff9b::", "64:ff9b::255.255.255.255"),
        ("NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("discard", "100::", "100::ffff:ffff:ffff:ffff"),
        ("Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        (
            "IETF protocol",
            "2001:1::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "documentation",
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        ("6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        (
            "documentation",
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "segment routing",
            "5f00::",
            "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "unique local",
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "link local",
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "site local",
            "fec0::",
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "multicast",
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "outside global",
            "1::",
            "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "outside global",
            "4000::",
            "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
    ] {
        for ip in [first, last] {
            let refused = check(ip).expect_err(ip);
            assert!(
                refused.contains(class),
                "{ip}: {refused:?} does not name {class:?}"
            );
        }
    }
}

#[test]
fn the_neighbours_of_special_blocks_are_public() {
    for ip in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1",
        "2a00:1450:4001::1",
        "3ffe:ffff::",
        "3fff:1000::",
    ] {
        assert_eq!(check(ip), Ok(()), "{ip}");
    }
}

#[test]
fn a_denied_net_wins_over_an_exception() {
    let policy = AddressPolicy::public_only()
        .except("127.0.0.0/8".parse().unwrap())
        .deny([
            "127.0.0.2/32".parse().unwrap(),
            "8.8.8.0/24".parse().unwrap(),
        ]);
    assert!(policy.check("127.0.0.1".parse().unwrap()).is_ok());
    assert!(policy.check("127.0.0.2".parse().unwrap()).is_err());
    let denied = policy.check("8.8.8.8".parse().unwrap()).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "8.8.8.8 lies in 8.8.8.0/24, which is denied here"
    );
}
