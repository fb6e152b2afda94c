//! YAML, TOML and JSON into positioned nodes.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::node::{Entry, Node, Value};

/// Depth of nesting that is read; the configuration itself is less than ten deep.
const DEPTH_LIMIT: usize = 64;

/// What the aliases of a YAML document may stand for: one a value, and one more every 32 bytes of text.
const ALIAS_LIMIT: usize = 100_000;

/// Size of a document that is read, in bytes.
pub(crate) const SIZE_LIMIT: usize = 256 << 20;

/// Form of a configuration document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2, one document.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// Returns the form that the ending of a file's name stands for.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A document that cannot be read, and where.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

type Result<T> = std::result::Result<T, Vec<SyntaxError>>;

fn failure<T>(offset: usize, message: impl Into<String>) -> Result<T> {
    Err(vec![SyntaxError { offset, message: message.into() }])
}

/// Reads a document; an empty one is an empty map.
pub(crate) fn parse(text: &str, format: Format) -> Result<Node> {
    if text.len() > SIZE_LIMIT {
        return failure(0, format!("Document is larger than {} MiB", SIZE_LIMIT >> 20));
    }
    match format {
        Format::Yaml => parse_yaml(text),
        Format::Toml => parse_toml(text),
        Format::Json => parse_json(text),
    }
}

// TOML

fn parse_toml(text: &str) -> Result<Node> {
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .into_iter()
            .map(|error| SyntaxError {
                offset: error.span().map_or(0, |span| span.start),
                message: sentence(error.message()),
            })
            .collect());
    }
    let mut errors = Vec::new();
    let node = toml_table(table.get_ref(), table.span().start, text, &mut errors);
    if errors.is_empty() { Ok(node) } else { Err(errors) }
}

fn toml_table(table: &toml::de::DeTable<'_>, offset: usize, text: &str, errors: &mut Vec<SyntaxError>) -> Node {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref().into(),
            key_offset: key.span().start as u32,
            node: toml_value(value, text, errors),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_offset);
    Node { offset: offset as u32, value: Value::Map(entries) }
}

fn toml_value(value: &toml::Spanned<toml::de::DeValue<'_>>, text: &str, errors: &mut Vec<SyntaxError>) -> Node {
    use toml::de::DeValue;

    let offset = value.span().start;
    let converted = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.as_ref().into()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Integer(integer) => {
            if let Ok(value) = i64::from_str_radix(integer.as_str(), integer.radix()) {
                Value::Integer(value)
            } else {
                errors.push(SyntaxError { offset, message: "Whole number does not fit in 64 bits".into() });
                Value::Null
            }
        }
        DeValue::Float(float) => {
            if let Ok(value) = float.as_str().parse() {
                Value::Number(value)
            } else {
                errors.push(SyntaxError { offset, message: "Number cannot be read".into() });
                Value::Null
            }
        }
        // Dates have no field of their own here: where text is expected, a date is that text.
        DeValue::Datetime(date) => Value::Text(date.to_string().into()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| toml_value(item, text, errors)).collect()),
        DeValue::Table(table) => return toml_table(table, offset, text, errors),
    };
    Node { offset: offset as u32, value: converted }
}

// JSON

fn parse_json(text: &str) -> Result<Node> {
    // A complete check first; the walk below then meets well-formed text only.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        return failure(offset_of(text, error.line(), error.column()), sentence(message));
    }
    let mut walk = JsonWalk { text, at: 0 };
    walk.value(0)
}

/// Returns the offset of a line and column, both from 1, the column in bytes.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

struct JsonWalk<'a> {
    text: &'a str,
    at: usize,
}

impl JsonWalk<'_> {
    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Node> {
        self.skip_space();
        let offset = self.at;
        if depth > DEPTH_LIMIT {
            return failure(offset, format!("Nesting is deeper than {DEPTH_LIMIT}"));
        }
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?.into()),
            _ => self.scalar()?,
        };
        Ok(Node { offset: offset as u32, value })
    }

    fn map(&mut self, depth: usize) -> Result<Value> {
        let mut entries = Vec::new();
        let mut keys = HashSet::new();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'"') => {}
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    self.at += 1;
                    return Ok(Value::Map(entries));
                }
            }
            let key_offset = self.at;
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return failure(key_offset, format!("Key is given twice: `{key}`"));
            }
            self.skip_space();
            self.at += 1; // the colon
            let node = self.value(depth + 1)?;
            entries.push(Entry { key: key.into(), key_offset: key_offset as u32, node });
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') | None => {
                    self.at += 1;
                    return Ok(Value::List(items));
                }
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let raw = &self.text[start..self.at];
        if raw.contains('\\') {
            serde_json::from_str(raw).or_else(|error| failure(start, sentence(&error.to_string())))
        } else {
            Ok(raw[1..raw.len() - 1].to_owned())
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        let start = self.at;
        while self.peek().is_some_and(|byte| !matches!(byte, b',' | b']' | b'}') && !byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        let raw = &self.text[start..self.at];
        match raw {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => number(raw).map_or_else(|| failure(start, "Number cannot be read"), Ok),
        }
    }
}

fn number(raw: &str) -> Option<Value> {
    if raw.contains(['.', 'e', 'E']) {
        raw.parse().ok().map(Value::Number)
    } else {
        raw.parse().ok().map(Value::Integer).or_else(|| raw.parse().ok().map(Value::Number))
    }
}

// YAML

fn parse_yaml(text: &str) -> Result<Node> {
    let mut reader =
        YamlReader { parser: Parser::new_from_str(text), text, anchors: HashMap::new(), alias_budget: ALIAS_LIMIT };
    reader.document()
}

struct YamlReader<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    text: &'a str,
    anchors: HashMap<usize, (Node, usize)>,
    alias_budget: usize,
}

impl<'a> YamlReader<'a> {
    /// Returns the next event that is not a comment.
    fn next(&mut self) -> Result<(Event<'a>, usize)> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, start_of(self.text, span))),
                Some(Err(error)) => {
                    let marker = error.marker();
                    let offset = marker.byte_offset().unwrap_or_else(|| byte_offset(self.text, marker.index()));
                    return failure(offset, sentence(&error.info()));
                }
                None => return Ok((Event::StreamEnd, self.text.len())),
            }
        }
    }

    fn document(&mut self) -> Result<Node> {
        let mut root = None;
        loop {
            let (event, offset) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                _ if root.is_some() => return failure(offset, "File holds more than one document"),
                event => root = Some(self.node(event, offset, 0)?.0),
            }
        }
        match root {
            None | Some(Node { value: Value::Null, .. }) => Ok(Node::bare(Value::Map(Vec::new()))),
            Some(root) => Ok(root),
        }
    }

    /// Returns the node that an event begins, and how many nodes it holds.
    fn node(&mut self, event: Event<'a>, offset: usize, depth: usize) -> Result<(Node, usize)> {
        if depth > DEPTH_LIMIT {
            return failure(offset, format!("Nesting is deeper than {DEPTH_LIMIT}"));
        }
        let (anchor, value, size) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = if style == ScalarStyle::Plain && tag.is_none() {
                    plain_scalar(&text)
                } else {
                    Value::Text(text.as_ref().into())
                };
                (anchor, value, 1 + text.len() / 32)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                let mut size = 1;
                loop {
                    let (event, offset) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    let (item, item_size) = self.node(event, offset, depth + 1)?;
                    size += item_size;
                    items.push(item);
                }
                (anchor, Value::List(items), size)
            }
            Event::MappingStart(_, anchor, _) => {
                let (entries, size) = self.mapping(depth)?;
                (anchor, Value::Map(entries), size)
            }
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return failure(offset, "Alias stands inside what it stands for");
                };
                if *size > self.alias_budget {
                    return failure(offset, format!("Aliases stand for more than {ALIAS_LIMIT} values"));
                }
                self.alias_budget -= size;
                return Ok((Node { offset: offset as u32, value: node.value.clone() }, *size));
            }
            _ => return failure(offset, "YAML construct is not supported here"),
        };
        let node = Node { offset: offset as u32, value };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok((node, size))
    }

    fn mapping(&mut self, depth: usize) -> Result<(Vec<Entry>, usize)> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = HashSet::new();
        let mut size = 1;
        loop {
            let (event, key_offset) = self.next()?;
            let key: Box<str> = match event {
                Event::MappingEnd => return Ok((entries, size)),
                Event::Scalar(text, ..) => text.as_ref().into(),
                _ => return failure(key_offset, "Key is not text"),
            };
            if !keys.insert(key.clone()) {
                return failure(key_offset, format!("Key is given twice: `{key}`"));
            }
            let (event, offset) = self.next()?;
            let (node, node_size) = self.node(event, offset, depth + 1)?;
            size += node_size;
            entries.push(Entry { key, key_offset: key_offset as u32, node });
        }
    }
}

fn start_of(text: &str, span: Span) -> usize {
    span.start.byte_offset().unwrap_or_else(|| byte_offset(text, span.start.index()))
}

fn byte_offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(offset, _)| offset)
}

/// Resolves a plain scalar by the core schema of YAML 1.2: `no` and `on` are text.
fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Boolean(true),
        "false" | "False" | "FALSE" => return Value::Boolean(false),
        ".inf" | "+.inf" => return Value::Number(f64::INFINITY),
        "-.inf" => return Value::Number(f64::NEG_INFINITY),
        ".nan" => return Value::Number(f64::NAN),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if numeric && let Some(value) = number(text) {
        return value;
    }
    Value::Text(text.into())
}

/// Returns a message as a sentence without its final full stop.
fn sentence(message: &str) -> String {
    let message = message.trim().trim_end_matches('.').replace('\n', ", ");
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => "Document cannot be read".to_owned(),
    }
}
