//! Tokens: who is let in, which settings are refused, and what happens when a file changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use service::settings::{AuthSettings, Role, TokenEntry};
use service::tokens::{Tokens, bearer, require};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

fn hash(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry(id: &str, account: &str, role: Role) -> TokenEntry {
    TokenEntry {
        id: id.to_owned(),
        account: account.to_owned(),
        role,
        sha256: hash(&format!("token of {id}")),
        origins: Vec::new(),
    }
}

fn auth() -> AuthSettings {
    let mut widget = entry("widget", "shop-a", Role::Ingest);
    widget.origins = vec!["https://www.shop.de".to_owned()];
    AuthSettings {
        tokens: vec![
            widget,
            entry("backend", "shop-a", Role::Account),
            entry("ops", "", Role::Operator),
        ],
    }
}

fn authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        header::AUTHORIZATION,
        HeaderValue::from_str(value).expect("a header value"),
    )])
}

#[test]
fn a_token_is_known_by_its_hash() {
    let tokens = Tokens::new(&auth()).unwrap();
    let widget = tokens.authenticate("token of widget").unwrap();
    assert_eq!(widget.account.as_deref(), Some("shop-a"));
    assert_eq!(widget.role, Role::Ingest);
    assert_eq!(*widget.origins, ["https://www.shop.de".to_owned()]);
    assert_eq!(tokens.authenticate("token of ops").unwrap().account, None);
    for wrong in ["", "token of", "token of ops ", &hash("token of ops")] {
        assert_eq!(tokens.authenticate(wrong), None, "{wrong}");
    }
}

#[test]
fn an_account_sees_its_own_and_an_operator_every_one() {
    let tokens = Tokens::new(&auth()).unwrap();
    let backend = tokens.authenticate("token of backend").unwrap();
    assert!(backend.may_see("shop-a"));
    assert!(!backend.may_see("shop-b"));
    assert!(!backend.may_see(""));
    assert!(
        tokens
            .authenticate("token of ops")
            .unwrap()
            .may_see("shop-b")
    );
}

#[test]
fn the_authorization_header_is_read() {
    assert_eq!(bearer(&authorization("Bearer abc")), Some("abc"));
    assert_eq!(bearer(&authorization("bearer  abc")), Some("abc"));
    assert_eq!(bearer(&authorization("Basic abc")), None);
    assert_eq!(bearer(&authorization("Bearer ")), None);
    assert_eq!(bearer(&HeaderMap::new()), None);
}

#[test]
fn without_a_known_token_it_is_401_and_with_another_role_403_that_names_the_role() {
    let tokens = Tokens::new(&auth()).unwrap();
    let allowed = [Role::Account, Role::Operator];
    let ask = |value: &str| require(&tokens, &authorization(value), &allowed);
    assert_eq!(ask("Bearer token of backend").unwrap().token_id, "backend");
    assert_eq!(
        ask("Bearer wrong").unwrap_err().status,
        StatusCode::UNAUTHORIZED
    );
    let none = require(&tokens, &HeaderMap::new(), &allowed).unwrap_err();
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
    let refused = ask("Bearer token of widget").unwrap_err();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.detail.contains("role account or operator"),
        "{}",
        refused.detail
    );
}

#[test]
fn wrong_entries_are_refused_by_key_and_without_the_hash() {
    type Change = fn(&mut AuthSettings);
    let cases: [(&str, Change); 10] = [
        ("auth.tokens[1].id", |auth| {
            auth.tokens[1].id = "widget".into()
        }),
        ("auth.tokens[1].id", |auth| {
            auth.tokens[1].id = String::new()
        }),
        ("auth.tokens[2].sha256", |auth| {
            auth.tokens[2].sha256 = "s3cr3t".into()
        }),
        ("auth.tokens[2].sha256", |auth| {
            auth.tokens[2].sha256 = "s3cr3t".repeat(11)
        }),
        ("auth.tokens[2].sha256", |auth| {
            auth.tokens[2].sha256 = auth.tokens[0].sha256.to_uppercase();
        }),
        ("auth.tokens[2].account", |auth| {
            auth.tokens[2].account = "shop-a".into()
        }),
        ("auth.tokens[0].account", |auth| {
            auth.tokens[0].account = String::new()
        }),
        ("auth.tokens[1].account", |auth| {
            auth.tokens[1].account = "shop a".into()
        }),
        ("auth.tokens[1].origins", |auth| {
            auth.tokens[1].origins = vec!["https://www.shop.de".into()];
        }),
        ("auth.tokens[0].origins[1]", |auth| {
            auth.tokens[0].origins.push("https://www.shop.de/".into());
        }),
    ];
    for (key, change) in cases {
        let mut auth = auth();
        change(&mut auth);
        let error = Tokens::new(&auth).unwrap_err();
        assert_eq!(error.key(), key, "{error}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
        assert!(
            error.to_string().contains("FEEDBACKPRO__AUTH__TOKENS"),
            "{error}"
        );
    }
}

fn write(path: &Path, tokens: &[&str]) {
    let entries: String = tokens
        .iter()
        .map(|id| {
            let hash = hash(&format!("token of {id}"));
            format!("[[auth.tokens]]\nid = \"{id}\"\nrole = \"operator\"\nsha256 = \"{hash}\"\n")
        })
        .collect();
    std::fs::write(path, entries).expect("a writable temporary folder");
}

/// Waits until the token of `id` is known, or unknown.
async fn becomes(tokens: &Tokens, id: &str, known: bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while tokens.authenticate(&format!("token of {id}")).is_some() != known {
        assert!(
            Instant::now() < deadline,
            "{id} does not become known = {known}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_changed_file_changes_the_tokens_and_a_wrong_one_does_not() {
    let file =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tokens-{}.toml", std::process::id()));
    let other: PathBuf = file.with_extension("other.toml");
    write(&file, &["first"]);
    std::fs::write(&other, "[more]\nkey = 1\n").unwrap();
    let tokens = Tokens::new(&AuthSettings::default()).unwrap();
    let shutdown = CancellationToken::new();
    let files = [file.clone(), other];
    let watch = tokens.watch("[auth]\ntokens = []\n", &files, shutdown.clone());
    let story = async {
        becomes(&tokens, "first", true).await;
        write(&file, &["second"]);
        becomes(&tokens, "second", true).await;
        assert!(tokens.authenticate("token of first").is_none());
        // The wrong file is skipped, or read and refused; either way the next one counts.
        write(&file, &["third", "third"]);
        becomes(&tokens, "third", false).await;
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            assert!(tokens.authenticate("token of second").is_some());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        write(&file, &["fourth"]);
        becomes(&tokens, "fourth", true).await;
        shutdown.cancel();
    };
    tokio::join!(watch, story);
}
