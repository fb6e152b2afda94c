//! What operators keep of a value, on values of every form.

use std::sync::LazyLock;

use hotpass_core::Secret;
use hotpass_privacy::operator::{Applier, REDACTED};
use hotpass_privacy::{DataClass, Operator, PrivacyKey};
use proptest::prelude::*;

fn key(secret: &str) -> PrivacyKey {
    PrivacyKey::new(&Secret::new(secret.repeat(32))).unwrap()
}

static APPLIER: LazyLock<Applier> = LazyLock::new(|| Applier::new([Operator::Tokenise], Some(key("k"))).unwrap());

fn apply(operator: &str, class: Option<DataClass>, value: &str) -> String {
    APPLIER.apply(operator.parse().unwrap(), class, class.map_or("x", DataClass::name), value)
}

/// Texts as cells hold them: words, addresses, numbers, dates, and anything.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Z][a-z]{1,9}( (van|de))? [A-Z][a-z]{1,9}",
        "[a-z.]{1,9}@[a-z]{1,9}\\.(org|co\\.za)( [0-9]{3})?",
        "\\+?[0-9][0-9 ().-]{6,16}",
        "[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9:]{5})?",
        "[0-9]{1,3} [A-Z][a-z]{2,8} (Street|Ave|Road|Rd)(, [A-Z][a-z]{2,8}){0,3}(, [0-9]{4})?",
        "-?[0-9]{1,18}(\\.[0-9]{1,6})?",
        "-?[0-9]{1,3}\\.[0-9]{1,8}[,; ]-?[0-9]{1,3}\\.[0-9]{1,8}",
    ]
}

const CLASSES: [Option<DataClass>; 9] = [
    None,
    Some(DataClass::Email),
    Some(DataClass::Phone),
    Some(DataClass::Address),
    Some(DataClass::PersonName),
    Some(DataClass::DateOfBirth),
    Some(DataClass::Coordinates),
    Some(DataClass::IpAddress),
    Some(DataClass::ZaId),
];

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tokens_lead_back_and_equal_values_stay_equal(value in any::<String>(), other in any::<String>()) {
        let key = key("k");
        let token = key.tokenise("email", &value);
        prop_assert_eq!(key.detokenise(&token).unwrap(), value.as_str());
        prop_assert_eq!(token == key.tokenise("email", &other), value == other);
        prop_assert!(PrivacyKey::new(&Secret::new("q".repeat(32))).unwrap().detokenise(&token).is_err());
        let text = format!("see {token}, thanks");
        prop_assert_eq!(key.detokenise_text(&text).unwrap(), (format!("see {value}, thanks"), 1));
    }

    #[test]
    fn hashes_are_the_same_each_time_and_hold_nothing_of_the_value(value in any::<String>(), other in any::<String>()) {
        let hash = key("k").hash("email", &value);
        prop_assert_eq!(&hash, &key("k").hash("email", &value));
        prop_assert_eq!(hash == key("k").hash("email", &other), value == other);
        prop_assert_ne!(&hash, &key("q").hash("email", &value));
        let digits = hash.strip_prefix("hph1.email.").unwrap();
        prop_assert!(digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_mask_keeps_two_characters_at_most(value in cell()) {
        let masked = apply("mask", None, &value);
        let characters: Vec<char> = value.chars().collect();
        let kept: Vec<char> = masked.chars().collect();
        prop_assert_eq!(kept.len(), characters.len());
        for (at, c) in kept.iter().enumerate() {
            let end = at == 0 || at + 1 == kept.len();
            prop_assert!(*c == '*' || (end && kept.len() >= 4 && *c == characters[at]), "{} of {}", masked, value);
        }
    }

    #[test]
    fn nothing_more_is_kept_than_a_generalisation_says(value in cell(), class in proptest::sample::select(&CLASSES[..])) {
        let all = |operator: &str| apply(operator, class, &value);
        let year = all("generalise:year");
        prop_assert!(year == REDACTED || (year.len() == 4 && digits(&year) == 4 && value.contains(&year)), "{}", year);
        let month = all("generalise:month");
        prop_assert!(month == REDACTED || (month.len() == 7 && digits(&month) == 6), "{}", month);
        let town = all("generalise:town");
        prop_assert!(
            town == REDACTED || (digits(&town) == 0 && !town.contains(['@', ',', ';', '/']) && value.contains([',', ';', '\n'])),
            "{} of {}", town, value
        );
        for street in ["Street", "Ave", "Road", "Rd"] {
            prop_assert!(!town.split(' ').any(|word| word == street), "{} of {}", town, value);
        }
        let domain = all("generalise:domain");
        prop_assert!(domain == REDACTED || !domain.contains(['@', ' ']), "{}", domain);
        let country = all("generalise:country");
        prop_assert!(country == REDACTED || (country.starts_with('+') && country.len() <= 4), "{}", country);
        let area = all("generalise:area");
        prop_assert!(area == REDACTED || (area.starts_with('+') && digits(&area) <= 5), "{}", area);
        let initials = all("generalise:initials");
        prop_assert!(
            initials == REDACTED || initials.chars().filter(|c| *c != '.').count() <= value.split_whitespace().count(),
            "{} of {}", initials, value
        );
        let prefix = all("generalise:prefix:3");
        prop_assert!(prefix == REDACTED || prefix.chars().skip(3).all(|c| c == '*') && prefix.chars().count() > 3);
        if let Some((from, to)) = all("generalise:band:10").rsplit_once('-') {
            let from: f64 = from.trim_end_matches('-').parse().unwrap();
            // The band has ten whole numbers: its end is nine more, the last digit of neither is the value's own.
            prop_assert!(from % 10.0 == 0.0 && !to.is_empty(), "{} to {} of {}", from, to, value);
        }
        let by_class = all("generalise");
        prop_assert!(
            by_class == REDACTED || class == Some(DataClass::Coordinates) || value.trim().is_empty() || by_class != value.trim() || by_class.chars().count() <= 4,
            "`{}` was kept as it is", by_class
        );
    }
}

#[test]
fn values_that_only_look_like_what_they_are_taken_for_are_redacted() {
    let check = |operator: &str, class: Option<DataClass>, value: &str, expected: &str| {
        assert_eq!(apply(operator, class, value), expected, "{operator} {value}");
    };
    // A telephone number with a year at its end is no date.
    check("generalise:year", None, "0825-550-1980", REDACTED);
    check("generalise:year", None, "12 34 1980", REDACTED);
    check("generalise:year", None, "1980-02-31T10:00", "1980");
    // Without a class, a long number is no quantity whose band says little.
    check("generalise", None, "0825550142", REDACTED);
    check("generalise", None, "27825550142", REDACTED);
    check("generalise", None, "37", "30-39");
    check("generalise:band:10", None, "123456789012345678", REDACTED);
    // Parts of an address that are no town.
    check("generalise:town", None, "Unit 5, 12 Oak Avenue", REDACTED);
    check("generalise:town", None, "12 Oak Ave, c/o Xolile Fictum", REDACTED);
    check("generalise:town", None, "12 Oak Ave, Thabo Fictum", REDACTED);
    check("generalise:town", None, "PO Box 12, Sandton, 2196", "Sandton");
    check("generalise:town", None, "12 Oak Ave, Port Elizabeth 6001, South Africa", "Port Elizabeth");
    // What stands behind an address does not come along.
    check("generalise:domain", None, "a@example.org 082 555 0142", REDACTED);
    check("generalise:domain", None, "a@example.org; b@example.com", "example.org;example.com");
    check("generalise:area", Some(DataClass::Phone), "+27 82 555 0142", "+27 82");
    check("generalise", Some(DataClass::Coordinates), "12345.678", REDACTED);
    check("mask", None, "abc", "***");
    check("mask", None, "abcd", "a**d");
}
