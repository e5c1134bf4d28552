//! One log-on after another.

use sha2::{Digest, Sha256};
use sspi::{
    AuthIdentity, BufferType, CredentialUse, DataRepresentation, Ntlm, SecurityBuffer, ServerRequestFlags, Sspi,
    SspiEx, SspiImpl, Username,
};

use super::{
    binding::channel_bindings,
    message::{Answerer, first},
    proof::key_of_password,
};

const CERTIFICATE: &[u8] = b"no certificate, so SHA-256";
const PASSWORD: &str = "pässwörd €";

/// An acceptor that knows one account.
fn acceptor(certificate: &[u8]) -> (Ntlm, AuthIdentity) {
    let mut acceptor = Ntlm::new();
    let token = [b"tls-server-end-point:", &Sha256::digest(certificate)[..]].concat();
    acceptor.set_channel_bindings(&token);
    let username = Username::new("josé", Some("EXAMPLE")).unwrap();
    (acceptor, AuthIdentity { username, password: PASSWORD.to_owned().into() })
}

/// One log-on; whether it is taken. sspi judges a password by the hash over the messages alone, and takes a message without one.
fn log_on(domain: &str, user: &str, password: &str, seen: &[u8], own: &[u8]) -> Result<(), String> {
    let (mut acceptor, identity) = acceptor(own);
    let mut credentials = acceptor
        .acquire_credentials_handle()
        .with_credential_use(CredentialUse::Inbound)
        .with_auth_data(&identity)
        .execute(&mut acceptor)
        .unwrap();
    acceptor.custom_set_auth_identities(vec![identity.clone()]).unwrap();
    let mut step = |message: Vec<u8>| {
        let last = message[8] == 3;
        let mut input = [SecurityBuffer::new(message, BufferType::Token)];
        let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let builder = acceptor
            .accept_security_context()
            .with_credentials_handle(&mut credentials.credentials_handle)
            .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        let done = acceptor.accept_security_context_impl(builder);
        done.and_then(|mut done| done.resolve_to_result()).map_err(|error| error.to_string())?;
        // Where the password is looked at.
        if last {
            acceptor.complete_auth_token(&mut output).map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(output.remove(0).buffer)
    };
    let challenge = step(first())?;
    let answerer = Answerer {
        user,
        domain,
        key: &key_of_password(user, domain, password),
        service: "HTTP/mail.example.test",
        channel_bindings: channel_bindings(seen),
        client: [7; 8],
        now: 133_000_000_000_000_000,
    };
    step(answerer.third(&first(), &challenge).map_err(|error| error.to_string())?).map(drop)
}

#[test]
fn the_right_password_over_the_right_connection_is_taken() {
    assert_eq!(log_on("EXAMPLE", "josé", PASSWORD, CERTIFICATE, CERTIFICATE), Ok(()));
    assert!(log_on("EXAMPLE", "josé", PASSWORD, b"a proxy's", CERTIFICATE).is_err());
}
