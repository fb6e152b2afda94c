//! Regular expressions and `LIKE`.

use regex::{Regex, RegexBuilder};

use super::{Arguments, Called, Datum, EvaluationError};

/// Functions of patterns.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    Some(match (arguments.function, arguments.values.len()) {
        ("regexp_extract", 2..=4) => extract(arguments),
        ("regexp_matches", 2 | 3) => matches(arguments, false),
        ("regexp_full_match", 2 | 3) => matches(arguments, true),
        ("regexp_replace", 3 | 4) => replace(arguments),
        ("like" | "ilike", 2 | 3) => like(arguments),
        _ => return None,
    })
}

/// The pattern of the second argument, with the options that a later one gives; `None` if it is null.
fn compiled(
    arguments: &Arguments<'_>,
    options_at: usize,
    whole: bool,
) -> Result<Option<(Regex, bool)>, EvaluationError> {
    let Some(pattern) = arguments.constant_text(1, "pattern")? else { return Ok(None) };
    let options = if arguments.values.len() > options_at {
        arguments.constant_text(options_at, "options")?.unwrap_or_default()
    } else {
        String::new()
    };
    let pattern = if options.contains('l') { regex::escape(&pattern) } else { pattern };
    let pattern = if whole { format!("^(?:{pattern})$") } else { pattern };
    let mut builder = RegexBuilder::new(&pattern);
    builder.case_insensitive(options.contains('i')).dot_matches_new_line(options.contains('s'));
    let regex = builder.build().map_err(|error| EvaluationError::Argument {
        function: arguments.function.to_owned(),
        argument: "pattern",
        message: error.to_string().lines().last().unwrap_or_default().to_owned(),
    })?;
    Ok(Some((regex, options.contains('g'))))
}

fn extract(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let group = if arguments.values.len() > 2 { arguments.constant_integer(2, "group")?.unwrap_or(0) } else { 0 };
    let Some((regex, _)) = compiled(arguments, 3, false)? else { return Ok(arguments.texts(|_| None)) };
    let Some(group) = usize::try_from(group).ok().filter(|group| *group < regex.captures_len()) else {
        return Err(EvaluationError::Argument {
            function: arguments.function.to_owned(),
            argument: "group",
            message: format!("the pattern has {} groups", regex.captures_len() - 1),
        });
    };
    Ok(arguments.texts(|row| {
        let text = texts.get(row)?;
        let found = if group == 0 {
            regex.find(text).map(|found| found.as_str())
        } else {
            regex.captures(text).and_then(|captures| captures.get(group)).map(|found| found.as_str())
        };
        Some(found.unwrap_or_default().to_owned())
    }))
}

fn matches(arguments: &Arguments<'_>, whole: bool) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let Some((regex, _)) = compiled(arguments, 2, whole)? else { return Ok(arguments.flags(|_| None)) };
    Ok(arguments.flags(|row| texts.get(row).map(|text| regex.is_match(text))))
}

fn replace(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let replacement = arguments.constant_text(2, "replacement")?;
    let (Some((regex, everywhere)), Some(replacement)) = (compiled(arguments, 3, false)?, replacement) else {
        return Ok(arguments.texts(|_| None));
    };
    let replacement = template(&replacement);
    let limit = usize::from(!everywhere);
    Ok(arguments.texts(|row| texts.get(row).map(|text| regex.replacen(text, limit, replacement.as_str()).into_owned())))
}

/// A replacement with `\1` as the regular expression engine writes it, `${1}`.
fn template(replacement: &str) -> String {
    let mut template = String::with_capacity(replacement.len());
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        match character {
            '$' => template.push_str("$$"),
            '\\' => match characters.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    template.push_str("${");
                    template.push(digit);
                    template.push('}');
                }
                Some(other) => template.push(other),
                None => template.push('\\'),
            },
            _ => template.push(character),
        }
    }
    template
}

fn like(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let Some(pattern) = arguments.constant_text(1, "pattern")? else { return Ok(arguments.flags(|_| None)) };
    let escape = if arguments.values.len() > 2 {
        arguments.constant_text(2, "escape character")?.and_then(|text| text.chars().next())
    } else {
        None
    };
    let mut translated = String::from("^");
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            _ if Some(character) == escape => {
                translated.push_str(&regex::escape(&characters.next().map(String::from).unwrap_or_default()));
            }
            '%' => translated.push_str(".*"),
            '_' => translated.push('.'),
            _ => translated.push_str(&regex::escape(&character.to_string())),
        }
    }
    translated.push('$');
    let mut builder = RegexBuilder::new(&translated);
    builder.dot_matches_new_line(true).case_insensitive(arguments.function == "ilike");
    let regex = builder.build().map_err(|error| EvaluationError::Argument {
        function: arguments.function.to_owned(),
        argument: "pattern",
        message: error.to_string(),
    })?;
    Ok(arguments.flags(|row| texts.get(row).map(|text| regex.is_match(text))))
}
