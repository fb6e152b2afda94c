//! What never leaves: attributes that are on no list, and texts that look like a person's.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// Stands where a text was taken out.
pub(crate) const REDACTED: &str = "[redacted]";

/// What never leaves, however it got into a span or a log record. It is applied last, to what is about to be exported.
///
/// The default lets every name pass and takes out the texts of attributes whose name holds a sensitive word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    allowed: Option<Vec<&'static str>>,
    sensitive: Vec<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        let words = ["email", "phone", "contact", "cell", "mobile", "whatsapp"];
        Self { allowed: None, sensitive: words.map(str::to_owned).to_vec() }
    }
}

impl Redaction {
    /// Lets only these names pass; one that ends with a dot stands for all that begin with it.
    #[must_use]
    pub fn allow_only(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.allowed = Some(names.into_iter().collect());
        self
    }

    /// Takes out the texts of attributes whose name holds one of these words, beside the words known before.
    #[must_use]
    pub fn also_sensitive(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.sensitive.extend(words.into_iter().map(|word| word.to_lowercase()));
        self
    }

    /// Returns whether an attribute of this name may leave.
    pub fn allows(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| {
            allowed.iter().any(|entry| *entry == name || entry.ends_with('.') && name.starts_with(entry))
        })
    }

    /// Returns the number of attributes that were taken out.
    pub(crate) fn attributes(&self, attributes: &mut Vec<KeyValue>) -> u32 {
        let before = attributes.len();
        attributes.retain(|attribute| self.allows(&attribute.key));
        for attribute in &mut *attributes {
            let sensitive = || {
                let key = attribute.key.to_lowercase();
                self.sensitive.iter().any(|word| key.contains(word.as_str()))
            };
            if let Some(AnyValue { value: Some(Value::StringValue(text)) }) = &mut attribute.value
                && (looks_personal(text) || sensitive())
            {
                REDACTED.clone_into(text);
            }
        }
        (before - attributes.len()) as u32
    }

    pub(crate) fn traces(&self, request: &mut ExportTraceServiceRequest) {
        let spans = request
            .resource_spans
            .iter_mut()
            .flat_map(|resource| &mut resource.scope_spans)
            .flat_map(|scope| &mut scope.spans);
        for span in spans {
            span.dropped_attributes_count += self.attributes(&mut span.attributes);
            for event in &mut span.events {
                event.dropped_attributes_count += self.attributes(&mut event.attributes);
            }
            for link in &mut span.links {
                link.dropped_attributes_count += self.attributes(&mut link.attributes);
            }
            if let Some(status) = &mut span.status
                && looks_personal(&status.message)
            {
                REDACTED.clone_into(&mut status.message);
            }
        }
    }

    pub(crate) fn logs(&self, request: &mut ExportLogsServiceRequest) {
        let records = request
            .resource_logs
            .iter_mut()
            .flat_map(|resource| &mut resource.scope_logs)
            .flat_map(|scope| &mut scope.log_records);
        for record in records {
            record.dropped_attributes_count += self.attributes(&mut record.attributes);
            if let Some(AnyValue { value: Some(Value::StringValue(text)) }) = &mut record.body
                && looks_personal(text)
            {
                REDACTED.clone_into(text);
            }
        }
    }
}

/// Returns whether a text holds something in the form of an e-mail address, or digits as many as those of a telephone number, 9 to
/// 15 (ITU-T E.164), that stand alone between spaces, with or without `+` in front.
pub(crate) fn looks_personal(text: &str) -> bool {
    let email = text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let domain = text[at + 1..].split(|c: char| !c.is_alphanumeric() && c != '.' && c != '-').next();
        before && domain.is_some_and(|domain| domain.trim_matches('.').contains('.'))
    });
    email
        || text.split_whitespace().any(|word| {
            let digits = word.strip_prefix('+').unwrap_or(word);
            (9..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }

    fn text(value: &str) -> Value {
        Value::StringValue(value.to_owned())
    }

    #[test]
    fn only_listed_names_pass() {
        let redaction = Redaction::default().allow_only(["rows", "http."]);
        let mut attributes = vec![
            attribute("rows", Value::IntValue(3)),
            attribute("http.response.status_code", Value::IntValue(200)),
            attribute("name", text("Thandi")),
            attribute("httpx", text("x")),
        ];
        assert_eq!(redaction.attributes(&mut attributes), 2);
        let names: Vec<&str> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(names, ["rows", "http.response.status_code"]);
    }

    #[test]
    fn counts_of_sensitive_things_stay_and_their_texts_go() {
        let redaction = Redaction::default().also_sensitive(["Passport".to_owned()]);
        let mut attributes = vec![
            attribute("contact_email", text("somebody")),
            attribute("passport", text("A123")),
            attribute("contacts", Value::IntValue(7)),
            attribute("column", text("contact_primary_email")),
        ];
        assert_eq!(redaction.attributes(&mut attributes), 0);
        let values: Vec<Value> =
            attributes.into_iter().filter_map(|attribute| attribute.value.and_then(|value| value.value)).collect();
        assert_eq!(values, [text(REDACTED), text(REDACTED), Value::IntValue(7), text("contact_primary_email")]);
    }

    #[test]
    fn texts_in_the_form_of_an_address_or_number_go() {
        for personal in
            ["ring thandi@example.co.za now", "a@b.co", "+27821234567", "at +27821234567 today", "Xolani 0825550142"]
        {
            assert!(looks_personal(personal), "{personal}");
        }
        for harmless in ["refine.read", "@home", "user@host", "0.1.0", "20260101T000000", "sha256:12345678901"] {
            assert!(!looks_personal(harmless), "{harmless}");
        }
    }
}
