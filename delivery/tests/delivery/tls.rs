//! TLS, with an authority of the tests' own.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use delivery::{CertificateFault, Client, Connector, Egress, Guard, GuardSettings, Limits};
use domain::Cause;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::receiver::{Closing, OK, Peer, Receiver};
use crate::senders::{
    Answers, NAME, assert_answered, assert_failed, named_client, post, short, target,
};

/// A certificate authority whose PEM file is deleted with it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        // Authorities of one name would be told apart by their signatures only.
        let name = format!("CA {:?}", key.public_key_raw());
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let pem = issuer.pem();
        let hash = pem.bytes().fold(0_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let name = format!("delivery-test-ca-{}-{hash:x}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, pem).unwrap();
        Self { issuer, file }
    }

    /// For [`Egress::extra_ca`].
    pub(crate) fn file(&self) -> Option<PathBuf> {
        Some(self.file.clone())
    }

    /// A server with a good certificate for the name.
    pub(crate) fn acceptor(&self, name: &str) -> TlsAcceptor {
        self.acceptor_with(name, |_| {})
    }

    fn acceptor_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap();
    }
}

/// A script that gives each request the same answer.
pub(crate) fn answering(
    answer: &'static str,
) -> impl Fn(Peer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static {
    move |peer| Box::pin(peer.answer_all(answer))
}

async fn attempt_at(
    acceptor: TlsAcceptor,
    ca: Option<PathBuf>,
) -> (delivery::Attempt, Client, Receiver) {
    let receiver = Receiver::tls(acceptor, answering(OK)).await;
    let port = receiver.address.port();
    let answers = Answers::new(&["127.0.0.1"]);
    let client = named_client(port, Limits::default(), ca, &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/hook"));
    (post(&client, &target).await, client, receiver)
}

#[tokio::test]
async fn an_endpoint_with_a_good_certificate_gets_the_request() {
    let authority = Authority::new();
    let (attempt, client, receiver) = attempt_at(authority.acceptor(NAME), authority.file()).await;
    assert_answered(&attempt, 200);
    assert_eq!(attempt.response_start, b"ok");
    assert_eq!(client.idle_connections(), 1);
    let host = format!("host: {NAME}:{}\r\n", receiver.address.port());
    assert!(receiver.requests()[0].contains(&host));
}

#[tokio::test]
async fn a_connection_closed_while_unused_is_not_noticed_by_anyone() {
    let authority = Authority::new();
    let closing = Closing::new();
    let script = closing.clone();
    let acceptor = authority.acceptor(NAME);
    let receiver = Receiver::tls(acceptor, move |peer| script.clone().script(peer)).await;
    let port = receiver.address.port();
    let answers = Answers::new(&["127.0.0.1"]);
    let client = named_client(port, Limits::default(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/hook"));
    for n in 1..4 {
        assert_answered(&post(&client, &target).await, 200);
        assert_eq!(client.idle_connections(), 1);
        closing.close(1).await;
        assert_eq!(receiver.requests().len(), n, "none was sent twice");
    }
}

#[tokio::test]
async fn an_expired_certificate_is_named_so() {
    let authority = Authority::new();
    let acceptor = authority.acceptor_with(NAME, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let (attempt, ..) = attempt_at(acceptor, authority.file()).await;
    assert_failed(&attempt, Cause::Tls, "the certificate has expired");
    assert_eq!(attempt.certificate, Some(CertificateFault::Expired));
}

#[tokio::test]
async fn a_certificate_of_the_future_is_named_so() {
    let authority = Authority::new();
    let acceptor = authority.acceptor_with(NAME, |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
    });
    let (attempt, ..) = attempt_at(acceptor, authority.file()).await;
    assert_failed(&attempt, Cause::Tls, "the certificate is not valid yet");
}

#[tokio::test]
async fn an_unknown_issuer_is_named_so() {
    let (unknown, known) = (Authority::new(), Authority::new());
    for ca in [None, known.file()] {
        let (attempt, ..) = attempt_at(unknown.acceptor(NAME), ca).await;
        assert_failed(&attempt, Cause::Tls, "the certificate's issuer is unknown");
        assert_eq!(attempt.certificate, Some(CertificateFault::UnknownIssuer));
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_named_so() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("www.shop.example");
    let (attempt, _, receiver) = attempt_at(acceptor, authority.file()).await;
    assert_failed(
        &attempt,
        Cause::Tls,
        "the certificate is not for hooks.shop.example, but for www.shop.example",
    );
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_port_that_speaks_plain_http_is_a_tls_error() {
    let receiver = Receiver::start(|mut peer| async move {
        peer.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.closed().await;
    })
    .await;
    let port = receiver.address.port();
    let client = named_client(port, Limits::default(), None, &Answers::new(&["127.0.0.1"]));
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_failed(&post(&client, &target).await, Cause::Tls, "is not TLS");
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_time_limit() {
    let receiver = Receiver::start(|mut peer| async move { peer.closed().await }).await;
    let port = receiver.address.port();
    let client = named_client(port, short(), None, &Answers::new(&["127.0.0.1"]));
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_failed(
        &post(&client, &target).await,
        Cause::Timeout,
        "during the TLS handshake",
    );
}

#[tokio::test]
async fn a_handshake_that_breaks_is_a_tls_error() {
    let receiver = Receiver::start(|_peer| async {}).await;
    let port = receiver.address.port();
    let client = named_client(port, Limits::default(), None, &Answers::new(&["127.0.0.1"]));
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    assert_failed(
        &post(&client, &target).await,
        Cause::Tls,
        "during the TLS handshake",
    );
}

#[tokio::test]
async fn a_second_connection_resumes_the_session() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(NAME);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&kinds);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut tls = acceptor.accept(tcp).await.unwrap();
            noted
                .lock()
                .unwrap()
                .extend(tls.get_ref().1.handshake_kind());
            let _read = tls.read(&mut [0; 4096]).await.unwrap();
            let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            tls.write_all(answer.as_bytes()).await.unwrap();
            tls.shutdown().await.unwrap();
        }
    });
    let answers = Answers::new(&["127.0.0.1"]);
    let client = named_client(port, Limits::default(), authority.file(), &answers);
    let target = target(&client, &format!("https://{NAME}:{port}/"));
    for _ in 0..2 {
        assert_answered(&post(&client, &target).await, 200);
    }
    let kinds = kinds.lock().unwrap().clone();
    assert_eq!(
        kinds,
        [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]
    );
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let guard = || Guard::new(GuardSettings::default());
    for path in ["/does/not/exist.pem", "/dev/null"] {
        let egress = Egress {
            proxy: None,
            extra_ca: Some(path.into()),
        };
        let error = Connector::new(guard(), Limits::default(), &egress).unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
    }
}
