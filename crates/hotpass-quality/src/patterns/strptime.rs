//! Python's `datetime.strptime`: the expression its format stands for, and the checks of what was found.

use std::fmt::Write as _;

use chrono::NaiveDate;
use regex::Regex;

/// A format of `strptime`.
#[derive(Debug, Clone)]
pub(crate) struct TimeFormat {
    regex: Regex,
}

impl TimeFormat {
    /// Reads a format.
    pub(crate) fn new(format: &str) -> Result<Self, String> {
        let mut text = String::from("(?i)^(?:");
        let mut seen = String::new();
        let mut characters = format.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '%' => {
                    let directive = characters.next().ok_or("format ends in `%`")?;
                    if directive != '%' && seen.contains(directive) {
                        return Err(format!("format has `%{directive}` twice"));
                    }
                    seen.push(directive);
                    text.push_str(
                        directive_regex(directive).ok_or_else(|| format!("format has an unknown `%{directive}`"))?,
                    );
                }
                space if space.is_whitespace() => {
                    while characters.next_if(|next| next.is_whitespace()).is_some() {}
                    text.push_str(r"\s+");
                }
                other => {
                    let _ = write!(text, "{}", regex::escape(&other.to_string()));
                }
            }
        }
        text.push(')');
        Ok(Self { regex: Regex::new(&text).map_err(|_| "format is too long")? })
    }

    /// Returns whether a text is a date or time in the format.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some(found) = self.regex.captures(text) else { return false };
        if found.get(0).is_none_or(|whole| whole.end() != text.len()) {
            return false;
        }
        let number = |name: &str| found.name(name).and_then(|part| part.as_str().trim().parse::<u32>().ok());
        let month = number("m").or_else(|| {
            let name = found.name("b").or_else(|| found.name("B"))?.as_str().to_lowercase();
            MONTHS.iter().position(|month| name.starts_with(month)).map(|position| position as u32 + 1)
        });
        let year = number("Y").or_else(|| number("y").map(|year| if year <= 68 { 2000 + year } else { 1900 + year }));
        if year == Some(0) {
            return false;
        }
        // Without a year Python takes 1900, which has no 29 February.
        NaiveDate::from_ymd_opt(year.unwrap_or(1900) as i32, month.unwrap_or(1), number("d").unwrap_or(1)).is_some()
    }
}

pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn directive_regex(directive: char) -> Option<&'static str> {
    Some(match directive {
        'd' => r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
        'f' => r"(?P<f>[0-9]{1,6})",
        'H' => r"(?P<H>2[0-3]|[0-1]\d|\d)",
        'I' => r"(?P<I>1[0-2]|0[1-9]|[1-9]| [1-9])",
        'j' => r"(?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
        'm' => r"(?P<m>1[0-2]|0[1-9]|[1-9])",
        'M' => r"(?P<M>[0-5]\d|\d)",
        'S' => r"(?P<S>6[0-1]|[0-5]\d|\d)",
        'U' | 'W' => r"(?:5[0-3]|[0-4]\d|\d)",
        'w' => r"(?P<w>[0-6])",
        'u' => r"(?P<u>[1-7])",
        'y' => r"(?P<y>\d\d)",
        'Y' => r"(?P<Y>\d\d\d\d)",
        'z' => r"(?P<z>[+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|Z)",
        'Z' => r"(?P<Z>utc|gmt)",
        'a' => r"(?P<a>mon|tue|wed|thu|fri|sat|sun)",
        'A' => r"(?P<A>monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
        'b' | 'h' => r"(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
        'B' => r"(?P<B>january|february|march|april|may|june|july|august|september|october|november|december)",
        'p' => r"(?P<p>am|pm)",
        'T' | 'X' => r"(?P<H>2[0-3]|[0-1]\d|\d):(?P<M>[0-5]\d|\d):(?P<S>6[0-1]|[0-5]\d|\d)",
        'x' => r"(?P<m>1[0-2]|0[1-9]|[1-9])/(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])/(?P<y>\d\d)",
        '%' => "%",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_what_python_reads() {
        let check = |format: &str, text: &str, reads: bool| {
            assert_eq!(TimeFormat::new(format).unwrap().matches(text), reads, "{text} as {format}");
        };
        check("%Y-%m-%d", "2024-02-29", true);
        check("%Y-%m-%d", "2023-02-29", false);
        check("%Y-%m-%d", "2023-2-9", true);
        check("%Y-%m-%d", "23-02-09", false);
        check("%Y-%m-%d", "2023-02-09 ", false);
        check("%d %B %Y", "9  march 2021", true);
        check("%H:%M", "24:00", false);
        check("%d/%m", "29/02", false);
        assert!(TimeFormat::new("%Q").is_err());
    }
}
