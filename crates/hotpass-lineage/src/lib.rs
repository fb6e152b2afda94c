//! OpenLineage events of runs: typed facets, transports, and a spool that loses nothing.
//!
//! An [`Event`] follows the specification 2-0-2; its facets are in [`facet`]. A [`transport::Transport`] takes events, an [`Emitter`]
//! hands them to it on a thread of its own, and a [`Spool`] keeps on disk what could not be sent.
//!
//! ```
//! use hotpass_lineage::event::{Job, Run, RunEvent, RunState, Timestamp};
//! use hotpass_lineage::facet::{Facet, JobType};
//! use hotpass_lineage::transport::TransportSettings;
//! use hotpass_lineage::{Emitter, EmitterOptions, Event, Spool};
//!
//! const PRODUCER: &str = "https://example.com/my-program";
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let mut job = Job { namespace: "example".into(), name: "copy".into(), ..Job::default() };
//! let kind = JobType { processing_type: "BATCH".into(), integration: "EXAMPLE".into(), ..JobType::default() };
//! job.facets.get_or_insert_default().job_type = Some(Facet::new(PRODUCER, kind));
//! let run = Run { run_id: "0190163d-8694-739b-aea5-966c26f8ad91".parse()?, ..Run::default() };
//! let event = Event::Run(RunEvent::new(RunState::Start, Timestamp::from_milliseconds(0), PRODUCER, run, job));
//!
//! let settings = TransportSettings::File { path: folder.path().join("events.ndjson"), append: true };
//! let transport = settings.build(&|| Box::new(std::io::sink()))?;
//! let options = EmitterOptions { spool: Some(Spool::new(folder.path().join("spool"))), ..EmitterOptions::default() };
//! let emitter = Emitter::start(transport, options)?;
//! emitter.emit(&event);
//! assert_eq!(emitter.finish(std::time::Duration::from_secs(2)).delivered, 1);
//!
//! let written = std::fs::read_to_string(folder.path().join("events.ndjson"))?;
//! assert_eq!(Event::from_json(&written)?, event);
//! # Ok(())
//! # }
//! ```
//!
//! [`ClientSettings`] understands the environment and the `openlineage.yml` of the official client. [`LineageGraph`] draws
//! the events of a run. The crate reads no environment and prints nothing by itself.

pub mod delivery;
pub mod emitter;
pub mod error;
pub mod event;
pub mod facet;
pub mod graph;
pub mod settings;
pub mod spool;
pub mod transport;

pub use emitter::{Emitter, EmitterOptions};
pub use event::Event;
pub use graph::LineageGraph;
pub use settings::ClientSettings;
pub use spool::Spool;
