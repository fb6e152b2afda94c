//! Documents with positions: the common form that YAML, TOML and JSON are read into.

use std::sync::Arc;

/// A value and where it begins in its document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Offset in bytes from the beginning of the document.
    pub(crate) offset: u32,
    /// What it is.
    pub(crate) value: Value,
}

/// What a document says at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) key_offset: u32,
    pub(crate) node: Node,
}

impl Node {
    /// Returns the node without a position.
    pub(crate) fn bare(value: Value) -> Self {
        Self { offset: 0, value }
    }

    /// Returns a map with one key.
    pub(crate) fn single(key: &str, node: Self) -> Self {
        Self::bare(Value::Map(vec![Entry { key: key.into(), key_offset: 0, node }]))
    }

    /// Returns the entry of a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| &*entry.key == key),
            _ => None,
        }
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Returns the text, when it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns what it is, for messages.
    pub(crate) const fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Boolean(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// A document's text, kept to turn offsets into lines and columns when somebody asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceText {
    text: Arc<str>,
}

impl SourceText {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// Returns line and column of an offset, both from 1; columns count characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}
