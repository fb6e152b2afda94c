//! Rewriting of SQL over one record for the two records of a pair.
//!
//! Works on tokens, so that what is not understood stays as it was written.

/// How columns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Plain,
    /// With a suffix on the name.
    Suffix(&'static str),
    /// With a table before the name.
    Table(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// The name as it stands between the quotes.
    Quoted(&'a str),
    /// A text literal with its quotes.
    Text(&'a str),
    Number(&'a str),
    Symbol(&'a str),
}

const KEYWORDS: [&str; 22] = [
    "and", "as", "between", "case", "distinct", "else", "end", "escape", "false", "from", "ilike", "in", "interval",
    "is", "like", "not", "null", "or", "then", "true", "when", "using",
];

/// Functions that Splink's SQL writer knows under another name.
const FUNCTION_NAMES: [(&str, &str); 10] = [
    ("substr", "SUBSTRING"),
    ("len", "LENGTH"),
    ("char_length", "LENGTH"),
    ("character_length", "LENGTH"),
    ("ifnull", "COALESCE"),
    ("lcase", "LOWER"),
    ("ucase", "UPPER"),
    ("string_split", "STR_SPLIT"),
    ("str_split", "STR_SPLIT"),
    ("string_to_array", "STR_SPLIT"),
];

/// Types that Splink's SQL writer knows under another name.
const TYPE_NAMES: [(&str, &str); 9] = [
    ("varchar", "TEXT"),
    ("string", "TEXT"),
    ("char", "TEXT"),
    ("integer", "INT"),
    ("float", "REAL"),
    ("float4", "REAL"),
    ("float8", "DOUBLE"),
    ("bool", "BOOLEAN"),
    ("datetime", "TIMESTAMP"),
];

/// Tells an SQL expression from a column's name: it has a pair of parentheses or `||`.
pub(super) fn is_expression(raw: &str) -> bool {
    raw.contains("||") || raw.find('(').is_some_and(|open| raw[open..].contains(')'))
}

/// Writes a column or an expression in a form.
pub(super) fn write(raw: &str, form: Form) -> String {
    if is_expression(raw) { write_expression(raw, form) } else { write_column(raw, form) }
}

/// Writes a column's name, quoted, with the index or key of a part behind it.
fn write_column(raw: &str, form: Form) -> String {
    let (name, part) = match raw.rfind('[') {
        Some(open) if open > 0 && is_part(&raw[open..]) => raw.split_at(open),
        _ => (raw, ""),
    };
    format!("{}{part}", column(unquoted(name), true, form))
}

/// Tells whether this is `[1]`, `[-1]` or `['key']`.
fn is_part(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    let digits = inner.strip_prefix('-').unwrap_or(inner);
    let is_index = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_key = inner.len() > 2
        && inner.starts_with('\'')
        && inner.ends_with('\'')
        && !inner[1..inner.len() - 1].contains('\'');
    is_index || is_key
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(inner) if !inner.is_empty() => inner.replace("\"\"", "\""),
        _ => name.to_owned(),
    }
}

fn column(name: impl AsRef<str>, is_quoted: bool, form: Form) -> String {
    let (table, suffix) = match form {
        Form::Plain => (String::new(), ""),
        Form::Suffix(suffix) => (String::new(), suffix),
        Form::Table(table) => (format!("{table}."), ""),
    };
    let name = name.as_ref();
    if is_quoted {
        format!("{table}\"{}{suffix}\"", name.replace('"', "\"\""))
    } else {
        format!("{table}{name}{suffix}")
    }
}

/// What the writer knows of the text before it.
struct Writer {
    text: String,
    /// Where the last whole operand starts, for `operand::type`.
    operand: usize,
    /// For each open parenthesis or bracket where the operand starts that it belongs to, and whether a type is expected after `AS` in it.
    open: Vec<(usize, bool)>,
    form: Form,
}

fn write_expression(raw: &str, form: Form) -> String {
    let tokens = tokens(raw);
    let parameters = lambda_parameters(&tokens);
    let mut writer = Writer { text: String::with_capacity(raw.len() + 16), operand: 0, open: Vec::new(), form };
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1).copied();
        let previous = at.checked_sub(1).map(|before| tokens[before]);
        at += match tokens[at] {
            Token::Symbol("::") => writer.cast(&tokens[at + 1..]),
            Token::Symbol(symbol) => {
                writer.symbol(symbol, previous);
                1
            }
            Token::Text(literal) | Token::Number(literal) => {
                writer.operand(literal, previous);
                1
            }
            Token::Quoted(name) => {
                writer.column(name, true, previous);
                1
            }
            Token::Word(word) if next == Some(Token::Symbol("(")) && !is_keyword(word) => {
                let name = replaced(word, &FUNCTION_NAMES);
                writer.operand(&name, previous);
                1
            }
            Token::Word(word) if is_keyword(word) => {
                writer.keyword(word, previous);
                1
            }
            Token::Word(word) if previous.is_some_and(|token| is_word(token, "as")) && writer.in_cast() => {
                writer.operand(&replaced(word, &TYPE_NAMES), previous);
                1
            }
            Token::Word(word) => {
                if let (Some(Token::Text(literal)), true) = (next, is_literal_type(word)) {
                    writer.operand(&format!("CAST({literal} AS {})", word.to_ascii_uppercase()), previous);
                    2
                } else if next.is_some_and(|token| is_word(token, "from")) && previous == Some(Token::Symbol("(")) {
                    // `EXTRACT(year FROM …)`: the part of a date is no column, unlike the first operand of `SUBSTRING(x FROM …)`.
                    let is_part = at >= 2
                        && matches!(tokens[at - 2], Token::Word(function) if function.eq_ignore_ascii_case("extract"));
                    if is_part {
                        writer.operand(&word.to_ascii_uppercase(), previous);
                    } else {
                        writer.column(word, false, previous);
                    }
                    1
                } else if parameters.contains(&word) {
                    writer.operand(word, previous);
                    1
                } else {
                    writer.column(word, false, previous);
                    1
                }
            }
        };
    }
    writer.text
}

impl Writer {
    /// Writes a space where one belongs between the previous token and a word or literal.
    fn space(&mut self, previous: Option<Token<'_>>) {
        let is_glued = match previous {
            None => true,
            Some(Token::Symbol(symbol)) => {
                matches!(symbol, "(" | "[" | "." | ":") || self.text.ends_with(['(', '[', '.', '-'])
            }
            Some(_) => false,
        };
        if !is_glued && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn operand(&mut self, text: &str, previous: Option<Token<'_>>) {
        self.space(previous);
        if previous != Some(Token::Symbol(".")) {
            self.operand = self.text.len();
        }
        self.text.push_str(text);
    }

    fn column(&mut self, name: &str, is_quoted: bool, previous: Option<Token<'_>>) {
        // What follows a dot is a field of a structure.
        let form = if previous == Some(Token::Symbol(".")) { Form::Plain } else { self.form };
        let name = if is_quoted { name.replace("\"\"", "\"") } else { name.to_owned() };
        self.operand(&column(name, is_quoted, form), previous);
    }

    fn keyword(&mut self, word: &str, previous: Option<Token<'_>>) {
        self.space(previous);
        self.operand = self.text.len();
        self.text.push_str(&word.to_ascii_uppercase());
    }

    fn symbol(&mut self, symbol: &str, previous: Option<Token<'_>>) {
        match symbol {
            "(" | "[" => {
                let is_call = matches!(previous, Some(Token::Word(word)) if !is_keyword(word));
                let is_subscript = symbol == "["
                    && matches!(previous, Some(Token::Word(_) | Token::Quoted(_) | Token::Symbol(")" | "]")));
                let is_cast = matches!(previous, Some(Token::Word(word)) if word.eq_ignore_ascii_case("cast") || word.eq_ignore_ascii_case("try_cast"));
                if !is_call && !is_subscript {
                    self.space(previous);
                    self.operand = self.text.len();
                }
                self.open.push((self.operand, is_cast));
                self.text.push_str(symbol);
            }
            ")" | "]" => {
                self.text.push_str(symbol);
                self.operand = self.open.pop().map_or(0, |(start, _)| start);
            }
            "," => self.text.push_str(", "),
            "." | ":" => self.text.push_str(symbol),
            "-" | "+" if is_unary_place(previous) => {
                self.space(previous);
                self.text.push_str(symbol);
            }
            _ => {
                let written = if symbol == "!=" { "<>" } else { symbol };
                if !self.text.ends_with(' ') && !self.text.is_empty() {
                    self.text.push(' ');
                }
                self.text.push_str(written);
                self.text.push(' ');
            }
        }
    }

    /// Writes `operand::type` as a cast; gives the number of tokens read.
    fn cast(&mut self, after: &[Token<'_>]) -> usize {
        let Some(Token::Word(word)) = after.first() else {
            self.text.push_str("::");
            return 1;
        };
        let operand = self.text.split_off(self.operand);
        self.text.extend(["CAST(", &operand, " AS ", &replaced(word, &TYPE_NAMES), ")"]);
        2
    }

    fn in_cast(&self) -> bool {
        self.open.last().is_some_and(|(_, is_cast)| *is_cast)
    }
}

fn is_unary_place(previous: Option<Token<'_>>) -> bool {
    match previous {
        None => true,
        Some(Token::Symbol(symbol)) => !matches!(symbol, ")" | "]"),
        Some(Token::Word(word)) => is_keyword(word),
        Some(_) => false,
    }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn is_literal_type(word: &str) -> bool {
    ["date", "timestamp", "time"].iter().any(|name| name.eq_ignore_ascii_case(word))
}

fn is_word(token: Token<'_>, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(expected))
}

fn replaced(word: &str, names: &[(&str, &str)]) -> String {
    names
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map_or_else(|| word.to_ascii_uppercase(), |(_, name)| (*name).to_owned())
}

/// Gives the names that stand before an arrow, alone or in parentheses.
fn lambda_parameters<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut parameters = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if *token != Token::Symbol("->") {
            continue;
        }
        for before in tokens[..at].iter().rev() {
            match before {
                Token::Word(word) => parameters.push(*word),
                Token::Symbol(")" | ",") if tokens[at - 1] == Token::Symbol(")") => continue,
                _ => break,
            }
            if tokens[at - 1] != Token::Symbol(")") {
                break;
            }
        }
    }
    parameters
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    const PAIRS: [&str; 8] = ["||", "::", "->", "<=", ">=", "<>", "!=", "=="];
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted_length(rest, first),
            _ if first.is_ascii_digit() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len())
            }
            _ if is_word_character(first) => {
                rest.find(|c: char| !is_word_character(c) && c != '$').unwrap_or(rest.len())
            }
            _ if PAIRS.iter().any(|pair| rest.starts_with(pair)) => 2,
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(match first {
            '\'' => Token::Text(token),
            '"' => Token::Quoted(token.trim_matches('"')),
            _ if first.is_ascii_digit() => Token::Number(token),
            _ if is_word_character(first) => Token::Word(token),
            _ => Token::Symbol(token),
        });
        rest = after.trim_start();
    }
    tokens
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Gives the length of a quoted token, in which a doubled quote stands for one.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(close) = text[at..].find(quote) {
        at += close + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(raw: &str, suffixed: &str) {
        assert_eq!(write(raw, Form::Suffix("_l")), suffixed, "{raw}");
    }

    #[test]
    fn what_has_no_parentheses_is_a_column() {
        check("first name", "\"first name_l\"");
        check("a\"b", "\"a\"\"b_l\"");
        check("b::text", "\"b::text_l\"");
        check("a[x]", "\"a[x]_l\"");
        check("", "\"_l\"");
        check("(", "\"(_l\"");
    }

    #[test]
    fn lambda_parameters_are_no_columns() {
        check("list_filter(a, x -> x > b)", "LIST_FILTER(a_l, x -> x > b_l)");
        check("list_reduce(a, (x, y) -> x || y)", "LIST_REDUCE(a_l, (x, y) -> x || y)");
    }

    #[test]
    fn what_splink_turns_round_stays() {
        check("(a is not null)", "(a_l IS NOT NULL)");
        check("mod(a, 2)", "MOD(a_l, 2)");
    }

    #[test]
    fn plain_and_table_forms() {
        assert_eq!(write("substr(a, 1, 2)", Form::Plain), "SUBSTRING(a, 1, 2)");
        assert_eq!(write("left(t.a, 1)", Form::Table("l")), "LEFT(l.t.a, 1)");
        assert_eq!(write("lower(\"A b\")", Form::Table("r")), "LOWER(r.\"A b\")");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(raw in "\\PC{0,20}|[a-c()'\"|:\\[\\].,> -]{0,24}") {
            for form in [Form::Plain, Form::Suffix("_l"), Form::Table("r")] {
                let _ = write(&raw, form);
            }
        }
    }
}
