//! The newsletter's subscribers: semicolons, Windows-1252, decimal habits of another program.

use std::fmt::Write as _;

use super::organizations::{NEWSLETTER_ONLY, ORGANIZATIONS, landline_text, person};

/// Makes `newsletter.csv`.
pub(super) fn csv() -> Vec<u8> {
    let mut text = String::from("Organisation;Contact person;E-Mail;Telephone;Town;Subscribed\r\n");
    let known = ORGANIZATIONS.iter().enumerate().filter(|(position, _)| position % 3 == 2);
    let new = NEWSLETTER_ONLY.iter().enumerate().map(|(position, organization)| (position + 60, organization));
    for (line, (position, organization)) in known.chain(new).enumerate() {
        let (given, family, _) = person(position, 1);
        // Subscribers write their own names: without legal form, or in capitals.
        let name = if line % 4 == 1 { organization.name.to_uppercase() } else { organization.name.to_owned() };
        let telephone = if line % 2 == 0 { landline_text(position) } else { String::new() };
        let _ = write!(
            text,
            "\"{name}\";{family}, {given};{}@{}.example;{telephone};{};{:02}.{:02}.2024\r\n",
            given.to_lowercase(),
            organization.domain,
            organization.town,
            line % 27 + 1,
            line % 12 + 1,
        );
    }
    windows_1252(&text)
}

/// Encodes text whose characters are all below U+0100, where Windows-1252 equals Latin-1.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_can_be_encoded() {
        assert!(!csv().contains(&b'?'));
    }
}
