//! What a broker needs that lets nobody in but over TLS: with a user's name and
//! password (SASL_SSL) on one port, with a client's certificate (mTLS) on
//! another. Its plain port stays, for the test bed itself.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use toml::Table;

use crate::{Folder, free_port};

const USER: &str = "feedbackpro";
const PASSWORD: &str = "correct-horse";

/// Ports and certificates of one broker.
#[derive(Debug)]
pub struct Secured {
    sasl_port: u16,
    mtls_port: u16,
    authority: String,
    broker: Identity,
    /// `ca.pem`, `client.pem` and `client.key`.
    folder: Folder,
}

/// A certificate and its key, as PEM.
#[derive(Debug)]
struct Identity {
    certificate: String,
    key: String,
}

/// One way to reach the broker: `kafka.brokers` and `kafka.properties`.
#[derive(Debug, Clone)]
pub struct Way {
    /// `host:port`.
    pub brokers: String,
    /// librdkafka's properties.
    pub properties: Table,
}

impl Way {
    /// The same with another value of one property; `None` leaves it out.
    #[must_use]
    pub fn but(mut self, property: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.properties.insert(property.to_owned(), value.into()),
            None => self.properties.remove(property),
        };
        self
    }
}

impl Secured {
    pub(super) fn new() -> Self {
        let mut params = params("the authority of this test", Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("the system gives randomness");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it can sign itself");
        let client = identity("client", &issuer);
        let folder = Folder::new();
        folder.write("ca.pem", &issuer.pem());
        folder.write("client.pem", &client.certificate);
        folder.write("client.key", &client.key);
        Self {
            sasl_port: free_port(),
            mtls_port: free_port(),
            authority: issuer.pem(),
            broker: identity("broker", &issuer),
            folder,
        }
    }

    /// The ports that clients connect to: SASL_SSL, mTLS.
    pub(super) fn ports(&self) -> [u16; 2] {
        [self.sasl_port, self.mtls_port]
    }

    /// The broker's settings beside its listeners, which are called `SASL` and
    /// `MTLS`.
    pub(super) fn properties(&self) -> Vec<(&'static str, String)> {
        // One line in a file of properties, and in an environment variable.
        let line = |pem: &str| pem.trim().replace('\n', "\\n").replace('\r', "");
        let login = "org.apache.kafka.common.security.plain.PlainLoginModule";
        let fixed = [
            ("listener.name.sasl.sasl.enabled.mechanisms", "PLAIN"),
            ("listener.name.mtls.ssl.client.auth", "required"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.truststore.type", "PEM"),
        ];
        let mut properties: Vec<_> = fixed.map(|(name, value)| (name, value.to_owned())).into();
        properties.extend([
            (
                "listener.name.sasl.plain.sasl.jaas.config",
                format!("{login} required user_{USER}=\"{PASSWORD}\";"),
            ),
            (
                "ssl.keystore.certificate.chain",
                line(&self.broker.certificate),
            ),
            ("ssl.keystore.key", line(&self.broker.key)),
            ("ssl.truststore.certificates", line(&self.authority)),
        ]);
        properties
    }

    /// By name and password.
    #[must_use]
    pub fn by_password(&self) -> Way {
        self.way(
            self.sasl_port,
            &[
                ("security.protocol", "SASL_SSL".to_owned()),
                ("sasl.mechanism", "PLAIN".to_owned()),
                ("sasl.username", USER.to_owned()),
                ("sasl.password", PASSWORD.to_owned()),
                ("ssl.ca.location", self.file("ca.pem")),
            ],
        )
    }

    /// By a client's certificate.
    #[must_use]
    pub fn by_certificate(&self) -> Way {
        self.way(
            self.mtls_port,
            &[
                ("security.protocol", "SSL".to_owned()),
                ("ssl.ca.location", self.file("ca.pem")),
                ("ssl.certificate.location", self.file("client.pem")),
                ("ssl.key.location", self.file("client.key")),
            ],
        )
    }

    fn way(&self, port: u16, properties: &[(&str, String)]) -> Way {
        let property = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone().into());
        Way {
            brokers: format!("127.0.0.1:{port}"),
            properties: properties.iter().map(property).collect(),
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn params(name: &str, alternative_names: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(alternative_names).expect("the names are ASCII");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn identity(name: &str, issuer: &CertifiedIssuer<'_, KeyPair>) -> Identity {
    let mut params = params(name, vec!["127.0.0.1".to_owned()]);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let key = KeyPair::generate().expect("the system gives randomness");
    let certificate = params.signed_by(&key, issuer);
    Identity {
        certificate: certificate.expect("the authority signs").pem(),
        key: key.serialize_pem(),
    }
}
