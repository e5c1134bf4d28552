//! Certificates that are not good, and one that is: a TLS server that answers 401 to everybody.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, Stream,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::harness::{Face, World};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/tls");

/// Starts a server with a certificate and returns its port.
fn server(certificate: &str) -> u16 {
    let chain = CertificateDer::from_pem_file(format!("{FOLDER}/{certificate}.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || answer(config, socket));
        }
    });
    port
}

fn answer(config: Arc<ServerConfig>, mut socket: std::net::TcpStream) {
    let Ok(mut connection) = ServerConnection::new(config) else { return };
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut buffer = [0; 4096];
    if stream.read(&mut buffer).is_ok_and(|count| count > 0) {
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(answer.as_bytes());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }
}

#[test]
fn certificates_that_are_not_good_are_named() {
    let mut world = World::new(Face::Ews);
    let authority = format!("{FOLDER}/ca.pem");
    for (certificate, expected) in [
        ("self_signed", "(certificate_untrusted)"),
        ("expired", "(certificate_expired)"),
        ("other", "(certificate_name)"),
        ("good", "certificate by Example Test CA, until 2125-01-01"),
    ] {
        let url = format!("\"https://localhost:{}/EWS/Exchange.asmx\"", server(certificate));
        world.configure(|config| config.set("exchange", "ews_service_url", &url));
        let test = ["test", "--user", "ana@example.test"];
        let ended = world.command_with(&[("SSL_CERT_FILE", &authority)], &test).expect(1, &[expected]);
        let is_good = certificate == "good";
        assert_eq!(ended.out.contains("ok      connection"), is_good, "{ended:#?}");
        // No password is shown to a server that proves nothing.
        assert_eq!(ended.out.contains("(wrong_password)"), is_good, "{ended:#?}");
    }
}
