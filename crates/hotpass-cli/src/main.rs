//! The `hotpass` command.
fn main() {}
