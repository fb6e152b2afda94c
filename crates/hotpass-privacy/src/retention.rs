//! How long data may be kept.

use chrono::{Days, NaiveDate};

/// Returns the last day on which an entity may be kept: `days` after the last interaction, or after the run where none is known or
/// it lies in the future.
pub fn retention_until(last_interaction: Option<NaiveDate>, run: NaiveDate, days: u32) -> Option<NaiveDate> {
    let from = last_interaction.filter(|date| *date <= run).unwrap_or(run);
    from.checked_add_days(Days::new(u64::from(days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_last_interaction() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let check = |last: Option<&str>, expected: &str| {
            assert_eq!(retention_until(last.map(day), day("2024-06-30"), 30), Some(day(expected)), "{last:?}");
        };
        check(Some("2024-01-01"), "2024-01-31");
        check(None, "2024-07-30");
        check(Some("2030-01-01"), "2024-07-30");
    }
}
