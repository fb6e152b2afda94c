//! Folding layers one by one equals a plain deep merge of their documents that is read at the end.

use hotpass_config::{Format, HotpassConfig, Overlay};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn word() -> impl Strategy<Value = Value> {
    "[a-c]{1,3}".prop_map(Value::from)
}

fn map_of(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-c]", values, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
}

/// Some of the keys, some of the time.
fn section(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    fields
        .into_iter()
        .fold(Just(Map::new()).boxed(), |maps, (name, values)| {
            (maps, proptest::option::of(values))
                .prop_map(move |(mut map, value)| {
                    map.extend(value.map(|value| (name.to_owned(), value)));
                    map
                })
                .boxed()
        })
        .prop_map(Value::Object)
        .boxed()
}

fn layer() -> BoxedStrategy<Value> {
    let words = || proptest::collection::vec(word(), 0..4).prop_map(Value::from).boxed();
    let optional = || proptest::option::of(word()).prop_map(|value| value.unwrap_or(Value::Null)).boxed();
    let agent = (word(), map_of(word()))
        .prop_map(|(name, metadata)| json!({"name": name, "targets": [{"identifier": "x", "metadata": metadata}]}));
    section(vec![
        ("profile", section(vec![("name", word().boxed()), ("column_synonyms", map_of(words()).boxed())])),
        (
            "pipeline",
            section(vec![
                ("archive", any::<bool>().prop_map(Value::from).boxed()),
                ("country_code", optional()),
                ("threads", (0_u32..9).prop_map(Value::from).boxed()),
                (
                    "acquisition",
                    section(vec![("agents", proptest::collection::vec(agent, 0..3).prop_map(Value::from).boxed())]),
                ),
            ]),
        ),
        ("ingest", section(vec![("null_values", words()), ("mapping_files", words())])),
        ("survivorship", section(vec![("fields", map_of(Just(json!("recency"))).boxed())])),
    ])
}

/// The reference: maps by key, everything else replaced, `ingest.null_values` put after.
fn deep_merge(base: &mut Value, layer: &Value, path: &str) {
    match (base, layer) {
        (Value::Object(base), Value::Object(layer)) => {
            for (key, value) in layer {
                deep_merge(base.entry(key).or_insert(Value::Null), value, &format!("{path}.{key}"));
            }
        }
        (Value::Array(base), Value::Array(layer)) if path == ".ingest.null_values" => {
            base.extend(layer.iter().cloned());
        }
        (base, layer) => *base = layer.clone(),
    }
}

fn overlay(layer: &Value) -> Overlay {
    Overlay::parse(&layer.to_string(), Format::Json, "layer.json").expect("the layer is valid")
}

proptest! {
    #[test]
    fn folding_equals_the_reference(layers in proptest::collection::vec(layer(), 0..6)) {
        let mut folded = HotpassConfig::default();
        let mut reference = serde_json::to_value(&folded).unwrap();
        for layer in &layers {
            folded.merge(&overlay(layer));
            deep_merge(&mut reference, layer, "");
        }
        prop_assert_eq!(&folded, &serde_json::from_value::<HotpassConfig>(reference).unwrap());
    }

    #[test]
    fn merging_merged_layers_is_merging_them_one_by_one(first in layer(), second in layer()) {
        let mut one_by_one = HotpassConfig::default();
        one_by_one.merge(&overlay(&first));
        one_by_one.merge(&overlay(&second));
        let mut both = first;
        deep_merge(&mut both, &second, "");
        let mut at_once = HotpassConfig::default();
        at_once.merge(&overlay(&both));
        prop_assert_eq!(one_by_one, at_once);
    }
}
