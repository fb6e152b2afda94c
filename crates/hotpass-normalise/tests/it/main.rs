//! Rules against published data.

mod name_cases;
mod properties;
