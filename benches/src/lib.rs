//! Shared workloads of the benches.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A sequence of numbers that is the same in every run: `SplitMix64` of Steele, Lea and Flood (2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.next(words.len())]
    }
}

const FIRST: &[&str] = &["Baobab", "Silver", "Mountain", "Harbour", "Delta", "Ndlovu", "Acacia", "Sokhela"];
const SECOND: &[&str] = &["Falcon", "Omega", "Jordaan", "Umoja", "Horizon", "Smith", "Pioneer", "Cape"];
const TRADE: &[&str] = &["Logistics", "Auto Repairs", "Veterinary Clinic", "Solar", "Primary School", "Bakery"];
const FORMS: &[&str] = &["", " (Pty) Ltd", " Pty Ltd", " CC", " NPC", " Ltd"];
const PLACES: &[(&str, &str)] =
    &[("Durban", "KwaZulu-Natal"), ("Pretoria", "Gauteng"), ("George", "Western Cape"), ("Benoni", "Gauteng")];
const PEOPLE: &[&str] = &["", "Thandi Mokoena", "Maria du Plessis", "Sipho Dube", "Ann Naidoo"];
const MAILBOXES: &[&str] = &["info", "sales", "office", "thandi"];

/// Writes a table of organisations from a fixed seed, about a third of whose rows name one again, and returns its path.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_organizations(folder: &Path, rows: usize) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let mut numbers = Numbers(3);
    let mut text = String::from("org_name,province,street,city,postcode,phone,email,website,contact_name\n");
    for _ in 0..rows {
        // Two rows for three organisations: some come once, some several times.
        let organization = numbers.next(rows * 3 / 2);
        let mut own = Numbers(organization as u64);
        let (first, second, trade) = (own.pick(FIRST), own.pick(SECOND), own.pick(TRADE));
        let (city, province) = PLACES[own.next(PLACES.len())];
        let domain = format!("{first}{second}{organization}.co.za").to_lowercase();
        writeln!(
            text,
            "{first} {second} {organization} {trade}{form},{province},{house} Maple Rd.,{city},{postcode:04},\
             +2731{phone:07},{mailbox}@{domain},https://www.{domain},{person}",
            form = numbers.pick(FORMS),
            house = 1 + own.next(99),
            postcode = 1 + own.next(9998),
            phone = 2_000_000 + own.next(7_000_000),
            mailbox = numbers.pick(MAILBOXES),
            person = numbers.pick(PEOPLE),
        )?;
    }
    let path = folder.join("organizations.csv");
    hotpass_core::write_atomic(&path, &text)?;
    Ok(path)
}
