//! Reads any text as a suite of Great Expectations and holds a small table against it.

#![no_main]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use hotpass_quality::{Suite, SuiteOptions};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(suite) = Suite::from_gx_json(text) else { return };
    let again = Suite::from_gx_json(&suite.to_gx_json().to_string()).expect("what was written is read back");
    assert_eq!(again.to_gx_json(), suite.to_gx_json());
    let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a@b.example"), None, Some("2024-01-31"), Some("")]));
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(-2.5), None, Some(f64::NAN)]));
    let batch = RecordBatch::try_from_iter([("a", words.clone()), ("b", numbers), ("c", words)]).expect("a batch");
    if let Ok(mut run) = suite.compile(&batch.schema(), &SuiteOptions::default())
        && run.add(&batch).is_ok()
    {
        let _ = run.finish().to_gx_json();
    }
});
