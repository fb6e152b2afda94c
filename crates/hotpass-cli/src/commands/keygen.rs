//! `hotpass keygen`: a key pair to sign runs and releases with.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hotpass_core::SecretReference;
use hotpass_provenance::SigningKey;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Name of the private key in a folder.
const PRIVATE_FILE: &str = "hotpass.key.pem";

/// Make a key pair to sign runs with: an Ed25519 private key that only you can read, and the public key beside it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass keygen --out keys
  hotpass refine data --signing-key file:keys/hotpass.key.pem
  hotpass verify latest --key keys/hotpass.pub.pem --require-signature")]
pub(crate) struct KeygenArgs {
    /// Folder for `hotpass.key.pem` and `hotpass.pub.pem`, or file of the private key (ending `.pem`)
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
}

/// Makes and writes the keys.
pub(crate) fn run(args: KeygenArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let private = if args.out.extension().is_some_and(|ending| ending == "pem") && !args.out.is_dir() {
        args.out
    } else {
        args.out.join(PRIVATE_FILE)
    };
    let public = public_beside(&private);
    for path in [&private, &public] {
        if path.exists() {
            return Err(CommandError::usage(format!("A key is there already: `{}`", path.display())).hint(
                "Keys are never overwritten: what they signed could not be verified any more; give another place",
            ));
        }
    }
    let failed =
        |error: &(dyn std::error::Error + 'static)| CommandError::failure("Cannot make a key").caused_by(error);
    let key = SigningKey::generate().map_err(|error| failed(&error))?;
    let pem = key.to_pem().map_err(|error| failed(&error))?;
    let public_pem = key.public().to_pem().map_err(|error| failed(&error))?;
    if let Some(folder) = private.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    for (path, text, is_private) in [(&private, pem.expose(), true), (&public, public_pem.as_str(), false)] {
        write_new(path, text, is_private)
            .map_err(|error| CommandError::failure(format!("Cannot write `{}`", path.display())).caused_by(&error))?;
    }
    context.printer.line(format_args!("private key  {}", private.display()))?;
    context.printer.line(format_args!("public key   {}", public.display()))?;
    context.printer.line(format_args!("key id       {}", key.public().id()))?;
    context.printer.hint(format_args!("Sign with `hotpass refine … --signing-key file:{}`", private.display()));
    Ok(Exit::Done)
}

/// Returns where the public key goes: `NAME.key.pem` and `NAME.pem` both have `NAME.pub.pem` beside them.
fn public_beside(private: &Path) -> PathBuf {
    let stem = private.file_stem().unwrap_or_default().to_string_lossy();
    private.with_file_name(format!("{}.pub.pem", stem.strip_suffix(".key").unwrap_or(&stem)))
}

/// Writes a file that must not be there yet; a private one can be read by its owner alone from its first byte on.
fn write_new(path: &Path, text: &str, is_private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Finds the private key that a reference names.
///
/// # Errors
///
/// Returns a usage error when there is none; the key is in no message.
pub(in crate::commands) fn signing_key(reference: &str) -> Result<SigningKey, CommandError> {
    let refused =
        |error: &(dyn std::error::Error + 'static)| CommandError::usage("Cannot use the signing key").caused_by(error);
    let reference: SecretReference = reference.parse().map_err(|error| {
        refused(&error).hint("Name the file of the key as `file:PATH`, or the variable that holds it as `env:NAME`")
    })?;
    let pem = reference.resolve(|name| std::env::var(name).ok()).map_err(|error| refused(&error))?;
    SigningKey::from_pem(&pem).map_err(|error| {
        refused(&error).hint(format!("Look at {reference}; `hotpass keygen` makes a key that can be used"))
    })
}
