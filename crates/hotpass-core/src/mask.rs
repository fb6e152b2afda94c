//! The shape of a value in place of the value, for samples and reports.

/// Returns the shape of a value: `X` for capitals, `x` for other letters, `9` for digits, punctuation kept.
///
/// Shapes longer than 24 characters are cut and end in `…`. The shape of `Jo 082-1` is `Xx 999-9`.
pub fn mask(value: &str) -> String {
    const LIMIT: usize = 24;
    let mut shape = String::with_capacity(value.len().min(LIMIT + 3));
    for (position, c) in value.chars().enumerate() {
        if position == LIMIT {
            shape.push('…');
            break;
        }
        shape.push(match c {
            c if c.is_numeric() => '9',
            c if c.is_uppercase() => 'X',
            c if c.is_alphabetic() => 'x',
            c if c.is_control() => ' ',
            c => c,
        });
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hide_letters_and_digits() {
        assert_eq!(mask("Jo 082-1"), "Xx 999-9");
        assert_eq!(mask("éà@x.co"), "xx@x.xx");
        assert_eq!(mask(&"a".repeat(30)), format!("{}…", "x".repeat(24)));
        assert_eq!(mask("a\tb\nc"), "x x x", "a line break would break the table that shows it");
    }
}
