//! Secrets, and how a configuration names them without holding them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A value that shows itself nowhere: not in `Debug`, not in a log, not in a serialised form.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the value, to be used at once and never to be written.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Where a secret is found: `env:NAME` or `file:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference {
    /// A variable of the environment.
    Environment(String),
    /// The content of a file, without the line end at its end.
    File(PathBuf),
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The text is no reference; it is not repeated, since it may be the secret itself.
    #[error("A secret is named as `env:NAME` or `file:PATH`, never written out")]
    NotAReference,
    /// The variable is not set or empty.
    #[error("Environment variable `{name}` holds no secret")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// The file cannot be read.
    #[error("Failed to read the secret in `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl SecretReference {
    /// Returns the secret; `environment` looks a variable up.
    ///
    /// # Errors
    ///
    /// Returns [`SecretError`] when the variable is missing or empty, or the file cannot be read.
    pub fn resolve(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Secret, SecretError> {
        match self {
            Self::Environment(name) => environment(name)
                .filter(|value| !value.is_empty())
                .map(Secret)
                .ok_or_else(|| SecretError::NoVariable { name: name.clone() }),
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
                .map_err(|source| SecretError::File { path: path.clone(), source }),
        }
    }
}

impl SecretReference {
    /// Returns whether others than its owner can read or write the file; `false` for variables, and where files have no modes.
    pub fn is_open_to_others(&self) -> bool {
        #[cfg(unix)]
        if let Self::File(path) = self {
            use std::os::unix::fs::PermissionsExt as _;
            return std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
        }
        false
    }
}

impl FromStr for SecretReference {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(SecretError::NotAReference),
        }
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_to_its_secret_and_shows_nothing() -> Result<(), SecretError> {
        let reference: SecretReference = "env:KEY".parse()?;
        let secret = reference.resolve(|name| (name == "KEY").then(|| "s3cret".to_owned()))?;
        assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("s3cret", "[secret]"));
        assert!(matches!(reference.resolve(|_| None), Err(SecretError::NoVariable { .. })));
        assert_eq!("file:/run/key".parse::<SecretReference>()?.to_string(), "file:/run/key");
        for text in ["", "s3cret", "env:", "vault:x"] {
            let error = text.parse::<SecretReference>().map(|_| ()).map_err(|error| error.to_string());
            assert!(error.is_err_and(|message| !message.contains("s3cret")), "{text}");
        }
        Ok(())
    }
}
