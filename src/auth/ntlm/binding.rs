//! What ties a log-on to its TLS connection: `tls-server-end-point` (RFC 5929 §4), as NTLM carries it.

use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use super::proof::Sixteen;
use crate::certificate::{SignatureHash, signature_hash};

const PREFIX: &[u8] = b"tls-server-end-point:";

/// The hash over `gss_channel_bindings_struct` (MS-NLMP §2.2.2.1, `MsvAvChannelBindings`) for a server's certificate.
pub(super) fn channel_bindings(certificate: &[u8]) -> Sixteen {
    let hash = match signature_hash(certificate) {
        SignatureHash::Sha256 => Sha256::digest(certificate).to_vec(),
        SignatureHash::Sha384 => Sha384::digest(certificate).to_vec(),
        SignatureHash::Sha512 => Sha512::digest(certificate).to_vec(),
    };
    let data = [PREFIX, &hash].concat();
    let length = u32::try_from(data.len()).unwrap_or_default();
    // No addresses: two types and two lengths of zero.
    Md5::digest([&[0; 16], &length.to_le_bytes()[..], &data].concat()).into()
}

#[cfg(test)]
mod tests {
    use super::channel_bindings;

    /// Computed by hand with Python's hashlib, over bytes that are no certificate: SHA-256 then.
    #[test]
    fn the_binding_is_a_hash_of_a_hash() {
        let hex: String = channel_bindings(b"certificate").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "a8398e96473163fef6cae76013e8ab5a");
    }
}
