//! Reads any text as a linkage model, Splink's too; one that is read can be written, read back and checked.

#![no_main]

use arrow::datatypes::{DataType, Field, Schema};
use hotpass_resolve::model::{LinkageModel, SourceSchema, describe, problems, read_model};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = LinkageModel::from_splink_json(text);
    let Ok((model, _)) = read_model(text) else { return };
    let schema = Schema::new(
        ["unique_id", "first_name", "surname", "dob", "city"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec(),
    );
    let _ = problems(&model, &[SourceSchema { name: "people", schema: &schema }]);
    let _ = describe(&model);
    let _ = model.to_splink_json();
    if let Ok(written) = model.to_json() {
        LinkageModel::from_json(&written).expect("what was written is read back");
    }
});
