//! JSON text to values: numbers exact to the bit, a repeated key an error, every error with its place.
//!
//! `serde_json` alone reads a number of 17 digits up to one unit in the last place off (its exact reading is a feature of the
//! whole build) and keeps the last of two equal keys without a word. A model's probabilities must survive being written and
//! read, and a key that stands twice is a mistake of whoever edited the file.

use serde_json::{Map, Number, Value};

/// Objects and lists inside each other, at most.
const DEEPEST: usize = 64;

/// What is wrong with the text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) message: String,
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

/// Reads one JSON value that fills the whole text.
pub(super) fn parse(text: &str) -> Result<Value, SyntaxError> {
    let mut parser = Parser { text, position: 0 };
    let value = parser.value(0).and_then(|value| match parser.peek() {
        None => Ok(value),
        Some(_) => Err("Text after the end of the model".to_owned()),
    });
    value.map_err(|message| parser.place(message))
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl Parser<'_> {
    fn place(&self, message: String) -> SyntaxError {
        let before = self.text.get(..self.position).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        SyntaxError {
            message,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Skips white space and returns the next byte without taking it.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.position), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
        bytes.get(self.position).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("More than {DEEPEST} objects and lists inside each other"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
            None => Err("The text ends too early".to_owned()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.position += 1;
        let mut object = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(object));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err("Expected a key in double quotes".to_owned());
            }
            let start = self.position;
            let key = self.string()?;
            if object.contains_key(&key) {
                self.position = start;
                return Err(format!("The key `{key}` stands twice in one object"));
            }
            if !self.take(b':') {
                return Err("Expected `:` after a key".to_owned());
            }
            let value = self.value(depth + 1)?;
            object.insert(key, value);
            if self.take(b'}') {
                return Ok(Value::Object(object));
            }
            if !self.take(b',') {
                return Err("Expected `,` or `}`".to_owned());
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        self.position += 1;
        let mut list = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Value::Array(list));
            }
            if !self.take(b',') {
                return Err("Expected `,` or `]`".to_owned());
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let bytes = self.text.as_bytes();
        let start = self.position;
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                None => return Err("A text without its closing quote".to_owned()),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        let Some(token) = self.text.get(start..=end) else {
            return Err("A text without its closing quote".to_owned());
        };
        let text = serde_json::from_str(token).map_err(|_| "An escape or a control character in a text".to_owned())?;
        self.position = end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, String> {
        let rest = &self.text[self.position..];
        let length = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let token = &rest[..length];
        // The grammar is that of `serde_json`; only the value of a fraction is read again, by the exact reading of std.
        let number: Number = serde_json::from_str(token).map_err(|_| format!("Not a number: {token}"))?;
        let exact = if number.is_f64() {
            token.parse().ok().and_then(Number::from_f64).ok_or_else(|| format!("A number out of range: {token}"))?
        } else {
            number
        };
        self.position += length;
        Ok(Value::Number(exact))
    }

    fn word(&mut self) -> Result<Value, String> {
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.text[self.position..].starts_with(word) {
                self.position += word.len();
                return Ok(value);
            }
        }
        Err("Expected a value".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_error(text: &str, expected: &str) {
        let error = parse(text).unwrap_err();
        assert_eq!(format!("{} {}:{}", error.message, error.line, error.column), expected, "{text}");
    }

    #[test]
    fn errors_name_their_place() {
        check_error("{\n  \"a\": 1,\n  \"a\": 2}", "The key `a` stands twice in one object 3:3");
        check_error("[1, 2", "Expected `,` or `]` 1:6");
        check_error("{\"a\": NaN}", "Expected a value 1:7");
        check_error("[1] x", "Text after the end of the model 1:5");
        check_error("[1.]", "Not a number: 1. 1:2");
        check_error("[1e999]", "Not a number: 1e999 1:2");
        check_error("\"abc", "A text without its closing quote 1:1");
        check_error("\"abc\\", "A text without its closing quote 1:1");
        check_error("{é: 1}", "Expected a key in double quotes 1:2");
        check_error("", "The text ends too early 1:1");
        check_error(&"[".repeat(100), "More than 64 objects and lists inside each other 1:66");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_back_what_serde_json_writes(value in json()) {
            prop_assert_eq!(parse(&serde_json::to_string(&value).unwrap()), Ok(value.clone()));
            prop_assert_eq!(parse(&serde_json::to_string_pretty(&value).unwrap()), Ok(value));
        }

        #[test]
        fn never_panics_and_accepts_only_json(text in "[\\[\\]{}\",:0-9eE.+a-u\\\\ é-]{0,24}") {
            if parse(&text).is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
            }
        }
    }
}
