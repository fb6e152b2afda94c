//! A small synthetic workspace that the program carries: the messy files of an invented heritage trust.
//!
//! Everything is made at run time and comes out equal to the byte. All names are invented, domains end in `.example`
//! (RFC 2606), and telephone numbers are from the ranges that Ofcom keeps for drama.

mod newsletter;
mod organizations;
mod workbooks;

use rust_xlsxwriter::XlsxError;

/// A file of the workspace: its name and its bytes.
pub(crate) type SampleFile = (&'static str, Vec<u8>);

/// Makes the input files.
///
/// # Errors
///
/// Returns the error of making a workbook.
pub(crate) fn input_files() -> Result<Vec<SampleFile>, XlsxError> {
    let volunteers = workbooks::volunteers()?;
    // What a broken download leaves: the beginning of a workbook, without the directory at its end.
    let damaged = volunteers[..volunteers.len() / 2].to_vec();
    Ok(vec![
        ("committee 2019 (damaged).xlsx", damaged),
        ("member register.xlsx", workbooks::register()?),
        ("newsletter.csv", newsletter::csv()),
        ("outreach log.xlsx", workbooks::outreach()?),
        ("volunteers.xlsx", volunteers),
    ])
}

/// Returns what a file of the workspace is, for people.
pub(crate) fn purpose(name: &str) -> &'static str {
    match name {
        "member register.xlsx" => "members: title above the header, section rows, telephone numbers as numbers",
        "outreach log.xlsx" => "calls: several people, numbers and addresses in one cell",
        "volunteers.xlsx" => "people by the name of their organisation",
        "newsletter.csv" => "subscribers: semicolons, an old encoding",
        _ => "half a workbook, as a broken download leaves it",
    }
}

/// The configuration of the workspace.
pub(crate) const CONFIGURATION: &str = r#"# Configuration of the Hotpass demonstration: an invented heritage trust in the United Kingdom.
# `hotpass config show --origins` prints every value that is in force and where it comes from.

[profile]
name = "generic"                # the preset that the values below refine
default_country_code = "GB"     # telephone numbers without a country are read as British
optional_fields = ["contact_emails", "contact_phones", "website", "city"]

# Which files are which source. When sources disagree, the higher priority wins.
[[profile.sources]]
name = "register"
pattern = "*register*.xlsx"
priority = 30

[[profile.sources]]
name = "outreach"
pattern = "*outreach*.xlsx"
priority = 20

[[profile.sources]]
name = "volunteers"
pattern = "*volunteers*.xlsx"
priority = 10

[[profile.sources]]
name = "newsletter"
pattern = "*newsletter*.csv"
priority = 5

[pipeline]
input_dir = "data"
output_path = "dist/refined.xlsx"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_equal_to_the_byte_each_time() -> Result<(), XlsxError> {
        assert_eq!(input_files()?, input_files()?);
        Ok(())
    }

    #[test]
    fn the_newsletter_is_not_utf_8() {
        assert!(std::str::from_utf8(&newsletter::csv()).is_err());
    }
}
