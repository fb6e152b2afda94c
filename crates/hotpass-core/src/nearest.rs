//! The nearest name that exists, for hints.

/// Returns the candidate nearest to `name`, or nothing when none is near.
///
/// Nearness is Damerau–Levenshtein similarity on lower-cased text with punctuation as one space; the candidate must reach 0.6.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(name);
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&wanted, &fold(candidate)), candidate))
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            folded.push(c);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_and_stays_silent_otherwise() {
        assert_eq!(nearest("ouput_path", ["input_dir", "output_path"]), Some("output_path"));
        assert_eq!(nearest("outputPath", ["input_dir", "output_path"]), Some("output_path"));
        assert_eq!(nearest("zebra", ["input_dir", "output_path"]), None);
    }
}
