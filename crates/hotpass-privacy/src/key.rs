//! The key behind hashes and tokens.

use std::fmt;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use hotpass_core::Secret;
use sha2::Sha256;

use crate::error::KeyError;

/// Fewest characters of a key: 32 of base64 hold 192 bits.
const MINIMUM: usize = 32;
/// Beginning of a token; the number is that of the form.
const TOKEN: &str = "hpt1.";
/// Beginning of a keyed hash.
const HASH: &str = "hph1.";

/// A key for keyed hashes and tokens. It shows itself nowhere.
///
/// Two keys are derived from the secret, one a use, with HMAC-SHA-256 over a label (as HKDF's expansion, RFC 5869 section 2.3).
#[derive(Clone)]
pub struct PrivacyKey {
    hash: [u8; 32],
    token: [u8; 64],
}

impl fmt::Debug for PrivacyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivacyKey([secret])")
    }
}

impl PrivacyKey {
    /// Derives the keys from a secret.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::TooShort`] when the secret has fewer than 32 characters.
    pub fn new(secret: &Secret) -> Result<Self, KeyError> {
        let secret = secret.expose().trim();
        let length = secret.chars().count();
        if length < MINIMUM {
            return Err(KeyError::TooShort { length, minimum: MINIMUM });
        }
        let derive = |label: &[u8]| hmac_sha256(secret.as_bytes(), &[b"hotpass.privacy.", label]);
        let mut token = [0; 64];
        token[..32].copy_from_slice(&derive(b"token.1"));
        token[32..].copy_from_slice(&derive(b"token.2"));
        Ok(Self { hash: derive(b"hash.1"), token })
    }

    /// Makes a new secret: 256 random bits in base64.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Random`] when the machine gives no random bits.
    pub fn generate() -> Result<String, KeyError> {
        Ok(BASE64.encode(random::<32>()?))
    }

    /// Returns the keyed hash of a value: HMAC-SHA-256 (RFC 2104), cut to 128 bits. Equal values of a context have equal hashes.
    pub fn hash(&self, context: &str, value: &str) -> String {
        let digest = hmac_sha256(&self.hash, &[context.as_bytes(), &[0], value.as_bytes()]);
        let mut text = format!("{HASH}{context}.");
        push_hex(&mut text, &digest[..16]);
        text
    }

    /// Returns the token of a value: AES-SIV (RFC 5297) with the context as associated data. Equal values of a context have equal
    /// tokens, and [`PrivacyKey::detokenise`] gives the value back.
    pub fn tokenise(&self, context: &str, value: &str) -> String {
        let mut cipher = Aes256Siv::new(&self.token.into());
        // It fails for more than 126 headers only, and there is one.
        let sealed = cipher.encrypt([context.as_bytes()], value.as_bytes()).unwrap_or_default();
        format!("{TOKEN}{context}.{}", BASE64.encode(sealed))
    }

    /// Returns the value of a token.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::NotAToken`] when the text is none, [`KeyError::WrongKey`] when the key did not make it.
    pub fn detokenise(&self, token: &str) -> Result<String, KeyError> {
        let (context, sealed) =
            token.trim().strip_prefix(TOKEN).and_then(|rest| rest.rsplit_once('.')).ok_or(KeyError::NotAToken)?;
        let sealed = BASE64.decode(sealed).map_err(|_| KeyError::NotAToken)?;
        let mut cipher = Aes256Siv::new(&self.token.into());
        let plain = cipher.decrypt([context.as_bytes()], &sealed).map_err(|_| KeyError::WrongKey)?;
        String::from_utf8(plain).map_err(|_| KeyError::WrongKey)
    }

    /// Replaces every token in the cells of a file of separated values, which are quoted again where their values need it; other cells
    /// keep their bytes. `guard` makes a cell safe that a spreadsheet program would take for a formula.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::WrongKey`] when a token was made with another key.
    pub fn detokenise_csv(
        &self,
        text: &str,
        separator: char,
        guard: impl Fn(&str) -> String,
    ) -> Result<(String, u64), KeyError> {
        let mut plain = String::with_capacity(text.len());
        let mut count = 0;
        for piece in csv_pieces(text, separator) {
            if !piece.contains(TOKEN) {
                plain.push_str(piece);
                continue;
            }
            let quoted = piece.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let cell = quoted.map_or_else(|| piece.to_owned(), |inner| inner.replace("\"\"", "\""));
            let (value, found) = self.detokenise_text(&cell)?;
            count += found;
            let value = guard(&value);
            if quoted.is_some() || value.contains([separator, '"', '\n', '\r']) {
                plain.push('"');
                plain.push_str(&value.replace('"', "\"\""));
                plain.push('"');
            } else {
                plain.push_str(&value);
            }
        }
        Ok((plain, count))
    }

    /// Replaces every token in the texts of a document of JSON, or of one on each line; all else keeps its bytes.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::WrongKey`] when a token was made with another key.
    pub fn detokenise_json(&self, text: &str) -> Result<(String, u64), KeyError> {
        let mut plain = String::with_capacity(text.len());
        let mut count = 0;
        for piece in json_pieces(text) {
            let value = piece.contains(TOKEN).then(|| serde_json::from_str::<String>(piece).ok()).flatten();
            let Some(value) = value else {
                plain.push_str(piece);
                continue;
            };
            let (value, found) = self.detokenise_text(&value)?;
            count += found;
            plain.push_str(&serde_json::Value::String(value).to_string());
        }
        Ok((plain, count))
    }

    /// Replaces every token in a text by its value; others stay. Returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::WrongKey`] when a token was made with another key.
    pub fn detokenise_text(&self, text: &str) -> Result<(String, u64), KeyError> {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        let mut count = 0;
        while let Some(start) = rest.find(TOKEN) {
            plain.push_str(&rest[..start]);
            let end = rest[start..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
                .map_or(rest.len(), |length| start + length);
            // A full stop that ends a sentence is not part of the token.
            let token = rest[start..end].trim_end_matches('.');
            match self.detokenise(token) {
                Ok(value) => {
                    plain.push_str(&value);
                    count += 1;
                }
                Err(KeyError::NotAToken) => plain.push_str(token),
                Err(error) => return Err(error),
            }
            rest = &rest[start + token.len()..];
        }
        plain.push_str(rest);
        Ok((plain, count))
    }
}

/// Returns whether a text is a token or a keyed hash, by its form.
pub fn is_sealed(text: &str) -> bool {
    context_of(text).is_some()
}

/// Returns the class or column that a token or keyed hash names.
pub fn context_of(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix(TOKEN).or_else(|| text.trim().strip_prefix(HASH))?;
    let (context, sealed) = rest.rsplit_once('.')?;
    let is_sealed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (sealed.len() >= 16 && sealed.chars().all(is_sealed)).then_some(context)
}

/// Splits separated values into cells and what stands between them.
fn csv_pieces(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if !quoted && (c == separator || matches!(c, '\n' | '\r')) => {
                pieces.extend([&text[start..at], &text[at..at + c.len_utf8()]]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Splits JSON into its texts, with their quotation marks, and what stands between them.
fn json_pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if quoted => {
                pieces.push(&text[start..=at]);
                (start, quoted) = (at + 1, false);
            }
            b'"' => {
                pieces.push(&text[start..at]);
                (start, quoted) = (at, true);
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Returns the HMAC-SHA-256 of the parts, one after another.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so that this key is always taken.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyError::Random { reason: error.to_string() })?;
    Ok(bytes)
}

/// Adds bytes as hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: &str) -> PrivacyKey {
        PrivacyKey::new(&Secret::new(fill.repeat(32))).unwrap()
    }

    #[test]
    fn tokens_are_equal_for_equal_values_and_lead_back() {
        let key_a = key("a");
        let token = key_a.tokenise("email", "x@example.org");
        assert_eq!(token, key_a.tokenise("email", "x@example.org"));
        assert_ne!(token, key_a.tokenise("phone", "x@example.org"));
        assert_ne!(token, key("b").tokenise("email", "x@example.org"));
        assert!(token.starts_with("hpt1.email.") && !token.contains("example"), "{token}");
        assert_eq!(key_a.detokenise(&token).unwrap(), "x@example.org");
        assert!(matches!(key("b").detokenise(&token), Err(KeyError::WrongKey)));
        // The context is authenticated: a token moved to another column is refused.
        assert!(matches!(key_a.detokenise(&token.replace("email", "phone")), Err(KeyError::WrongKey)));
        assert!(matches!(key_a.detokenise("x@example.org"), Err(KeyError::NotAToken)));
    }

    #[test]
    fn tokens_in_a_text_are_replaced() {
        let key = key("k");
        let text = format!("mail {}. Then {};", key.tokenise("email", "a@b.org"), key.tokenise("phone", "+27"));
        assert_eq!(key.detokenise_text(&text).unwrap(), ("mail a@b.org. Then +27;".to_owned(), 2));
    }

    #[test]
    fn values_with_any_character_keep_the_form_of_their_file() {
        let key = key("k");
        for value in ["Fictum, Xolile", "say \"hi\"", "two\nlines", "=1+1", "x;y", "plain", "back\\slash"] {
            let token = key.tokenise("person_name", value);
            let guard = |text: &str| if text.starts_with('=') { format!("'{text}") } else { text.to_owned() };
            let text = format!("name,mail\r\n{token},\"a,b\"\r\n\"{token}\",x\r\n");
            let (plain, count) = key.detokenise_csv(&text, ',', guard).unwrap();
            let mut reader = csv_pieces(&plain, ',').into_iter();
            assert_eq!((count, plain.starts_with("name,mail\r\n"), plain.ends_with(",x\r\n")), (2, true, true));
            let first = reader.nth(6).unwrap();
            let read = first
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .map_or(first.to_owned(), |inner| inner.replace("\"\"", "\""));
            assert_eq!(read, guard(value), "{plain}");

            let json = format!("{{\"name\": \"{token}\", \"n\": [1.50, \"\\u0041\"]}}");
            let (plain, count) = key.detokenise_json(&json).unwrap();
            let parsed: serde_json::Value = serde_json::from_str(&plain).unwrap();
            assert_eq!((parsed["name"].as_str(), count), (Some(value), 1));
            assert!(plain.ends_with("\"n\": [1.50, \"\\u0041\"]}"), "{plain}");
        }
    }

    #[test]
    fn hashes_depend_on_key_context_and_value() {
        let hash = key("a").hash("email", "x@example.org");
        assert_eq!(hash.len(), "hph1.email.".len() + 32);
        assert_ne!(hash, key("b").hash("email", "x@example.org"));
        assert_ne!(hash, key("a").hash("phone", "x@example.org"));
    }

    #[test]
    fn short_keys_are_refused_and_keys_hide() {
        assert!(matches!(PrivacyKey::new(&Secret::new("short")), Err(KeyError::TooShort { length: 5, .. })));
        assert!(!format!("{:?}", key("a")).contains("97"));
        let generated = PrivacyKey::generate().unwrap();
        assert!(PrivacyKey::new(&Secret::new(generated)).is_ok());
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let mut text = String::new();
        push_hex(&mut text, &hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]));
        assert_eq!(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_cipher_is_that_of_rfc_5297() {
        // Appendix A.1 is of the 128-bit form; the cipher is the same construction, so the crate's form is checked there.
        let key: [u8; 32] = [
            0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0, 0xf0, 0xf1,
            0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
        ];
        let header: Vec<u8> = (0x10..0x28).collect();
        let plain: Vec<u8> =
            (1..15).map(|digit: u8| digit * 0x11).map(|byte| if byte > 0xee { 0 } else { byte }).collect();
        let sealed = aes_siv::siv::Aes128Siv::new(&key.into()).encrypt([&header], &plain).unwrap();
        let mut text = String::new();
        push_hex(&mut text, &sealed);
        assert_eq!(text, "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
    }
}
