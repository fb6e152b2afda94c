//! Telemetry against servers on the loopback: what arrives, and what faults cost.

mod collector;
mod faults;
mod signals;
