//! Secrets, and what keeps them closed on the topic.

use domain::{AccountId, EndpointId, KeyRing, KeyRingError, OpenError, SealedSecret, Secret};
use proptest::prelude::*;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

fn account() -> AccountId {
    "acme".parse().unwrap()
}

fn endpoint() -> EndpointId {
    "ep_00000000000000000000000000000001".parse().unwrap()
}

fn ring(keys: &[(&str, &str)]) -> KeyRing {
    KeyRing::new(keys.iter().copied()).unwrap()
}

#[test]
fn a_new_secret_is_whsec_and_the_base64_of_32_bytes() {
    let secret = Secret::generate();
    assert!(secret.expose().starts_with("whsec_"));
    assert_eq!(secret.expose().len(), 6 + 44);
    assert_eq!(Secret::parse(secret.expose()), Ok(secret.clone()));
    assert_ne!(Secret::generate(), secret);
}

#[test]
fn what_is_no_secret_is_refused_and_not_repeated() {
    let too_long = format!("whsec_{}", "A".repeat(88));
    for wrong in [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not base64!",
        "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        too_long.as_str(),
    ] {
        let error = Secret::parse(wrong).unwrap_err().to_string();
        assert!(error.contains("24 to 64 bytes"), "{error}");
        assert!(wrong.len() < 7 || !error.contains(wrong), "{error}");
    }
}

#[test]
fn secrets_and_keys_do_not_show_themselves() {
    let secret = Secret::generate();
    assert_eq!(format!("{secret:?}"), "Secret(********)");
    assert_eq!(format!("{:?}", ring(&[("k1", KEY)])), r#"KeyRing(["k1"])"#);
}

#[test]
fn a_sealed_secret_opens_for_its_endpoint_and_for_no_other() {
    let ring = ring(&[("k1", KEY)]);
    let secret = Secret::generate();
    let sealed = ring.seal(&account(), endpoint(), &secret);
    assert_eq!(ring.open(&account(), endpoint(), &sealed), Ok(secret));

    let refused = Err(OpenError::Refused("k1".to_owned()));
    let other_endpoint = EndpointId::generate();
    assert_eq!(ring.open(&account(), other_endpoint, &sealed), refused);
    let other_account = "acme2".parse().unwrap();
    assert_eq!(ring.open(&other_account, endpoint(), &sealed), refused);
}

#[test]
fn sealing_twice_gives_different_texts_without_the_secret_in_them() {
    let ring = ring(&[("k1", KEY)]);
    let secret = Secret::generate();
    let sealed = [(); 2].map(|()| ring.seal(&account(), endpoint(), &secret));
    assert_ne!(sealed[0].sealed, sealed[1].sealed);
    let record = serde_json::to_string(&sealed[0]).unwrap();
    assert!(!record.contains(secret.expose()));
}

#[test]
fn old_keys_still_open_and_the_first_one_seals() {
    let old = ring(&[("k1", KEY)]);
    let secret = Secret::generate();
    let sealed = old.seal(&account(), endpoint(), &secret);

    let both = ring(&[("k2", OTHER_KEY), ("k1", KEY)]);
    assert_eq!(
        both.open(&account(), endpoint(), &sealed),
        Ok(secret.clone())
    );
    assert_eq!(both.seal(&account(), endpoint(), &secret).key_id, "k2");

    let new = ring(&[("k2", OTHER_KEY)]);
    let error = new.open(&account(), endpoint(), &sealed).unwrap_err();
    assert_eq!(error, OpenError::UnknownKey("k1".to_owned()));
    assert!(error.to_string().contains("secrets.keys"), "{error}");

    let same_id_other_key = ring(&[("k1", OTHER_KEY)]);
    assert_eq!(
        same_id_other_key.open(&account(), endpoint(), &sealed),
        Err(OpenError::Refused("k1".to_owned()))
    );
}

#[test]
fn a_key_ring_says_what_is_wrong_with_its_settings() {
    let refused = |keys: &[(&str, &str)]| KeyRing::new(keys.iter().copied()).unwrap_err();
    assert_eq!(refused(&[]), KeyRingError::Empty);
    for malformed in ["", "short", "AAEC", &KEY.replace('=', "")] {
        assert_eq!(
            refused(&[("k1", malformed)]),
            KeyRingError::Malformed("k1".to_owned())
        );
    }
    let error = refused(&[("k1", KEY), ("k1", OTHER_KEY)]);
    assert_eq!(error, KeyRingError::Duplicate("k1".to_owned()));
    assert!(!refused(&[("k1", "AAEC")]).to_string().contains("AAEC"));
}

#[test]
fn keys_of_different_purposes_open_nothing_of_each_other() {
    let ring = ring(&[("k2", OTHER_KEY), ("k1", KEY)]);
    let (sessions, others) = (ring.for_purpose("sessions"), ring.for_purpose("others"));
    let sealed = sessions.seal(b"here", b"a token");
    assert_eq!(sessions.open(b"here", &sealed), Some(b"a token".to_vec()));
    assert_eq!(sessions.open(b"there", &sealed), None);
    assert_eq!(others.open(b"here", &sealed), None);
    assert!(!sealed.windows(7).any(|bytes| bytes == b"a token"));

    let only_new = self::ring(&[("k2", OTHER_KEY)]).for_purpose("sessions");
    assert_eq!(only_new.open(b"here", &sealed), Some(b"a token".to_vec()));
    let only_old = self::ring(&[("k1", KEY)]).for_purpose("sessions");
    assert_eq!(only_old.open(b"here", &sealed), None);
    let by_old = only_old.seal(b"here", b"a token");
    assert_eq!(sessions.open(b"here", &by_old), Some(b"a token".to_vec()));
}

proptest! {
    #[test]
    fn an_altered_text_stays_closed(at in any::<prop::sample::Index>(), by in any::<char>()) {
        let ring = ring(&[("k1", KEY)]);
        let sealed = ring.seal(&account(), endpoint(), &Secret::generate());
        let mut text: Vec<char> = sealed.sealed.chars().collect();
        let at = at.index(text.len());
        prop_assume!(text[at] != by);
        text[at] = by;
        let altered = SealedSecret { sealed: text.into_iter().collect(), ..sealed };
        prop_assert!(ring.open(&account(), endpoint(), &altered).is_err());
    }

    #[test]
    fn a_cut_text_stays_closed_without_a_panic(length in 0_usize..96) {
        let ring = ring(&[("k1", KEY)]);
        let mut sealed = ring.seal(&account(), endpoint(), &Secret::generate());
        sealed.sealed.truncate(length);
        prop_assert!(ring.open(&account(), endpoint(), &sealed).is_err());
    }
}
