//! TLS for one handshake at a time, so that each verdict on a certificate belongs to its connection.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use juki_domain::{ErrorCode, NodeId};
use juki_runtime::Clock;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::settings::Identity;
use crate::trust::Trust;

/// What a certificate was refused for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The node that the certificate claims to be of.
    pub(crate) peer: Option<NodeId>,
    pub(crate) code: ErrorCode,
}

/// This node's side of every handshake.
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn Clock>,
    own: ArcSwap<Own>,
    trust: Arc<Trust>,
    network: String,
}

/// The certificate that a node shows, with its key.
struct Own {
    resolver: Arc<SingleCertAndKey>,
    chain: Vec<Vec<u8>>,
    /// How many certificates there were before it since the start.
    generation: u64,
}

impl Own {
    fn new(
        provider: &CryptoProvider,
        key: &[u8],
        chain: &[Vec<u8>],
        generation: u64,
    ) -> Result<Self, Error> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
        let presented = chain
            .iter()
            .map(|der| CertificateDer::from(der.clone()))
            .collect();
        let own = CertifiedKey::new(presented, provider.key_provider.load_private_key(key)?);
        own.keys_match()?;
        Ok(Self {
            resolver: Arc::new(SingleCertAndKey::from(own)),
            chain: chain.to_vec(),
            generation,
        })
    }
}

impl Tls {
    pub(crate) fn new(
        provider: Arc<CryptoProvider>,
        identity: &Identity,
        network: &str,
        trust: Arc<Trust>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let own = Own::new(&provider, &identity.key, &identity.chain, 0)?;
        Ok(Self {
            provider,
            clock,
            own: ArcSwap::from_pointee(own),
            trust,
            network: network.to_owned(),
        })
    }

    /// The certificate that this node shows.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.own.load().chain.first().cloned().unwrap_or_default()
    }

    /// The same with whoever signed it.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        self.own.load().chain.clone()
    }

    /// How many certificates this node has shown before the present one since its start.
    pub(crate) fn generation(&self) -> u64 {
        self.own.load().generation
    }

    /// Shows another certificate in every handshake that follows.
    pub(crate) fn replace(&self, key: &[u8], chain: &[Vec<u8>]) -> Result<u64, Error> {
        let generation = self.generation().saturating_add(1);
        let own = Own::new(&self.provider, key, chain, generation)?;
        self.own.store(Arc::new(own));
        Ok(generation)
    }

    /// The machine's time, as certificates are judged by it.
    pub(crate) fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_millis(self.clock.now_ms()))
    }

    /// A judge for one handshake.
    pub(crate) fn judge(&self) -> Arc<Judge> {
        Arc::new(Judge {
            trust: Arc::clone(&self.trust),
            provider: Arc::clone(&self.provider),
            network: self.network.clone(),
            refusal: Mutex::new(None),
        })
    }

    /// The accepting side's configuration for one handshake.
    pub(crate) fn server(&self, judge: Arc<Judge>) -> Result<QuicServerConfig, Error> {
        let time = Arc::new(ClockTime(Arc::clone(&self.clock)));
        let mut config =
            rustls::ServerConfig::builder_with_details(Arc::clone(&self.provider), time)
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_client_cert_verifier(judge)
                .with_cert_resolver(Arc::clone(&self.own.load().resolver) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A ticket would let a revoked node come back: resumption skips its certificate.
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        QuicServerConfig::try_from(config)
            .map_err(|_| Error::General("no initial cipher suite".to_owned()))
    }

    /// The dialling side's configuration for one handshake.
    pub(crate) fn client(&self, judge: Arc<Judge>) -> Result<QuicClientConfig, Error> {
        let time = Arc::new(ClockTime(Arc::clone(&self.clock)));
        let mut config =
            rustls::ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .dangerous()
                .with_custom_certificate_verifier(judge)
                .with_client_cert_resolver(Arc::clone(&self.own.load().resolver) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        QuicClientConfig::try_from(config)
            .map_err(|_| Error::General("no initial cipher suite".to_owned()))
    }
}

/// Judges the other side's certificate by the trust in force, and remembers a refusal.
pub(crate) struct Judge {
    trust: Arc<Trust>,
    provider: Arc<CryptoProvider>,
    network: String,
    refusal: Mutex<Option<Refusal>>,
}

impl Judge {
    /// Why the certificate was refused, if it was.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, certificate: &CertificateDer<'_>, error: &Error) {
        let peer = juki_pki::node_of(certificate, &self.network).ok();
        let refusal = Refusal {
            peer,
            code: code_of(error),
        };
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge(..)")
    }
}

impl ClientCertVerifier for Judge {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self
            .trust
            .current()
            .clients
            .verify_client_cert(end, chain, now);
        verdict.inspect_err(|error| self.remember(end, error))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
        .inspect_err(|error| self.remember(certificate, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self
            .trust
            .current()
            .servers
            .verify_server_cert(end, chain, name, ocsp, now);
        verdict.inspect_err(|error| self.remember(end, error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ClientCertVerifier::verify_tls12_signature(self, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ClientCertVerifier::verify_tls13_signature(self, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ClientCertVerifier::supported_verify_schemes(self)
    }
}

struct ClockTime(Arc<dyn Clock>);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime(..)")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(
            self.0.now_ms(),
        )))
    }
}

fn code_of(error: &Error) -> ErrorCode {
    use CertificateError as C;
    let Error::InvalidCertificate(reason) = error else {
        return ErrorCode::CertificateUnknownAuthority;
    };
    if matches!(
        reason,
        C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. }
    ) {
        ErrorCode::CertificateExpired
    } else if matches!(reason, C::Revoked) {
        ErrorCode::CertificateRevoked
    } else if matches!(
        reason,
        C::NotValidForName | C::NotValidForNameContext { .. }
    ) {
        ErrorCode::CertificateOtherNode
    } else {
        ErrorCode::CertificateUnknownAuthority
    }
}

pub(crate) const ALPN: &[u8] = b"juki/1";
