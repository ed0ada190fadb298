//! URLs as written.

use delivery::{AddressPolicy, Guard, GuardSettings, Refused};

use crate::senders::loopback_guard;

fn refused(url: &str) -> Refused {
    match Guard::new(GuardSettings::default()).check_url(url) {
        Ok(_) => panic!("{url:?} passed"),
        Err(refused) => refused,
    }
}

macro_rules! all_refused {
    ($pattern:pat, $($url:expr),+ $(,)?) => {
        for url in [$($url),+] {
            let refused = refused(url.as_ref());
            assert!(matches!(refused, $pattern), "{:?}: {refused:?}", url);
        }
    };
}

#[test]
fn ordinary_urls_of_shops_pass() {
    let guard = Guard::new(GuardSettings::default());
    for (url, host, port) in [
        (
            "https://api.yourshop.de/webhooks/feedback",
            "api.yourshop.de",
            443,
        ),
        ("https://yourshop.de:8443/a?b=c&d=%20", "yourshop.de", 8443),
        ("HTTPS://Shop.Example.COM", "shop.example.com", 443),
        (
            "https://müller-schuhe.de/hook",
            "xn--mller-schuhe-dlb.de",
            443,
        ),
        (
            "https://shop.example.com?token={x}|y",
            "shop.example.com",
            443,
        ),
        ("https://1.1.1.1/hook", "1.1.1.1", 443),
        (
            "https://[2606:4700:4700::1111]/hook",
            "[2606:4700:4700::1111]",
            443,
        ),
        (
            "https://my_shop.example.com/@user",
            "my_shop.example.com",
            443,
        ),
    ] {
        let target = guard
            .check_url(url)
            .unwrap_or_else(|e| panic!("{url}: {e}"));
        assert_eq!((target.host(), target.port()), (host, port));
    }
}

#[test]
fn odd_characters_are_refused() {
    all_refused!(
        Refused::Character { .. },
        "https://shop.example.com\\@10.0.0.1/",
        "https:\\\\shop.example.com/",
        " https://shop.example.com/",
        "https://shop.example.com/ ",
        "https://shop.example.com/a b",
        "https://shop.exa\tmple.com/",
        "https://shop.example.com/\r\nx: y",
        "https://shop.example.com/\0",
        "https://shop.example.com/\u{7f}",
        "https://shop.example.com/\u{a0}",
        "https://shop.example.com/\u{2028}",
        "https://shop.example.com/\u{85}",
    );
}

#[test]
fn only_https_with_a_host_and_no_user_is_taken() {
    all_refused!(
        Refused::Scheme { .. },
        "http://shop.example.com/",
        "http://127.0.0.1:8080/",
        "ftp://shop.example.com/",
        "file:///etc/passwd",
        "gopher://shop.example.com/",
        "//shop.example.com/",
        "shop.example.com/hook",
        "https:shop.example.com/",
        "https:/shop.example.com/",
        "",
    );
    all_refused!(
        Refused::NoHost,
        "https://",
        "https:///x",
        "https://:443/",
        "https://?x",
        "https://#"
    );
    all_refused!(
        Refused::UserInfo,
        "https://user@shop.example.com/",
        "https://user:word@shop.example.com/",
        "https://shop.example.com:443@10.0.0.1/",
        "https://@shop.example.com/",
        "https://:@shop.example.com/",
    );
    all_refused!(
        Refused::Fragment,
        "https://shop.example.com/#a",
        "https://shop.example.com#"
    );
    all_refused!(
        Refused::Unreadable { .. },
        "https://shop.example.com:99999/",
        "https://shop.example.com:https/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://shop.example.com./",
        "https://shop..example.com/",
        "https://-.example.com/",
        "https://exa%00mple.com/",
        "https://a.1.2.3.4.5/",
    );
    let long = format!("https://shop.example.com/{}", "a".repeat(2048));
    all_refused!(Refused::TooLong { .. }, long);
}

#[test]
fn only_allowed_ports_are_taken() {
    all_refused!(
        Refused::Port { .. },
        "https://shop.example.com:80/",
        "https://shop.example.com:22/",
        "https://shop.example.com:9092/",
        "https://shop.example.com:0/",
    );
    assert_eq!(
        refused("https://shop.example.com:9092/").to_string(),
        "port 9092 is not allowed, allowed are 443, 8443"
    );
    let guard = Guard::new(GuardSettings {
        allow_ports: vec![9443],
        ..GuardSettings::default()
    });
    assert!(guard.check_url("https://shop.example.com:9443/").is_ok());
    assert!(guard.check_url("https://shop.example.com/").is_err());
}

#[test]
fn names_that_mean_something_inside_are_refused() {
    all_refused!(
        Refused::ReservedName { .. },
        "https://localhost/",
        "https://LocalHost/",
        "https://localhost./",
        "https://a.localhost/",
        "https://metadata.google.internal/",
        "https://metadata.google.internal./",
        "https://instance-data.ec2.internal/",
        "https://printer.local/",
        "https://kafka.prod.svc/",
        "https://kafka.prod.svc.cluster.local/",
        "https://cluster.local/",
        "https://metadata.goog/",
        "https://metadata.tencentyun.com/",
        "https://router.home.arpa/",
        "https://x.onion/",
        "https://%6cocalhost/",
        "https://ⓛocalhost/",
        "https://a。internal/",
    );
    all_refused!(
        Refused::SingleLabel { .. },
        "https://intern/",
        "https://kafka:8443/",
        "https://com./"
    );
    let guard = Guard::new(GuardSettings::default());
    for name in [
        "notlocalhost.de",
        "internal.de",
        "mylocal.com",
        "svc.example.com",
    ] {
        assert!(
            guard.check_url(&format!("https://{name}/")).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn literal_addresses_that_are_not_public_are_refused_in_every_form() {
    all_refused!(
        Refused::NotPublic { .. },
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0177.0x0.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://10.1/",
        "https://167772161/",
        "https://0xa000001/",
        "https://012.0.0.1/",
        "https://%31%30.0.0.1/",
        "https://１０.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://10。0。0。1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2852039166/",
        "https://0xA9FEA9FE/",
        "https://192.168.1.1:8443/",
        "https://[::1]/",
        "https://[::]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[2001:0:1::]/",
        "https://[fd00:ec2::254]/",
        "https://[fc00::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
    );
}

#[test]
fn a_literal_address_in_a_denied_net_is_refused() {
    let guard = Guard::new(GuardSettings {
        deny_cidrs: vec![
            "9.9.9.0/24".parse().unwrap(),
            "2620:fe::/48".parse().unwrap(),
        ],
        ..GuardSettings::default()
    });
    for url in [
        "https://9.9.9.9/",
        "https://151587081/",
        "https://[2620:fe::9]/",
    ] {
        let refused = guard.check_url(url).unwrap_err();
        assert!(matches!(refused, Refused::Denied { .. }), "{refused:?}");
    }
    assert!(guard.check_url("https://9.9.8.9/").is_ok());
}

#[test]
fn the_quickstart_takes_plain_http_to_the_text_127_0_0_1_only() {
    let guard = loopback_guard();
    for url in [
        "http://127.0.0.1:8083/hook",
        "http://127.0.0.1/",
        "http://127.0.0.1:1",
    ] {
        assert!(guard.check_url(url).is_ok(), "{url}");
    }
    for url in [
        "http://localhost:8083/",
        "http://127.1:8083/",
        "http://2130706433:8083/",
        "http://127.0.0.2:8083/",
        "http://127.0.0.1.:8083/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1@10.0.0.1/",
        "http://127.0.0.1:8083@10.0.0.1/",
        "http://[::1]:8083/",
        "http://shop.example.com/",
        "https://127.0.0.1:443/",
        "http://127.0.0.1\\@10.0.0.1/",
    ] {
        assert!(guard.check_url(url).is_err(), "{url}");
    }
    let denied = loopback_guard()
        .with_addresses(AddressPolicy::public_only().except("127.0.0.0/8".parse().unwrap()));
    assert!(denied.check_url("http://127.0.0.2:8083/").is_err());
}

#[test]
fn the_refusal_says_what_was_found() {
    for (url, text) in [
        (
            "https://10.0.0.1/",
            "10.0.0.1 is not a public address (private use, RFC 1918)",
        ),
        (
            "https://0x7f.1/",
            "127.0.0.1 is not a public address (loopback, RFC 1122)",
        ),
        (
            "http://shop.de/",
            "the URL starts with \"http\", it must start with \"https://\"",
        ),
        (
            "https://kafka/",
            "the host name \"kafka\" has no dot: a full public name is needed",
        ),
    ] {
        assert_eq!(refused(url).to_string(), text);
    }
}
