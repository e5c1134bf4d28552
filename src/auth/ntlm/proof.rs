//! The keyed hashes of NTLMv2 (MS-NLMP §3.3.2).

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use zeroize::Zeroizing;

/// A key or a hash.
pub(super) type Sixteen = [u8; 16];

/// `NTOWFv2`: what the password becomes. The user is written in capitals, the domain as it is.
pub(super) fn key_of_password(user: &str, domain: &str, password: &str) -> Zeroizing<Sixteen> {
    let password = Zeroizing::new(utf16(password));
    let hash = Zeroizing::new(<Sixteen>::from(Md4::digest(&*password)));
    Zeroizing::new(keyed(&*hash, &[&utf16(&capitals(user)), &utf16(domain)]))
}

/// HMAC-MD5 over the parts.
pub(super) fn keyed(key: &[u8], parts: &[&[u8]]) -> Sixteen {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return Sixteen::default() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What proves that we know the password, without telling it.
pub(super) struct Proof {
    /// The NTLMv2 response: a hash, and what it is over.
    pub(super) response: Vec<u8>,
    /// The key of the session, which signs the three messages.
    pub(super) session_key: Zeroizing<Sixteen>,
}

/// The response to a challenge. `time` is a FILETIME, `target` the attribute pairs with their end.
pub(super) fn prove(key: &Sixteen, server: [u8; 8], client: [u8; 8], time: u64, target: &[u8]) -> Proof {
    let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
    blob.extend_from_slice(&time.to_le_bytes());
    blob.extend_from_slice(&client);
    blob.extend_from_slice(&[0; 4]);
    blob.extend_from_slice(target);
    blob.extend_from_slice(&[0; 4]);
    let hash = keyed(key, &[&server, &blob]);
    let response = [&hash[..], &blob].concat();
    Proof { response, session_key: Zeroizing::new(keyed(key, &[&hash])) }
}

/// The LMv2 response, for servers that send no time.
pub(super) fn short_response(key: &Sixteen, server: [u8; 8], client: [u8; 8]) -> Vec<u8> {
    [&keyed(key, &[&server, &client])[..], &client].concat()
}

/// UTF-16, little endian.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Capitals letter by letter, as Windows writes them: one that becomes several stays.
fn capitals(text: &str) -> String {
    text.chars()
        .map(|letter| {
            let mut upper = letter.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => one,
                _ => letter,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{capitals, key_of_password, prove, short_response};

    const SERVER: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    const CLIENT: [u8; 8] = [0xaa; 8];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// MS-NLMP §4.2.4.
    #[test]
    fn the_published_values_come_out() {
        let key = key_of_password("User", "Domain", "Password");
        assert_eq!(hex(&*key), "0c868a403bfd7a93a3001ef22ef02e3f");
        let mut target = Vec::new();
        for (id, name) in [(2_u16, "Domain"), (1, "Server")] {
            target.extend_from_slice(&id.to_le_bytes());
            target.extend_from_slice(&12_u16.to_le_bytes());
            target.extend(super::utf16(name));
        }
        target.extend_from_slice(&[0; 4]);
        let proof = prove(&key, SERVER, CLIENT, 0, &target);
        assert_eq!(hex(&proof.response[..16]), "68cd0ab851e51c96aabc927bebef6a1c");
        assert_eq!(hex(&*proof.session_key), "8de40ccadbc14a82f15cb0ad0de95ca3");
        assert_eq!(hex(&short_response(&key, SERVER, CLIENT)), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
    }

    #[test]
    fn capitals_are_those_of_windows() {
        for (text, expected) in [("ana", "ANA"), ("josé", "JOSÉ"), ("strauß", "STRAUß"), ("ωmega", "ΩMEGA")] {
            assert_eq!(capitals(text), expected);
        }
    }
}
