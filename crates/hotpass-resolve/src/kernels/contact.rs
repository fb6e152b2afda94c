//! Telephone numbers and web addresses, reduced to what identifies.

/// Gives the digits of a telephone number in any spelling; none if there are none.
///
/// An extension (`x12`, `ext. 12`) is left out, as is the `(0)` that stands between a country code and a number, and a leading `00`.
pub fn phone_digits(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let main = ["ext", "x", ";", "#"]
        .iter()
        .filter_map(|mark| lower.find(mark))
        .filter(|&at| lower[..at].bytes().any(|byte| byte.is_ascii_digit()))
        .min()
        .map_or(lower.as_str(), |at| &lower[..at]);
    let international = main.trim_start().starts_with(['+', '(']) || main.trim_start().starts_with("00");
    let main = if international { main.replacen("(0)", "", 1) } else { main.to_owned() };
    let mut digits: String = main.chars().filter_map(ascii_digit).collect();
    if digits.len() > 10 && digits.starts_with("00") {
        digits.drain(..2);
    }
    (!digits.is_empty()).then_some(digits)
}

/// Gives the last `length` digits of a telephone number; none if it has fewer.
///
/// National significant numbers have 7 to 11 digits (ITU-T E.164 allows 15 with the country code): the last 9 agree for `+27 82 123 4567` and `082 123 4567`.
pub fn phone_last_digits(text: &str, length: usize) -> Option<String> {
    let digits = phone_digits(text)?;
    (length > 0 && digits.len() >= length).then(|| digits[digits.len() - length..].to_owned())
}

/// Gives the domain of a web address or e-mail address in lower case, without scheme, user, `www.`, port and path; none for a text without a domain.
pub fn web_domain(text: &str) -> Option<String> {
    let text = text.trim();
    let after_scheme = text.find("//").map_or(text, |at| &text[at + 2..]);
    let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.trim_matches('.').to_lowercase();
    let mut host = host.as_str();
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    let is_domain = host.contains('.')
        && host.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_')
        });
    is_domain.then(|| host.to_owned())
}

/// Gives the part of a domain that its owner registered: `acme` of `https://shop.acme.co.za/x`.
///
/// The label before the suffix, where the suffix is the last label, and the one before it too if it is a category
/// (`co`, `com`, `org`, …) under a country code of two letters. Suffixes of private registries are not looked through.
pub fn web_name(text: &str) -> Option<String> {
    const CATEGORIES: [&str; 18] = [
        "ac", "asn", "co", "com", "edu", "gob", "gov", "govt", "id", "law", "ltd", "net", "nhs", "nom", "or", "org",
        "plc", "school",
    ];
    let domain = web_domain(text)?;
    let mut labels = domain.rsplit('.');
    let top = labels.next()?;
    let mut name = labels.next()?;
    if top.len() == 2 && CATEGORIES.contains(&name) {
        name = labels.next().unwrap_or(name);
    }
    Some(name.to_owned())
}

fn ascii_digit(character: char) -> Option<char> {
    let zero = match character {
        '0'..='9' => return Some(character),
        '\u{0660}'..='\u{0669}' => 0x0660,
        '\u{06F0}'..='\u{06F9}' => 0x06F0,
        '\u{0966}'..='\u{096F}' => 0x0966,
        '\u{FF10}'..='\u{FF19}' => 0xFF10,
        _ => return None,
    };
    char::from_digit(u32::from(character) - zero, 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(function: fn(&str) -> Option<String>, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            assert_eq!(function(text).as_deref(), *expected, "of {text}");
        }
    }

    #[test]
    fn telephone_numbers_become_digits() {
        check(
            phone_digits,
            &[
                ("+27 (0)82 123-4567", Some("27821234567")),
                ("0044 20 7946 0000", Some("442079460000")),
                ("(020) 7946 0000 ext. 12", Some("02079460000")),
                ("555-0100 x7", Some("5550100")),
                ("０８２ １２３", Some("082123")),
                ("none", None),
                ("", None),
            ],
        );
        assert_eq!(phone_last_digits("+27 82 123 4567", 9), phone_last_digits("082 123 4567", 9));
        assert_eq!(phone_last_digits("12345", 9), None);
    }

    #[test]
    fn web_addresses_become_domains() {
        check(
            web_domain,
            &[
                ("https://www.Acme.co.za/about?x=1", Some("acme.co.za")),
                ("acme.com", Some("acme.com")),
                ("info@acme.com", Some("acme.com")),
                ("http://user:pass@acme.com:8080/", Some("acme.com")),
                ("//cdn.acme.com.", Some("cdn.acme.com")),
                ("acme", None),
                ("not a site. really", None),
                ("", None),
            ],
        );
        check(
            web_name,
            &[
                ("https://shop.acme.co.za", Some("acme")),
                ("acme.com", Some("acme")),
                ("co.uk", Some("co")),
                ("www.acme.de", Some("acme")),
                ("acme", None),
            ],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,30}", length in 0usize..20) {
            if let Some(digits) = phone_digits(&text) {
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
            }
            if let Some(last) = phone_last_digits(&text, length) {
                prop_assert_eq!(last.len(), length);
            }
            if let Some(domain) = web_domain(&text) {
                prop_assert_eq!(web_domain(&domain), Some(domain.clone()));
            }
            let _ = web_name(&text);
        }
    }
}
