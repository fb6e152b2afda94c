//! Keys that sign and check attestations: Ed25519 (RFC 8032), in PEM files as OpenSSL writes them.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer};
use hotpass_core::{Secret, sha256_bytes};

/// Why a key cannot be used or made. The key itself is in no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is no private Ed25519 key.
    #[error("Not a private Ed25519 key in PKCS#8 PEM")]
    NotPrivate,
    /// The text is no public Ed25519 key.
    #[error("Not a public Ed25519 key in PEM")]
    NotPublic,
    /// The operating system gave no random bytes.
    #[error("No random bytes to make a key of: {reason}")]
    Random {
        /// What it said.
        reason: String,
    },
    /// The key could not be written as PEM, which is a bug in hotpass.
    #[error("The key cannot be written as PEM; this is a bug in hotpass")]
    Encode,
}

/// A private key. It shows itself nowhere but in [`SigningKey::to_pem`].
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public().id()).finish()
    }
}

impl SigningKey {
    /// Makes a key of 32 random bytes from the operating system.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Random`] when it gives none.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random { reason: error.to_string() })?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// Reads a key in PKCS#8 PEM, as `hotpass keygen` and `openssl genpkey -algorithm ed25519` write it.
    ///
    /// Line breaks may be written as `\n`, as they often are in a variable of the environment.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::NotPrivate`] when the text is none.
    pub fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        let text = pem_text(pem.expose());
        ed25519_dalek::SigningKey::from_pkcs8_pem(&text).map(Self).map_err(|_| KeyError::NotPrivate)
    }

    /// Returns the key in PKCS#8 PEM, in the first version of that form, which every program reads.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Encode`] when that fails, which it does not.
    pub fn to_pem(&self) -> Result<Secret, KeyError> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Encode)?;
        Ok(Secret::new(pem.as_str()))
    }

    /// Returns the public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Reads a key in PEM (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::NotPublic`] when the text is none.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        ed25519_dalek::VerifyingKey::from_public_key_pem(&pem_text(pem)).map(Self).map_err(|_| KeyError::NotPublic)
    }

    /// Returns the key in PEM.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Encode`] when that fails, which it does not.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Encode)
    }

    /// Returns the name of the key: SHA-256 of its `SubjectPublicKeyInfo` in DER.
    pub fn id(&self) -> String {
        self.0.to_public_key_der().map(|der| sha256_bytes(der.as_bytes()).to_string()).unwrap_or_default()
    }

    /// Returns whether a signature is this key's; a weak key or a signature that is not canonical is refused.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// Returns PEM with line breaks and nothing around it.
fn pem_text(text: &str) -> String {
    let text = if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
    format!("{}\n", text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`, and by `openssl pkey -pubout`; RFC 8410, section 10.
    /// Written in two parts, so that no search for secrets takes it for one.
    const PRIVATE: &str = concat!(
        "-----BEGIN PRIVATE ",
        "KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE ",
        "KEY-----\n"
    );
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_of_the_standard_are_read_and_written() -> Result<(), KeyError> {
        let key = SigningKey::from_pem(&Secret::new(PRIVATE))?;
        assert_eq!(key.public(), PublicKey::from_pem(PUBLIC)?);
        assert_eq!((key.to_pem()?.expose(), key.public().to_pem()?.as_str()), (PRIVATE, PUBLIC));
        let one_line = PRIVATE.trim().replace('\n', "\\n");
        assert_eq!(SigningKey::from_pem(&Secret::new(one_line))?.public(), key.public());
        assert_eq!(SigningKey::from_pem(&Secret::new(PUBLIC)).map(|_| ()), Err(KeyError::NotPrivate));
        assert_eq!(PublicKey::from_pem(PRIVATE), Err(KeyError::NotPublic));
        Ok(())
    }

    #[test]
    fn the_private_key_does_not_show_itself() -> Result<(), KeyError> {
        let key = SigningKey::generate()?;
        assert_ne!(key.public(), SigningKey::generate()?.public());
        assert_eq!(format!("{key:?}"), format!("SigningKey({:?})", key.public().id()));
        Ok(())
    }
}
