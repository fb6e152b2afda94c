//! Applies every rule of a field to any lines, for two countries: what a rule gives, it gives back unchanged.

#![no_main]

use arrow::array::{Array, StringArray};
use hotpass_normalise::{DateOrder, Kind, RuleOptions, normalise_column, rule_for};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let values = StringArray::from_iter(text.lines().map(Some).chain([None]));
    for (country, date_order) in [("ZA", DateOrder::DayFirst), ("US", DateOrder::MonthFirst)] {
        let options = RuleOptions { country: country.to_owned(), date_order, ..RuleOptions::default() };
        for kind in Kind::ALL {
            let found = normalise_column(&values, &*rule_for(kind, &options));
            assert_eq!(found.values.len(), values.len(), "{kind} keeps the rows");
        }
    }
});
