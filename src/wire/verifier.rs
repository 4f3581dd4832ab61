//! Who a server is: webpki decides, with one exception.
//!
//! `openssl req -x509` makes a certificate that signed itself and says that it is an authority's (RFC 5280, section 4.2.1.9). webpki
//! refuses to see such a one shown by a server, whoever trusts it; curl, podman and skopeo accept it. It is accepted here where the
//! user gave this very certificate, byte for byte, in a file for registries: whoever has its key is whom the user named. Never is it
//! for what merely stands among the machine's authorities. webpki ends at what it refuses, so that what the key may be used for (section
//! 4.2.1.12) is not asked of such a one; the rest is:
//!
//! | asked | by |
//! |---|---|
//! | its dates | webpki, which looks at them before it looks at what the certificate is for |
//! | its host name | rustls, by the same function as for other certificates |
//! | the key: the handshake's signature | webpki, for every certificate |
//!
//! Its own signature says nothing that the equal bytes do not say.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Verifier {
    /// `None`: nobody is trusted.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    /// What the user gave.
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Trusts what the user gave and this machine's authorities; what cannot be read as a certificate counts for nothing.
    pub(super) fn new<'a>(
        given: Vec<CertificateDer<'static>>,
        system: impl Iterator<Item = CertificateDer<'a>>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(given.iter().cloned());
        roots.add_parsable_certificates(system);
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok();
        Self { webpki, given, provider: Arc::clone(provider) }
    }
}

/// Whether webpki has nothing against a certificate so far but that it is an authority's.
fn is_authority_s_own(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(webpki) = &self.webpki else { return Err(CertificateError::UnknownIssuer.into()) };
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if is_authority_s_own(&error) && self.given.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::EncodePrivateKey as _;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::time_provider::TimeProvider;
    use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
    use std::time::Duration;

    /// `openssl req -x509 -days 36500 -subj /CN=own -addext subjectAltName=DNS:registry.example`, for the key of 32 bytes 7.
    const OWN: &str = "\
-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUFP+xsOi47Q310OBmZWG+i1LP6e0wCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDb3duMCAXDTI2MTEyMzE0NDUxOFoYDzIxMjYxMDMwMTQ0NTE4
WjAOMQwwCgYDVQQDDANvd24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQeGFMv
1HVMAvMEHZx1zrM7g//YGsfOT+iCzLHJi8WJbqRsMRxOL/QN2Wo2U+bkVEXTLf5I
bs7XXHqQxqGIgcCjo3AwbjAdBgNVHQ4EFgQUZjRoBunM+8sC8qg3n5dC3fH0CgUw
HwYDVR0jBBgwFoAUZjRoBunM+8sC8qg3n5dC3fH0CgUwDwYDVR0TAQH/BAUwAwEB
/zAbBgNVHREEFDASghByZWdpc3RyeS5leGFtcGxlMAoGCCqGSM49BAMCA0cAMEQC
IBICjHjn80PDLLweXEPikVXi13M9R7cGF7KKOFtp/pJ7AiAsiG2LwR0xJzIl+Mce
RG/W5sBp/fAaBucMHWCHO6p6ng==
-----END CERTIFICATE-----
";

    /// The same again: the same names, the same key, another serial number.
    const OTHER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUT/kjLm2Wcf8rp8UqYDuDmQR99oMwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDb3duMCAXDTI2MTEyMzE0NDUxOFoYDzIxMjYxMDMwMTQ0NTE4
WjAOMQwwCgYDVQQDDANvd24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQeGFMv
1HVMAvMEHZx1zrM7g//YGsfOT+iCzLHJi8WJbqRsMRxOL/QN2Wo2U+bkVEXTLf5I
bs7XXHqQxqGIgcCjo3AwbjAdBgNVHQ4EFgQUZjRoBunM+8sC8qg3n5dC3fH0CgUw
HwYDVR0jBBgwFoAUZjRoBunM+8sC8qg3n5dC3fH0CgUwDwYDVR0TAQH/BAUwAwEB
/zAbBgNVHREEFDASghByZWdpc3RyeS5leGFtcGxlMAoGCCqGSM49BAMCA0gAMEUC
IDO5WLdKkT1ITyAlxouVqSX4y6drl25olg+VmrZnTmtmAiEAm9pKDEIa3+jhJ1qH
VE5Zmhu6CI7OMeU9nHhz9zICdwY=
-----END CERTIFICATE-----
";

    /// In 2033, when both are valid.
    const NOW: u64 = 2_000_000_000;

    fn certificate(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    fn verifier(given: &[&str], system: &[&str]) -> Verifier {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let given = given.iter().map(|pem| certificate(pem)).collect();
        Verifier::new(given, system.iter().map(|pem| certificate(pem)), &provider)
    }

    /// What is said to a server that shows the first of the certificates.
    fn verdict(verifier: &Verifier, name: &'static str, now: u64) -> Result<ServerCertVerified, Error> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        verifier.verify_server_cert(&certificate(OWN), &[], &ServerName::try_from(name).unwrap(), &[], now)
    }

    #[test]
    fn what_the_user_gave_is_accepted_for_its_name_and_time_alone() {
        let given = verifier(&[OTHER, OWN], &[]);
        verdict(&given, "registry.example", NOW).unwrap();
        for (name, now, why) in [
            ("other.example", NOW, "NotValidForName"),
            ("a.registry.example", NOW, "NotValidForName"),
            ("registry.example", NOW / 2, "NotValidYet"),
            ("registry.example", NOW * 3, "Expired"),
        ] {
            let error = format!("{:?}", verdict(&given, name, now).unwrap_err());
            assert!(error.contains(why), "{name} {now}: {error}");
        }
    }

    #[test]
    fn what_the_user_did_not_give_is_not() {
        for (given, system, why) in [
            (&[][..], &[][..], "UnknownIssuer"),
            (&[], &[OWN][..], "CaUsedAsEndEntity"),
            (&[OTHER], &[], "CaUsedAsEndEntity"),
            (&[OTHER], &[OWN], "CaUsedAsEndEntity"),
        ] {
            let error = verdict(&verifier(given, system), "registry.example", NOW).unwrap_err();
            assert!(format!("{error:?}").contains(why), "{error:?}");
        }
    }

    /// Shows a certificate with whatever key it has.
    #[derive(Debug)]
    struct Shows(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shows {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    #[derive(Debug)]
    struct Then;

    impl TimeProvider for Then {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
        }
    }

    /// A handshake with a server whose key is so many equal bytes.
    fn handshake(key: u8) -> Result<(), Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = p256::SecretKey::from_slice(&[key; 32]).unwrap().to_pkcs8_der().unwrap();
        let key = PrivateKeyDer::try_from(key.as_bytes().to_vec()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shows = Arc::new(Shows(Arc::new(CertifiedKey::new(vec![certificate(OWN)], key))));
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let server = server.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(shows);
        let client = ClientConfig::builder_with_details(provider, Arc::new(Then));
        let client = client.with_safe_default_protocol_versions()?.dangerous();
        let client = client.with_custom_certificate_verifier(Arc::new(verifier(&[OWN], &[]))).with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from("registry.example").unwrap())?;
        let mut server = ServerConnection::new(Arc::new(server))?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn who_shows_it_has_its_key() {
        let error = handshake(8).unwrap_err();
        assert!(format!("{error:?}").contains("BadSignature"), "{error:?}");
        handshake(7).unwrap();
    }
}
