//! Chores and gates.
fn main() {}
