//! What holds for the rule of every kind, whatever the value.

use hotpass_normalise::{DateOrder, Kind, Outcome, RuleCounts, RuleOptions, rule_for};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Countries with rules of their own, one without, and one that does not exist.
const COUNTRIES: [&str; 8] = ["ZA", "ZA", "GB", "US", "DE", "NA", "TD", "QQ"];

/// Text of any characters, text that looks like one field or another, and long text.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        4 => "\\PC{0,40}",
        2 => "[ -~]{0,40}",
        2 => "[\u{0}-\u{20}\u{a0}\u{200b}a-cA-C0-9.@/,'\u{2019}\u{300}\u{df}\u{130}\u{fb01}\u{ff21}]{0,16}",
        3 => "[A-Za-z .,()&/'-]{0,30}( \\(?Pty\\)? Ltd| CC| GmbH & Co\\. KG| t/a [A-Z]{1,9}| \\([A-Za-z ]{1,9}\\))?",
        2 => "((Dr|Mrs|Adv)\\.? )?[A-Za-z'-]{1,9},? ([A-Z]\\.? ?){0,2}(van der )?[A-Za-z]{0,9}( Jnr| \\([A-Z]{2,5}\\))?",
        2 => "[a-zA-Z.<>@ ()\"+-]{0,20}@[a-zA-Z0-9.\u{fc} -]{0,20}",
        2 => "(tel:? ?|\\+|00|0|27|\\+27)?[0-9 ().-]{5,16}( ?(x|ext|/|or|;) ?[0-9]{1,10})?",
        2 => "(https?:/{0,3}|www\\.|WWW\\.)?[a-z0-9.\u{e9}-]{1,20}\\.(co\\.za|com|de|[a-z]{2,4})(:[0-9]{1,5})?(/[a-zA-Z0-9./?=&#%_-]{0,20})?",
        2 => "((Unit|Flat|Shop) [0-9A-C]{1,2},? )?[0-9]{0,4} ?[A-Za-z., ]{0,20}( St| Rd\\.| Ave)?(, [A-Z][a-z]{2,8})?( [0-9]{4})?",
        2 => "[0-9]{1,4}[-/. ][0-9A-Za-z]{1,9}[-/. ][0-9]{1,4}( [0-9:]{1,8})?",
        2 => "(CK|Reg\\.? No:? |VAT |[A-Z]{2})?[0-9]{2,10}[/ -]?[0-9]{0,6}[/ -]?[0-9A-Z]{0,3}",
        1 => "(kwa ?zulu|gauteng|north|west(ern)?|eastern|free|limpopo|nam|south)[ -]?(natal|west|cape|state|africa|ibia)?( province)?",
        1 => "[a-zA-Z \u{e4}.,/-]{1,12}".prop_map(|unit| unit.repeat(900)),
        1 => "[0-9@+(/.]{1,8}".prop_map(|unit| unit.repeat(1_300)),
    ]
}

/// Asserts that no rule panics, that a changed value differs, and that a normalised value stays.
fn check(value: &str, country: &str) -> Result<(), TestCaseError> {
    for date_order in [DateOrder::DayFirst, DateOrder::MonthFirst, DateOrder::YearFirst] {
        let options = RuleOptions { country: country.to_owned(), date_order, ..RuleOptions::default() };
        for kind in Kind::ALL.into_iter().filter(|kind| *kind == Kind::Date || date_order == DateOrder::DayFirst) {
            let rule = rule_for(kind, &options);
            let (mut once, mut counts) = (String::new(), RuleCounts::default());
            let outcome = rule.apply(0, value, &mut once, &mut counts);
            let is_counted = counts.iter().next().is_some();
            match outcome {
                Outcome::Same | Outcome::Failed(_) => {}
                Outcome::Empty => prop_assert!(is_counted, "{} {:?} is left out unseen", kind, value),
                Outcome::Changed => {
                    prop_assert!(once != value, "{} {:?} is said to change", kind, value);
                    prop_assert!(is_counted, "{} {:?} changes unseen to {:?}", kind, value, once);
                    let (mut twice, mut counts) = (String::new(), RuleCounts::default());
                    let outcome = rule.apply(0, &once, &mut twice, &mut counts);
                    prop_assert_eq!(outcome, Outcome::Same, "{} {:?}: {:?}, then {:?}", kind, value, once, twice);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_bears_every_value_and_settles(value in values(), country in proptest::sample::select(&COUNTRIES[..])) {
        check(&value, country)?;
    }
}

#[test]
fn regressions_settle() -> Result<(), TestCaseError> {
    for value in ["", "\u{0}", "ß", "İ", "\u{fdfa}", "a\u{300}", "((((((", "+", "www.", "https://", "-@-", "00000000"]
    {
        for country in COUNTRIES {
            check(value, country)?;
        }
    }
    Ok(())
}
