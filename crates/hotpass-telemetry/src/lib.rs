//! OpenTelemetry for a program: traces, metrics and logs from `tracing`, exported without slowing the work.
//!
//! Libraries speak through `tracing` alone: spans, events, and measured values as events of the target
//! [`METRIC_TARGET`]. A table of [`Instrument`]s says what each measured value is. The program starts a [`Session`] and
//! puts its layer into its subscriber; nothing is installed globally by this crate.
//!
//! ```
//! use std::time::Duration;
//!
//! use hotpass_telemetry::{settings::ExporterKind, Instrument, InstrumentKind, Settings, Telemetry};
//!
//! const INSTRUMENTS: &[Instrument] = &[Instrument {
//!     name: "shop.rows",
//!     kind: InstrumentKind::Counter,
//!     unit: "{row}",
//!     description: "Rows that were read",
//!     boundaries: &[],
//!     attributes: &["file.format"],
//! }];
//!
//! # let folder = tempfile::tempdir()?;
//! let mut settings = Settings::new("shop", "1.0.0");
//! settings.enabled = true;
//! settings.set_exporters(&[ExporterKind::File]);
//! settings.file = folder.path().join("telemetry.ndjson");
//! let session = Telemetry::start(settings, INSTRUMENTS)?;
//! tracing::subscriber::with_default(session.subscriber(), || {
//!     let _span = tracing::info_span!("read").entered();
//!     tracing::info!(target: "hotpass::metric", name = "shop.rows", value = 3, "file.format" = "csv");
//!     tracing::info!("The file is read");
//! });
//! let report = session.shutdown(Duration::from_secs(2));
//! assert!(!report.lost_anything());
//! assert_eq!(std::fs::read_to_string(folder.path().join("telemetry.ndjson"))?.lines().count(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is exported waits in bounded queues and leaves on threads of its own, one a signal: the program never waits for a
//! collector, except at its end and no longer than it says. What finds no place or is not delivered is counted.
//! [`Settings::apply_environment`] understands the variables of the specification, listed in [`environment::VARIABLES`].
//!
//! Not supported: OTLP as JSON over HTTP, the Prometheus and Zipkin exporters, exponential histograms.

pub mod check;
pub mod context;
pub mod environment;
mod error;
mod export;
mod metrics;
mod queue;
pub mod redaction;
mod resource;
pub mod session;
pub mod settings;
mod unsigned;

pub use context::Propagation;
pub use error::StartError;
pub use hotpass_core::{Instrument, InstrumentKind};
pub use metrics::METRIC_TARGET;
pub use session::{Session, ShutdownReport, Telemetry};
pub use settings::Settings;
