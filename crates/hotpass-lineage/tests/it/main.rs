//! Integration tests: against the specification's own schemas and examples, and against faulty servers.

mod deploy;
mod faults;
mod schemas;
mod server;
