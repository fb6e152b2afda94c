//! Personal data: detection, redaction and tokens, consent, retention, and what is held on a person.
//!
//! ```
//! use hotpass_core::Secret;
//! use hotpass_privacy::{DataClass, Detector, Jurisdiction, Operator, PrivacyKey, operator::Applier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "Ask x.fictum@example.org, or call 082 555 0142";
//! let spans = Detector::new().spans(text);
//! assert_eq!(spans[0].class, DataClass::Email);
//! assert!(spans[0].class.category(Jurisdiction::Popia).reference.starts_with("POPIA s 1"));
//!
//! let key = PrivacyKey::new(&Secret::new(PrivacyKey::generate()?))?;
//! let applier = Applier::new([Operator::Tokenise], Some(key.clone()))?;
//! let token = applier.apply(Operator::Tokenise, Some(DataClass::Email), "email", "x.fictum@example.org");
//! assert_eq!(key.detokenise(&token)?, "x.fictum@example.org");
//! assert_eq!(
//!     applier.apply(Operator::RedactSpans, None, "notes", text),
//!     "Ask [email], or call [phone]"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! [`Detector`] finds personal data in values and columns; start there. [`operator::Applier`] and [`Operator`] say what becomes of it,
//! [`PrivacyKey`] stands behind hashes and tokens. [`consent`] holds what people agreed to, [`subject`] finds a person in texts,
//! [`suppression::SuppressionList`] keeps erased people out of later runs, and [`anonymity`] measures how alone a row stands.
//!
//! Findings hold classes, counts and places, never a value. The crate reads no tables and no sources; it does not judge whether
//! processing is lawful. Names are found by header, by the words around them and by lists of common names: expect to miss many (see [`Detector`]).

pub mod anonymity;
pub mod class;
pub mod consent;
pub mod detect;
pub mod error;
pub mod key;
pub mod operator;
mod retention;
pub mod subject;
pub mod suppression;

pub use class::{DataClass, Jurisdiction};
pub use detect::Detector;
pub use key::PrivacyKey;
pub use operator::Operator;
pub use retention::retention_until;
