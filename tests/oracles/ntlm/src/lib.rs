//! The codec of the daemon's NTLM, file by file, against the accepting side of sspi.

// What the tests do not use of the daemon's files is used by the daemon.
#![allow(dead_code)]

#[path = "../../../../src/certificate.rs"]
pub mod certificate;

#[path = "."]
mod ntlm {
    #[path = "../../../../src/auth/ntlm/binding.rs"]
    mod binding;
    #[path = "../../../../src/auth/ntlm/message.rs"]
    mod message;
    #[path = "../../../../src/auth/ntlm/proof.rs"]
    mod proof;
    #[cfg(test)]
    mod oracle;
}
