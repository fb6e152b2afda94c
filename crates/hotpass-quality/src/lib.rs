//! Data contracts and expectations over record batches, with results people can read.

pub mod contract;
