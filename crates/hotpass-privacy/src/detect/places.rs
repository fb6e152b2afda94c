//! Latitude and longitude, in the ways people write them.

use std::ops::Range;

use super::words::{FIGURES, MAPS, keyword_before};
use super::{Evidence, Span};
use crate::class::DataClass;

/// Degrees with minutes and seconds, with decimal minutes, or as a decimal number.
macro_rules! angle {
    () => {
        concat!(
            r"[0-9]{1,3}(?:\s*[°º]\s*[0-9]{1,2}(?:[.,][0-9]+)?\s*(?:['′’]\s*(?:[0-9]{1,2}(?:[.,][0-9]+)?\s*",
            r#"(?:["″”]|''|’’)?)?)?|\s[0-9]{1,2}[.,][0-9]+\s*['′’]?|[.,][0-9]+\s*[°º]?|\s*[°º])"#
        )
    };
}

/// Two decimal numbers.
pub(super) const DECIMAL: &str = r"[-+]?[0-9]{1,2}\.[0-9]{3,}°?\s*[,;/ ]\s*[-+]?[0-9]{1,3}\.[0-9]{3,}°?";

/// Two angles with the letters of their hemispheres, before or behind them, or with the words for latitude and longitude.
pub(super) const NAMED: &str = concat!(
    r"\b(?:[NS]\s*",
    angle!(),
    r"[\s,;/]*[EWO]\s*",
    angle!(),
    "|",
    angle!(),
    r"\s*[NS][\s,;/]+",
    angle!(),
    r"\s*[EWO]\b|[EWO]\s*",
    angle!(),
    r"[\s,;/]*[NS]\s*",
    angle!(),
    "|",
    angle!(),
    r"\s*[EWO][\s,;/]+",
    angle!(),
    r"\s*[NS]\b|(?i:lat(?:itude|itud|itudine)?|breite|breitengrad|breedtegraad)\.?\s*[:=]?\s*[-+]?[0-9]{1,2}[.,][0-9]+°?",
    r"[\s,;/&]*(?i:and\s+|und\s+|et\s+|y\s+|e\s+|en\s+)?",
    r"(?i:lon|lng|long|longitude|longitud|longitudine|länge|längengrad|lengtegraad)\.?\s*[:=]?\s*[-+]?[0-9]{1,3}[.,][0-9]+°?)"
);

fn place(range: Range<usize>, confidence: f64, evidence: Evidence) -> Span {
    Span { range, class: DataClass::Coordinates, confidence, evidence }
}

/// Judges two decimal numbers: both may be rates, prices or measures.
pub(super) fn decimal(text: &str, range: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    let numbers: Vec<&str> = matched
        .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .filter(|part| !part.is_empty())
        .collect();
    let [latitude, longitude] = numbers.as_slice() else { return None };
    let within = |number: &str, bound: f64| number.parse::<f64>().is_ok_and(|number| number.abs() <= bound);
    (within(latitude, 90.0) && within(longitude, 180.0)).then_some(())?;
    // Parts of two addresses of computers are no place.
    let after = &text[range.end..];
    let goes_on = after.starts_with(|c: char| c.is_ascii_digit() || c == '%' || c == '‰')
        || after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit());
    let begun = text[..range.start].ends_with(|c: char| c == '.' || c.is_alphanumeric());
    (!goes_on && !begun).then_some(())?;
    if matched.contains('°') || keyword_before(text, range.start, 2, MAPS) {
        return Some(place(range, 0.9, Evidence::Keyword));
    }
    // A word right behind the numbers is their unit.
    let unit = after.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    let measured =
        FIGURES.contains(&unit.as_str()) || matches!(unit.as_str(), "kg" | "mm" | "cm" | "km" | "percent" | "r" | "k");
    let decimals = |number: &str| number.rsplit('.').next().map_or(0, str::len);
    let precise = decimals(latitude) >= 4 && decimals(longitude) >= 4;
    let apart = matched.contains('/');
    (precise
        && !apart
        && !measured
        && !after.trim_start().starts_with(['%', '€', '$'])
        && !keyword_before(text, range.start, 4, FIGURES))
    .then_some(())?;
    Some(place(range, 0.85, Evidence::Pattern))
}

/// Judges two angles with their hemispheres or names.
pub(super) fn named(text: &str, range: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    // Each angle begins behind a hemisphere, a name or a separator; its degrees are its first number.
    let mut degrees = matched.split(['N', 'S', 'E', 'W', 'O', ',', ';']).filter_map(|part| {
        let digits: String =
            part.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    degrees.next().filter(|degrees| *degrees <= 180)?;
    if text[..range.start].ends_with(['.', '-']) {
        return None;
    }
    Some(place(range, 0.92, Evidence::Pattern))
}
