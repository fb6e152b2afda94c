//! `hotpass attest`: signs files, such as release binaries, and what they were made of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use hotpass_core::{RunId, sha256_file, write_atomic};
use hotpass_provenance::attestation::{
    BUILDER_ID, BuildDefinition, BuildMetadata, Builder, Envelope, FILES_BUILD_TYPE, Resource, RunDetails, Statement,
};
use serde_json::{Map, json};

use super::keygen::signing_key;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Sign files, such as release binaries, with what they were made of
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass attest release/hotpass --signing-key env:RELEASE_KEY \\
      --repository https://github.com/hotpass/hotpass --commit 1a2b3c… --dependency Cargo.lock
  hotpass verify release/hotpass.intoto.json --key hotpass.pub.pem

Whoever verifies has the files beside the attestation, under their names.")]
pub(crate) struct AttestArgs {
    /// Files to sign
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Private key: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REFERENCE")]
    signing_key: String,
    /// Where the attestation goes; `FILE.intoto.json` beside the first file when absent
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Repository of the source
    #[arg(long, value_name = "URI", requires = "commit")]
    repository: Option<String>,
    /// Git commit of the source
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// File that went into them, such as `Cargo.lock`; may be repeated
    #[arg(long, value_name = "FILE")]
    dependency: Vec<PathBuf>,
}

/// Signs the files.
pub(crate) fn run(args: AttestArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let key = signing_key(&args.signing_key)?;
    context.warn_of_open_key(&args.signing_key);
    let subject = args.files.iter().map(|path| resource(path)).collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = subject.iter().find(|file| !names.insert(&file.name)) {
        let name = twice.name.as_deref().unwrap_or_default();
        return Err(CommandError::usage(format!(
            "An attestation tells files apart by name, and two have the name `{name}`"
        ))
        .hint("Sign each in an attestation of its own"));
    }
    let mut dependencies: Vec<Resource> = args.commit.iter().map(|commit| source(&args, commit)).collect();
    for path in &args.dependency {
        dependencies.push(resource(path)?);
    }
    let mut parameters = Map::new();
    parameters.insert("files".to_owned(), json!(subject.iter().map(|file| &file.name).collect::<Vec<_>>()));
    let services = context.services();
    parameters.insert("command".to_owned(), json!(services.command));
    let now = context.clock.now_rfc3339();
    let version = [("hotpass".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into();
    let statement = Statement::new(
        subject,
        BuildDefinition {
            build_type: FILES_BUILD_TYPE.to_owned(),
            external_parameters: parameters,
            resolved_dependencies: dependencies,
        },
        RunDetails {
            builder: Builder { id: BUILDER_ID.to_owned(), version },
            metadata: BuildMetadata {
                invocation_id: invocation(&args, context),
                started_on: Some(now.clone()),
                finished_on: Some(now),
            },
            byproducts: Vec::new(),
        },
    );
    let path = args.output.clone().unwrap_or_else(|| {
        let first = args.files.first().cloned().unwrap_or_default();
        first.with_file_name(format!("{}.intoto.json", first.file_name().unwrap_or_default().to_string_lossy()))
    });
    let failed = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failure(format!("Cannot write attestation `{}`", path.display())).caused_by(error)
    };
    let text =
        Envelope::sign(&statement, &key).and_then(|envelope| envelope.to_json()).map_err(|error| failed(&error))?;
    write_atomic(&path, text).map_err(|error| failed(&error))?;
    context.printer.line(format_args!("{}", path.display()))?;
    context.printer.note(format_args!("Signed {} by key {}", args.files.len(), key.public().id()));
    Ok(Exit::Done)
}

/// Returns the id of this signing: from the commit and the clock when that is fixed.
fn invocation(args: &AttestArgs, context: &Context) -> String {
    if !context.clock.is_fixed() {
        return RunId::random().to_string();
    }
    let mut digest = [0; 32];
    let text = hotpass_core::sha256_bytes(args.commit.as_deref().unwrap_or_default());
    digest.copy_from_slice(&text.as_str().as_bytes()[..32]);
    RunId::derived(context.clock, &digest).to_string()
}

/// Names a file by its name and digest.
fn resource(path: &Path) -> Result<Resource, CommandError> {
    let digest = sha256_file(path)
        .map_err(|error| CommandError::usage(format!("Cannot read `{}`", path.display())).caused_by(&error))?;
    Ok(Resource::file(path.file_name().unwrap_or_default().to_string_lossy(), &digest))
}

/// Names the source by its commit.
fn source(args: &AttestArgs, commit: &str) -> Resource {
    Resource {
        name: Some("source".to_owned()),
        uri: args.repository.as_ref().map(|repository| format!("git+{repository}@{commit}")),
        digest: [("gitCommit".to_owned(), commit.to_owned())].into(),
        ..Resource::default()
    }
}
