//! SHA-256 of files and bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256 digest as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256Digest(String);

impl Sha256Digest {
    fn finish(hasher: Sha256) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in hasher.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Returns the digest as 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the SHA-256 of bytes in memory.
pub fn sha256_bytes(bytes: impl AsRef<[u8]>) -> Sha256Digest {
    Sha256Digest::finish(Sha256::new_with_prefix(bytes))
}

/// Returns the SHA-256 of a file's content, read in blocks of 1 MiB.
///
/// # Errors
///
/// Returns the error of opening or reading the file.
pub fn sha256_file(path: impl AsRef<Path>) -> io::Result<Sha256Digest> {
    sha256_reader(File::open(path)?).map(|(digest, _)| digest)
}

/// Returns the SHA-256 of everything a reader gives, and how many bytes that was; read in blocks of 1 MiB.
///
/// # Errors
///
/// Returns the error of reading.
pub fn sha256_reader(mut reader: impl Read) -> io::Result<(Sha256Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok((Sha256Digest::finish(hasher), bytes)),
            Ok(length) => {
                hasher.update(&block[..length]);
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_test_vector() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256_bytes("abc").as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
