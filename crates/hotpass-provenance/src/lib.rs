//! Cell provenance, run manifest, verification and explanation of golden records.
