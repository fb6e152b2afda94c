//! Unsigned numbers of spans, which the way from `tracing` to OpenTelemetry makes texts of.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::queue::lock;

/// Names of the fields that were recorded as unsigned numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnsignedFields(Arc<Mutex<BTreeSet<&'static str>>>);

impl UnsignedFields {
    /// Makes numbers again of the texts under such names.
    pub(crate) fn restore(&self, attributes: &mut [KeyValue]) {
        let names = lock(&self.0);
        for attribute in attributes {
            if let Some(AnyValue { value: Some(value @ Value::StringValue(_)) }) = &mut attribute.value
                && names.contains(attribute.key.as_str())
                && let Value::StringValue(text) = value
                && let Ok(number) = text.parse()
            {
                *value = Value::IntValue(number);
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for UnsignedFields {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut Names(self));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Names(self));
    }
}

struct Names<'a>(&'a UnsignedFields);

impl Visit for Names<'_> {
    fn record_u64(&mut self, field: &Field, _: u64) {
        lock(&self.0.0).insert(field.name());
    }

    fn record_bool(&mut self, _: &Field, _: bool) {}

    fn record_i64(&mut self, _: &Field, _: i64) {}

    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
