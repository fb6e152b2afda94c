//! The three workbooks, each messy in its own way.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::organizations::{ORGANIZATIONS, Organization, landline, landline_text, mobile, mobile_text, person};

const NO_BREAK_SPACE: char = '\u{a0}';

/// Makes `member register.xlsx`: a title and a note above the header, merged section rows, telephone numbers as numbers,
/// dates as dates and as text, a sheet of codes that is not data.
pub(super) fn register() -> Result<Vec<u8>, XlsxError> {
    let mut workbook = new_workbook()?;
    let bold = Format::new().set_bold();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let sheet = workbook.add_worksheet().set_name("Register 2025")?;
    sheet.write_string_with_format(0, 0, "Saltmarsh Heritage Trust: member register", &bold)?;
    sheet.write_string(1, 0, "Please keep up to date! Last audit: spring")?;
    let header =
        ["Ref", "Organisation ", "Type", "Address", "Town", "Tel.\nNo", "E-mail", "Web site", "Status", "Last updated"];
    write_header(sheet, 3, &header, &bold)?;
    let mut row = 4;
    for (position, organization) in ORGANIZATIONS.iter().enumerate() {
        if position % 10 == 0 {
            let section = ["MUSEUMS AND GALLERIES", "BOATS AND HARBOURS", "GARDENS AND FARMS"][position / 10 % 3];
            sheet.merge_range(row, 0, row, 9, section, &bold)?;
            row += 1;
        }
        register_row(sheet, row, position, organization, &date)?;
        row += 1;
    }
    // Somebody kept a number and forgot whose it was: this row has no name and goes to quarantine.
    sheet.write_string(row, 0, "HT-1099")?;
    sheet.write_string(row, 5, landline_text(99))?;
    sheet.write_string(row, 8, "Active")?;
    let codes = workbook.add_worksheet().set_name("Codes")?;
    for (row, (code, meaning)) in
        [("Active", "paid this year"), ("Lapsed", "did not pay"), ("New", "joined this year")].into_iter().enumerate()
    {
        codes.write_string(row as u32, 0, code)?;
        codes.write_string(row as u32, 1, meaning)?;
    }
    workbook.save_to_buffer()
}

fn register_row(
    sheet: &mut Worksheet,
    row: u32,
    position: usize,
    organization: &Organization,
    date: &Format,
) -> Result<(), XlsxError> {
    let domain = organization.domain;
    sheet.write_string(row, 0, format!("HT-{}", 1000 + position))?;
    let name = organization.full_name();
    sheet.write_string(row, 1, if position % 7 == 3 { name.to_uppercase() } else { name })?;
    sheet.write_string(row, 2, organization.kind)?;
    sheet.write_string(row, 3, organization.street)?;
    sheet.write_string(row, 4, organization.town)?;
    // A telephone number as a number has lost its zero.
    if position.is_multiple_of(3) {
        sheet.write_number(row, 5, landline(position) as f64)?;
    } else {
        sheet.write_string(row, 5, landline_text(position))?;
    }
    if position % 5 != 4 {
        sheet.write_string(row, 6, format!("info@{domain}.example"))?;
    }
    match position % 4 {
        0 => sheet.write_string(row, 7, format!("www.{domain}.example"))?,
        1 => sheet.write_string(row, 7, format!("https://{domain}.example/?utm_source=register"))?,
        2 => sheet.write_string(row, 7, format!("HTTP://WWW.{}.EXAMPLE/", domain.to_uppercase()))?,
        _ => sheet.write_string(row, 7, "n/a")?,
    };
    sheet.write_string(row, 8, if position % 6 == 5 { "Lapsed" } else { "Active" })?;
    let (day, month) = (position % 27 + 1, position % 12 + 1);
    if position.is_multiple_of(2) {
        let moment = ExcelDateTime::from_ymd(2025, month as u8, day as u8)?;
        sheet.write_datetime_with_format(row, 9, &moment, date)?;
    } else {
        sheet.write_string(row, 9, format!("{day}/{month:02}/2025"))?;
    }
    Ok(())
}

/// Makes `outreach log.xlsx`: the header in the second row, several people, numbers and addresses in one cell,
/// line breaks in names, empty rows in between.
pub(super) fn outreach() -> Result<Vec<u8>, XlsxError> {
    let mut workbook = new_workbook()?;
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet().set_name("Log")?;
    sheet.write_string(0, 0, "Who we spoke to")?;
    let header = ["Organisation name", "Contact person (role)", "Phone", "Email", "Town", "Last contact", "Notes"];
    write_header(sheet, 1, &header, &bold)?;
    let mut row = 2;
    for (position, organization) in ORGANIZATIONS.iter().enumerate().filter(|(position, _)| position % 4 != 0) {
        if position % 10 == 9 {
            row += 1;
        }
        let (given, family, role) = person(position, 0);
        let (given_2, family_2, role_2) = person(position, 1);
        let domain = organization.domain;
        let name = match position % 3 {
            0 => organization.name.replace(" & ", " and "),
            1 => organization.full_name().replacen(' ', "\n", 1),
            _ => format!("  {} ", organization.full_name().replace("Limited", "Ltd.")),
        };
        sheet.write_string(row, 0, name)?;
        if position % 2 == 1 {
            sheet.write_string(row, 1, format!("{given} {family} ({role}); {given_2} {family_2} ({role_2})"))?;
            sheet.write_string(row, 2, format!("{} / {}", mobile_text(position, 0), mobile_text(position, 1)))?;
            let (given, given_2) = (given.to_lowercase(), given_2.to_lowercase());
            sheet.write_string(row, 3, format!("{given}@{domain}.example; {given_2}@{domain}.example"))?;
        } else {
            sheet.write_string(row, 1, format!("{given} {family} ({role})"))?;
            sheet.write_string(row, 2, landline_text(position))?;
            sheet.write_string(row, 3, format!("{}@{}.EXAMPLE", given.to_uppercase(), domain.to_uppercase()))?;
        }
        sheet.write_string(row, 4, organization.town)?;
        let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"][position % 6];
        sheet.write_string(row, 5, format!("{} {month} 2025", position % 27 + 1))?;
        sheet.write_string(
            row,
            6,
            ["", "asked for a leaflet", "call back in autumn", "visited the stand"][position % 4],
        )?;
        row += 1;
    }
    workbook.save_to_buffer()
}

/// Makes `volunteers.xlsx`: people keyed by the name of their organisation, no-break spaces, mobiles as numbers.
pub(super) fn volunteers() -> Result<Vec<u8>, XlsxError> {
    let mut workbook = new_workbook()?;
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet().set_name("Volunteers")?;
    write_header(sheet, 0, &["Company", "First name", "Surname", "Position", "E-mail address", "Mobile"], &bold)?;
    let mut row = 1;
    for (position, organization) in ORGANIZATIONS.iter().enumerate().filter(|(position, _)| position % 2 == 0) {
        for which in 0..=usize::from(position % 8 == 0) {
            let (given, family, role) = person(position, which);
            let name = organization.full_name().replace(' ', &NO_BREAK_SPACE.to_string());
            sheet.write_string(row, 0, if which == 1 { organization.name.to_lowercase() } else { name })?;
            sheet.write_string(row, 1, format!("{given}{NO_BREAK_SPACE}"))?;
            sheet.write_string(row, 2, family)?;
            sheet.write_string(row, 3, role)?;
            sheet.write_string(row, 4, format!("{}@{}.example", given.to_lowercase(), organization.domain))?;
            sheet.write_number(row, 5, mobile(position, which) as f64)?;
            row += 1;
        }
    }
    workbook.save_to_buffer()
}

/// Starts a workbook whose time of making is fixed, so that its bytes are.
fn new_workbook() -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_ymd(2025, 1, 31)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    Ok(workbook)
}

fn write_header(sheet: &mut Worksheet, row: u32, header: &[&str], format: &Format) -> Result<(), XlsxError> {
    for (column, name) in header.iter().enumerate() {
        sheet.write_string_with_format(row, column as u16, *name, format)?;
    }
    Ok(())
}
