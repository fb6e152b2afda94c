//! Postcodes of any country, by prefixes of their compact form.

/// Gives the compact form: upper-case ASCII letters and digits, everything else dropped; none if nothing is left.
///
/// `sw1a 1aa` gives `SW1A1AA`, `D-10115` gives `D10115`, `1012 AB` gives `1012AB`.
pub fn postcode_compact(text: &str) -> Option<String> {
    let compact: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    (!compact.is_empty()).then_some(compact)
}

/// Gives the first `length` characters of the compact form; none if it is shorter.
///
/// In most countries a prefix is a wider area: two digits of a US or German code, one of a South African one. Postcodes of the
/// United Kingdom have parts of varying length, for which [`postcode_area`], [`postcode_district`] and [`postcode_sector`] look.
pub fn postcode_prefix(text: &str, length: usize) -> Option<String> {
    let mut compact = postcode_compact(text)?;
    if compact.len() < length {
        return None;
    }
    compact.truncate(length);
    (!compact.is_empty()).then_some(compact)
}

/// Gives the outward code of a whole United Kingdom postcode, its district: `SW1A` of `SW1A 1AA`.
///
/// The inward code is a digit and two letters, so the district is all before the last three characters (Royal Mail,
/// *Postcode Address File Programmers' Guide*). None for anything else.
pub fn postcode_district(text: &str) -> Option<String> {
    let mut compact = united_kingdom(text)?;
    compact.truncate(compact.len() - 3);
    Some(compact)
}

/// Gives the sector of a whole United Kingdom postcode: `SW1A1` of `SW1A 1AA`.
pub fn postcode_sector(text: &str) -> Option<String> {
    let mut compact = united_kingdom(text)?;
    compact.truncate(compact.len() - 2);
    Some(compact)
}

/// Gives the area of a whole United Kingdom postcode, its leading letters: `SW` of `SW1A 1AA`.
pub fn postcode_area(text: &str) -> Option<String> {
    let mut compact = united_kingdom(text)?;
    let n_letters = compact.bytes().take_while(u8::is_ascii_alphabetic).count();
    compact.truncate(n_letters);
    Some(compact)
}

/// Gives the compact form if it has the shape of a United Kingdom postcode: `A9 9AA`, `A99 9AA`, `AA9 9AA`, `AA99 9AA`, `A9A 9AA` or `AA9A 9AA`.
fn united_kingdom(text: &str) -> Option<String> {
    let compact = postcode_compact(text)?;
    if !(5..=7).contains(&compact.len()) {
        return None;
    }
    let (outward, inward) = compact.as_bytes().split_at(compact.len() - 3);
    let is_inward = inward[0].is_ascii_digit() && inward[1..].iter().all(u8::is_ascii_alphabetic);
    let n_letters = outward.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let district = &outward[n_letters..];
    let is_outward = (1..=2).contains(&n_letters) && (1..=2).contains(&district.len()) && district[0].is_ascii_digit();
    (is_inward && is_outward).then_some(compact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: [Option<&str>; 4]) {
        let parts = [postcode_compact(text), postcode_sector(text), postcode_district(text), postcode_area(text)];
        assert_eq!(parts.each_ref().map(Option::as_deref), expected, "parts of {text}");
    }

    #[test]
    fn united_kingdom_postcodes_have_three_levels() {
        check("sw1a 1aa", [Some("SW1A1AA"), Some("SW1A1"), Some("SW1A"), Some("SW")]);
        check("M1 1AE", [Some("M11AE"), Some("M11"), Some("M1"), Some("M")]);
        check("EC1A-1BB", [Some("EC1A1BB"), Some("EC1A1"), Some("EC1A"), Some("EC")]);
        check("DN551PT", [Some("DN551PT"), Some("DN551"), Some("DN55"), Some("DN")]);
    }

    #[test]
    fn other_postcodes_have_but_a_compact_form() {
        check("10115", [Some("10115"), None, None, None]);
        check("1012 AB", [Some("1012AB"), None, None, None]);
        check("K1A 0B1", [Some("K1A0B1"), None, None, None]);
        check("—", [None; 4]);
    }

    #[test]
    fn a_prefix_needs_enough_characters() {
        assert_eq!(postcode_prefix("90210-1234", 3).as_deref(), Some("902"));
        assert_eq!(postcode_prefix("80", 3), None);
        assert_eq!(postcode_prefix("8001", 0), None);
        assert_eq!(postcode_prefix("", 1), None);
    }
}
