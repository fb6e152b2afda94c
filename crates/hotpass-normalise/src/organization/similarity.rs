//! Similarity of names of organisations, cheap enough to guard a grouping key.

use super::key::BRANCH_MARK;

/// Most words of a name that are compared; the rest of a longer name is ignored.
const MOST_WORDS: usize = 24;

/// Words that say little about which organisation is meant, sorted.
const WEAK: &[&str] = &[
    "and",
    "association",
    "co",
    "company",
    "corp",
    "corporation",
    "de",
    "en",
    "enterprises",
    "et",
    "for",
    "group",
    "holding",
    "holdings",
    "in",
    "incorporated",
    "international",
    "limited",
    "ltd",
    "national",
    "of",
    "pty",
    "sa",
    "services",
    "solutions",
    "und",
];

/// Returns how alike two names are by their expanded keys, from 0 (nothing in common) to 1 (the same).
///
/// The measure is a weighted Dice coefficient over words: words pair when they are equal or one typing slip in five
/// letters apart (Levenshtein distance), words such as `group` and `and` weigh a quarter. Names that differ only in how
/// words are joined (`Falcon Baobabcollege`) and an acronym against its long form (`LMARP`, `Leopard Magalies Auto
/// Repairs (Pty)`) are alike too. Two branches of one name are different places, so the result is at most 0.4 when the
/// branches differ and 0.55 when only one name has a branch: below the threshold 0.6 that guards grouping.
pub fn organization_key_similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return if a.is_empty() { 0.0 } else { 1.0 };
    }
    let (core_a, branch_a) = split_branch(a);
    let (core_b, branch_b) = split_branch(b);
    let names = core_similarity(core_a, core_b);
    let most = match (branch_a, branch_b) {
        (None, None) => 1.0,
        (Some(a), Some(b)) if a == b || distance(a.as_bytes(), b.as_bytes(), 2) <= 1 => 1.0,
        (Some(_), Some(_)) => 0.4,
        _ => 0.55,
    };
    names.min(most)
}

fn split_branch(key: &str) -> (&str, Option<&str>) {
    match key.split_once(BRANCH_MARK) {
        Some((core, branch)) => (core, Some(branch)),
        None => (key, None),
    }
}

fn core_similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return if a.is_empty() { 0.0 } else { 1.0 };
    }
    let words = word_similarity(a, b);
    if words >= 0.95 {
        return words;
    }
    words.max(joined_similarity(a, b)).max(acronym_similarity(a, b)).max(acronym_similarity(b, a))
}

fn weight(word: &str) -> f64 {
    if WEAK.binary_search(&word).is_ok() { 0.25 } else { 1.0 }
}

fn word_similarity(a: &str, b: &str) -> f64 {
    let mut taken = [false; MOST_WORDS];
    let mut words_b = [""; MOST_WORDS];
    let mut n_b = 0;
    let mut total = 0.0;
    for word in b.split(' ').take(MOST_WORDS) {
        words_b[n_b] = word;
        n_b += 1;
        total += weight(word);
    }
    let mut shared = 0.0;
    for word in a.split(' ').take(MOST_WORDS) {
        let own = weight(word);
        total += own;
        let mut best = (0.0, usize::MAX);
        for (at, other) in words_b[..n_b].iter().enumerate() {
            if taken[at] {
                continue;
            }
            let likeness = if word == *other { 1.0 } else { typo_likeness(word, other) };
            if likeness > best.0 {
                best = (likeness, at);
                if word == *other {
                    break;
                }
            }
        }
        if best.1 < n_b {
            taken[best.1] = true;
            shared += best.0 * (own + weight(words_b[best.1]));
        }
    }
    if total > 0.0 { shared / total } else { 0.0 }
}

/// Returns the likeness of two different words: 0 unless they are few typing slips apart.
fn typo_likeness(a: &str, b: &str) -> f64 {
    let longest = a.len().max(b.len());
    // One slip in five letters; words of up to three letters must be equal.
    let allowed = (longest + 1) / 5;
    if allowed == 0 || a.len().abs_diff(b.len()) > allowed || a.bytes().any(|byte| byte.is_ascii_digit()) {
        return 0.0;
    }
    let edits = distance(a.as_bytes(), b.as_bytes(), allowed);
    if edits <= allowed { 1.0 - edits as f64 / longest as f64 } else { 0.0 }
}

/// Returns the likeness of two names without their spaces, 0 unless they are nearly equal.
fn joined_similarity(a: &str, b: &str) -> f64 {
    if a.len() > 200 || b.len() > 200 || a.len().abs_diff(b.len()) > 6 {
        return 0.0;
    }
    let mut buffers = [[0_u8; 200]; 2];
    let mut lengths = [0_usize; 2];
    for (side, text) in [a, b].into_iter().enumerate() {
        for byte in text.bytes().filter(|byte| *byte != b' ') {
            buffers[side][lengths[side]] = byte;
            lengths[side] += 1;
        }
    }
    let longest = lengths[0].max(lengths[1]);
    let allowed = longest / 12;
    let edits = distance(&buffers[0][..lengths[0]], &buffers[1][..lengths[1]], allowed);
    if edits <= allowed && longest > 3 { 1.0 - edits as f64 / longest as f64 } else { 0.0 }
}

/// Returns 0.85 when the first name is the acronym of the second (letters of the legal form may follow), else 0.
fn acronym_similarity(short: &str, long: &str) -> f64 {
    if short.contains(' ') || !(3..=10).contains(&short.len()) {
        return 0.0;
    }
    let mut initials_all = [0_u8; MOST_WORDS];
    let mut initials_strong = [0_u8; MOST_WORDS];
    let (mut n_all, mut n_strong) = (0, 0);
    for word in long.split(' ').take(MOST_WORDS) {
        let Some(&first) = word.as_bytes().first() else { continue };
        initials_all[n_all] = first;
        n_all += 1;
        if !matches!(word, "and" | "of" | "for" | "in" | "de" | "en" | "et" | "und") {
            initials_strong[n_strong] = first;
            n_strong += 1;
        }
    }
    let fits = |initials: &[u8]| {
        initials.len() >= 3
            && short
                .as_bytes()
                .strip_prefix(initials)
                .is_some_and(|rest| matches!(rest, b"" | b"p" | b"pl" | b"cc" | b"l" | b"t" | b"g"))
    };
    if fits(&initials_all[..n_all]) || fits(&initials_strong[..n_strong]) { 0.85 } else { 0.0 }
}

/// Returns the Levenshtein distance of two byte strings, or more than `limit` when it is larger.
///
/// Bit-parallel form of Myers, *A Fast Bit-Vector Algorithm for Approximate String Matching* (1999), as Hyyrö (2003)
/// states it for the whole of both strings; strings over 64 bytes take the classic table.
pub(super) fn distance(a: &[u8], b: &[u8], limit: usize) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > limit {
        return limit + 1;
    }
    if short.is_empty() {
        return long.len();
    }
    if short.len() > 64 {
        return table_distance(short, long);
    }
    let mut masks = [0_u64; 128];
    for (at, byte) in short.iter().enumerate() {
        masks[usize::from(byte & 0x7f)] |= 1 << at;
    }
    let last = 1_u64 << (short.len() - 1);
    let (mut positive, mut negative) = (u64::MAX, 0_u64);
    let mut score = short.len();
    for byte in long {
        let equal = masks[usize::from(byte & 0x7f)];
        let vertical = equal | negative;
        let horizontal = (((equal & positive).wrapping_add(positive)) ^ positive) | equal;
        let mut up = negative | !(horizontal | positive);
        let mut down = positive & horizontal;
        if up & last != 0 {
            score += 1;
        }
        if down & last != 0 {
            score -= 1;
        }
        up = (up << 1) | 1;
        down <<= 1;
        positive = down | !(vertical | up);
        negative = up & vertical;
    }
    score
}

fn table_distance(short: &[u8], long: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=short.len()).collect();
    for (i, byte) in long.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in short.iter().enumerate() {
            let cost = usize::from(byte != other);
            let next = (diagonal + cost).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[short.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weak_words_are_sorted_for_the_search() {
        assert!(WEAK.is_sorted());
    }

    #[test]
    fn likeness() {
        for (a, b, least, most) in [
            ("aero club", "aero club", 1.0, 1.0),
            ("aero club", "club aero", 1.0, 1.0),
            ("aero club", "aero clubs", 0.85, 0.99),
            ("falcon baobab college", "falcon baobabcollege", 0.9, 1.0),
            ("lmarp", "leopard magalies auto repairs", 0.8, 0.9),
            ("wlt", "wing lowveld technologies", 0.8, 0.9),
            ("hawk acacia motors", "hawk motors", 0.7, 0.9),
            ("motishaba lo9istics", "motishaba logistics", 0.9, 1.0),
            ("aero @ durban", "aero @ springs", 0.0, 0.4),
            ("aero @ durban", "aero", 0.0, 0.55),
            ("aero @ durban", "aero @ durbam", 0.9, 1.0),
            ("blue consulting", "red plumbing", 0.0, 0.1),
            ("delta group", "omega group", 0.0, 0.3),
            ("", "", 0.0, 0.0),
        ] {
            let got = organization_key_similarity(a, b);
            assert!((least..=most).contains(&got), "{a} ~ {b}: {got}");
        }
    }

    proptest! {
        #[test]
        fn likeness_is_a_share_whatever_the_order(a in "[a-z @]{0,30}", b in "[a-z @]{0,30}") {
            let forth = organization_key_similarity(&a, &b);
            prop_assert!((0.0..=1.0).contains(&forth));
        }

        #[test]
        fn both_ways_to_the_distance_agree(a in "[a-d]{1,64}", b in "[a-d]{1,64}") {
            let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
            prop_assert_eq!(distance(a.as_bytes(), b.as_bytes(), 64), table_distance(short.as_bytes(), long.as_bytes()));
        }
    }
}
