//! Time as a value that is handed in, so that a run can be repeated to the byte.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};

/// The clock of a run: the machine's, or one fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// One moment, in milliseconds since 1970-01-01T00:00:00Z; outputs become reproducible.
    Fixed(i64),
}

impl Clock {
    /// Makes the fixed clock that the value of `SOURCE_DATE_EPOCH` (seconds since 1970) asks for.
    ///
    /// Source: reproducible-builds.org, `SOURCE_DATE_EPOCH` specification.
    pub fn fixed_seconds(seconds: i64) -> Self {
        Self::Fixed(seconds.saturating_mul(1000))
    }

    /// Returns the current moment in milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_milliseconds(self) -> i64 {
        match self {
            Self::System => Utc::now().timestamp_millis(),
            Self::Fixed(milliseconds) => milliseconds,
        }
    }

    /// Returns the current moment in UTC.
    pub fn now(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.now_milliseconds()).single().unwrap_or_default()
    }

    /// Returns the current moment as RFC 3339 text in UTC, to the second.
    pub fn now_rfc3339(self) -> String {
        self.now().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Returns whether the clock is fixed, and so the outputs reproducible.
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_still() {
        let clock = Clock::fixed_seconds(1_700_000_000);
        assert_eq!(clock.now_rfc3339(), "2023-11-14T22:13:20Z");
        assert_eq!(clock.now_milliseconds(), clock.now_milliseconds());
    }
}
