//! Reads any text as an OpenLineage event; one that is read is written as it was understood.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(event) = hotpass_lineage::Event::from_json(text) else { return };
    let written = event.to_json().expect("an event that was read can be written");
    let again = hotpass_lineage::Event::from_json(&written).expect("what was written is read back");
    assert_eq!(again.to_json().expect("written again"), written);
});
