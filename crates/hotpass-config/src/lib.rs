//! Layered, strict configuration with the origin of every value.
//!
//! ```
//! use hotpass_config::ConfigLoader;
//!
//! let loaded = ConfigLoader::new()
//!     .profile("aviation")
//!     .environment([("HOTPASS__PIPELINE__ARCHIVE".to_owned(), "true".to_owned())])
//!     .flag("pipeline.country_code", "NA")
//!     .load()?;
//!
//! assert!(loaded.config.pipeline.archive);
//! assert_eq!(loaded.config.compliance.retention_days, Some(365));
//! let origin = loaded.origin("pipeline.archive").map(|origin| origin.to_string());
//! assert_eq!(origin.as_deref(), Some("environment variable HOTPASS__PIPELINE__ARCHIVE"));
//!
//! let error = ConfigLoader::new().flag("pipeline.archve", "true").load().unwrap_err();
//! assert_eq!(error.problems[0].nearest.as_deref(), Some("archive"));
//! # Ok::<(), hotpass_config::ConfigError>(())
//! ```
//!
//! [`ConfigLoader`] puts layers in order: built-in defaults, a profile, files (YAML, TOML, JSON), the environment,
//! flags; later wins. Sections and maps merge by key, lists replace unless their key appends. Unknown keys and
//! wrong types are errors at every depth, and a [`ConfigError`] holds all of them with file, line and column.
//! [`LoadedConfig`] is the result; it knows the [`Origin`] of every value. [`Overlay`] and [`HotpassConfig::merge`]
//! are the step between, for programs with layers of their own. [`model`] holds the sections and their fields,
//! [`profile`] the presets, [`schema`] the JSON Schema, [`upgrade`] the way from older files, [`doctor`] what deserves a look.
//!
//! Not here: reading the environment, writing files, secrets. No field holds a secret.

mod compliance;
pub mod doctor;
mod error;
mod loader;
pub mod model;
mod node;
mod origin;
mod overlay;
mod parse;
mod path;
mod pattern;
pub mod profile;
pub mod schema;
mod shape;
mod telemetry;
pub mod upgrade;
mod validate;

pub use error::{ConfigError, ConfigProblem, ProblemKind};
pub use loader::{ConfigLoader, Difference, LoadedConfig};
pub use model::HotpassConfig;
pub use origin::Origin;
pub use overlay::Overlay;
pub use parse::Format;
