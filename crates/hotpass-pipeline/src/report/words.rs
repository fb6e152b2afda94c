//! Numbers and names as people read them.

/// Returns a whole number with commas between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with its noun in the singular or plural.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {}", count(number), plural(noun)) }
}

/// Returns a share as a percentage: 1 is `100%`, and only 1 is.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let percent = share * 100.0;
    if share == 0.0 {
        "0%".to_owned()
    } else if (percent - 100.0).abs() < 1e-9 {
        "100%".to_owned()
    } else {
        // Rounding may say neither "nothing" nor "all" of what is neither.
        format!("{:.1}%", percent.clamp(0.1, 99.9))
    }
}

/// Returns a score with two digits.
pub(super) fn score(score: Option<f64>) -> String {
    score.filter(|score| score.is_finite()).map_or_else(|| "–".to_owned(), |score| format!("{score:.2}"))
}

/// Returns a duration.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// Returns a name with spaces for underscores.
pub(super) fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// Returns the plural of an English noun by its ending.
pub(super) fn plural(noun: &str) -> String {
    let consonant_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if noun.is_empty() {
        "records".to_owned()
    } else if let Some(stem) = consonant_y {
        format!("{stem}ies")
    } else if noun.ends_with(['s', 'x']) || noun.ends_with("ch") || noun.ends_with("sh") {
        format!("{noun}es")
    } else {
        format!("{noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_733), "1,733");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(percent(0.9999), "99.9%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.00001), "0.1%");
        assert_eq!(percent(0.0), "0%");
    }

    #[test]
    fn plurals() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
        assert_eq!(counted(1_200, "agency"), "1,200 agencies");
        for (noun, expected) in [
            ("organization", "organizations"),
            ("flight school", "flight schools"),
            ("agency", "agencies"),
            ("business", "businesses"),
            ("branch", "branches"),
            ("", "records"),
        ] {
            assert_eq!(plural(noun), expected);
        }
    }
}
