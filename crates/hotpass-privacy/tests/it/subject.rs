//! A person is found in any writing, and erased for good.

use std::sync::LazyLock;

use hotpass_privacy::subject::{Identifier, IdentifierKind, Subject};
use hotpass_privacy::suppression::{Scrubbed, SuppressionList};
use proptest::prelude::*;

const NAME: &str = "Zoë van O'Fictum-Nuñez";
const EMAIL: &str = "z.fictum@example.org";
const PHONE: &str = "+27825550142";
const NUMBER: &str = "8001015009087";

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| Subject::new(identifiers()));

fn identifiers() -> Vec<Identifier> {
    [
        (IdentifierKind::Name, NAME),
        (IdentifierKind::Email, EMAIL),
        (IdentifierKind::Phone, PHONE),
        (IdentifierKind::Number, NUMBER),
    ]
    .into_iter()
    .filter_map(|(kind, text)| Identifier::new(kind, text))
    .collect()
}

/// Writings of the person.
fn writing() -> impl Strategy<Value = String> {
    let separator = proptest::sample::select(vec!["", " ", "-", ".", "\u{a0}", " - ", "/"]);
    let prefix = proptest::sample::select(vec!["+27", "+27 (0)", "0027", "0", "27", "(0", "+27 "]);
    let phone = (prefix, separator.clone(), separator).prop_map(|(prefix, a, b)| {
        let close = if prefix == "(0" { ")" } else { "" };
        format!("{prefix}82{close}{a}555{b}0142")
    });
    let name = proptest::sample::select(vec![
        "Zoë van O'Fictum-Nuñez",
        "ZOË VAN O'FICTUM-NUÑEZ",
        "zoe van o’fictum-nunez",
        "van O'Fictum-Nuñez, Zoë",
        "O'Fictum-Nunez; Zoe van",
        "Zoe  van\nO&#39;Fictum Nunez",
        "Zoe\u{308} van O&apos;Fictum-Nun\u{303}ez",
    ]);
    let email =
        proptest::sample::select(vec!["z.fictum@example.org", "Z.Fictum@Example.ORG", "<z.fictum@example.org>"]);
    let number = proptest::sample::select(vec!["8001015009087", "800101 5009 087", "800101-5009-087"]);
    prop_oneof![phone, name.prop_map(str::to_owned), email.prop_map(str::to_owned), number.prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_writing_is_found_and_erased_for_good(writing in writing(), before in "([a-zA-Z ,;:é]{0,12} )?", after in "( [a-zA-Z ,;:é]{0,12})?") {
        let subject = &*SUBJECT;
        let text = format!("{before}{writing}{after}");
        prop_assert!(subject.is_in(&text), "{:?}", text);
        let erased = subject.erase(&text).unwrap();
        prop_assert!(!subject.is_in(&erased), "{:?}", erased);
        prop_assert!(erased.contains(before.trim_end()) && erased.contains(after.trim_start()), "{:?} of {:?}", erased, text);
        for digits in ["8255", "5550142", "0142", "5009"] {
            prop_assert!(!erased.contains(digits), "{:?}", erased);
        }
    }

    #[test]
    fn any_text_is_searched_without_a_panic_and_erased_once_is_erased(text in any::<String>(), writing in writing()) {
        let subject = &*SUBJECT;
        let text = format!("{text}{writing}{text}");
        if let Some(erased) = subject.erase(&text) {
            prop_assert_eq!(subject.erase(&erased), None);
        }
    }

    #[test]
    fn who_is_on_the_list_is_taken_out_of_rows_in_any_writing(writing in writing()) {
        let mut list = SuppressionList::default();
        list.add("D-1", "2024-01-01T00:00:00Z", &identifiers(), &[]).unwrap();
        // An address beside it says that the row is the person's.
        let mut row = [Some("Acacia Works".to_owned()), Some(writing.replace("&#39;", "'").replace("&apos;", "'")), Some(EMAIL.to_owned())];
        prop_assert_eq!(list.scrub_row(&mut row), Scrubbed::Channel);
        let rest = row[1].clone().unwrap_or_default();
        prop_assert!(!SUBJECT.is_in(&rest), "{:?} of {:?}", rest, writing);
        prop_assert_eq!((row[0].as_deref(), row[2].as_deref()), (Some("Acacia Works"), None));
    }
}

#[test]
fn others_are_left_alone() {
    let subject = &*SUBJECT;
    for text in [
        "Zoë van O'Fictum",
        "zz.fictum@example.org",
        "z.fictum@example.org.za",
        "+27825550143",
        "8001015009088",
        "order 98001015009087",
        "10825550142777",
    ] {
        assert!(!subject.is_in(text), "{text}");
    }
}
