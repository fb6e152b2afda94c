//! Tables with a row for each person: what stands in a row that is somebody's.

use std::sync::LazyLock;

use hotpass_core::fields::GOLDEN_COLUMNS;
use hotpass_privacy::subject::Subject;
use hotpass_privacy::{DataClass, Detector};

/// Columns that name rows, not people.
const KEYS: [&str; 5] = ["unique_id", "entity_id", "cluster_id", "record_id", "row_id"];
/// Words of a header that names an organisation.
const ORGANISATION: [&str; 14] = [
    "organisation",
    "organization",
    "company",
    "employer",
    "firm",
    "business",
    "institution",
    "school",
    "org",
    "account",
    "supplier",
    "customer",
    "client",
    "vendor",
];

/// The columns of a table with a row for each person.
#[derive(Debug, Clone)]
pub(super) struct PeopleTable {
    classes: Vec<Option<DataClass>>,
    keys: Vec<bool>,
    /// Whether rows name an organisation too, whose address and accounts may stand in them.
    names_organisations: bool,
}

impl PeopleTable {
    /// Reads headers; nothing where the table has no column of people's names, or is the published table of organisations.
    pub(super) fn of<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<Self> {
        let headers: Vec<&str> = headers.into_iter().collect();
        let classes: Vec<Option<DataClass>> = headers.iter().map(|header| DataClass::of_header(header)).collect();
        let published = headers.iter().any(|header| header.starts_with("contact_primary_"));
        if published || !classes.contains(&Some(DataClass::PersonName)) {
            return None;
        }
        let names_organisations = headers.iter().zip(&classes).any(|(header, class)| {
            let header = header.to_lowercase();
            class.is_none() && header.split(|c: char| !c.is_alphanumeric()).any(|word| ORGANISATION.contains(&word))
        });
        let keys = headers.iter().map(|header| KEYS.contains(header)).collect();
        Some(Self { classes, keys, names_organisations })
    }

    /// Returns the cells of a row that hold personal data, where the row is the subject's; none where it is another's, or where
    /// it is of several people.
    pub(super) fn cells_of(&self, cells: &[Option<&str>], subject: &Subject) -> Vec<usize> {
        let told = |at: usize| cells.get(at).copied().flatten().filter(|text| !text.trim().is_empty());
        if !(0..self.classes.len()).any(|at| told(at).is_some_and(|text| subject.is_in(text)))
            && subject.split_over(cells).is_empty()
        {
            return Vec::new();
        }
        let split = subject.split_over(cells);
        let classes: Vec<Option<DataClass>> =
            (0..self.classes.len()).map(|at| told(at).and_then(|text| self.class_of(at, text))).collect();
        // Somebody else may be reached at the address or number, or be named in a note.
        let names: Vec<usize> = at_class(&classes, |class| class == DataClass::PersonName);
        let is_named = names.is_empty()
            || names.iter().all(|at| split.contains(at))
            || names.iter().any(|at| told(*at).is_some_and(|name| subject.is_in(name)));
        let is_reached = at_class(&classes, tells_apart)
            .iter()
            .any(|at| split.contains(at) || told(*at).is_some_and(|text| subject.is_in(text)));
        if !is_named || !is_reached {
            return Vec::new();
        }
        let addresses = at_class(&classes, |class| class == DataClass::Email)
            .iter()
            .filter_map(|at| told(*at))
            .any(|text| text.matches('@').count() > 1);
        if addresses {
            return Vec::new();
        }
        at_class(&classes, |class| is_of_people(class) || !self.names_organisations)
    }

    /// Returns the columns of names of people.
    pub(super) fn names(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.classes.len()).filter(|at| self.classes[*at] == Some(DataClass::PersonName))
    }

    /// Returns the columns of what else is personal, as a date of birth; for rows that are known to be somebody's.
    pub(super) fn own_columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.classes.iter().enumerate().filter(|(at, _)| !self.keys[*at]).filter_map(|(at, class)| {
            let is_own = |class| class != DataClass::PersonName && (is_of_people(class) || !self.names_organisations);
            class.is_some_and(is_own).then_some(at)
        })
    }

    /// Returns the class of a value, by its header, else by what it is as a whole.
    fn class_of(&self, at: usize, text: &str) -> Option<DataClass> {
        static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);
        if self.keys[at] {
            return None;
        }
        self.classes[at].or_else(|| {
            let text = text.trim();
            if text.len() > 100 {
                return None;
            }
            let spans = DETECTOR.spans(text);
            spans.iter().find(|span| span.range == (0..text.len())).map(|span| span.class)
        })
    }
}

fn at_class(classes: &[Option<DataClass>], is: impl Fn(DataClass) -> bool) -> Vec<usize> {
    (0..classes.len()).filter(|at| classes[*at].is_some_and(&is)).collect()
}

/// Returns whether a value of a class tells whose row it is.
fn tells_apart(class: DataClass) -> bool {
    matches!(
        class,
        DataClass::PersonName
            | DataClass::Email
            | DataClass::Phone
            | DataClass::ZaId
            | DataClass::NationalId
            | DataClass::Passport
            | DataClass::DrivingLicence
            | DataClass::PersonNumber
    )
}

/// Returns whether only people have what a class holds; an organisation has addresses and accounts too.
fn is_of_people(class: DataClass) -> bool {
    !matches!(
        class,
        DataClass::Email
            | DataClass::Phone
            | DataClass::Address
            | DataClass::Coordinates
            | DataClass::Iban
            | DataClass::BankAccount
            | DataClass::TaxNumber
            | DataClass::Financial
    )
}

/// Returns whether the first row of a file names its columns: some cell does, and none holds an address or number of the subject.
pub(super) fn is_header_row<'c>(cells: impl IntoIterator<Item = &'c str>, subject: &Subject) -> bool {
    let cells: Vec<&str> = cells.into_iter().collect();
    let is_name = |cell: &str| {
        let snake = cell.contains('_') && cell.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        snake || GOLDEN_COLUMNS.iter().any(|column| column.name == cell) || DataClass::of_header(cell).is_some()
    };
    cells.iter().any(|cell| is_name(cell.trim())) && !cells.iter().any(|cell| subject.has_channel_in(cell))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpass_privacy::subject::Identifier;

    fn check(headers: &[&str], row: &[&str], expected: &[&str]) {
        let who = ["zodwa@kestrel.example", "Zodwa Canaryperson"];
        let subject = Subject::new(who.into_iter().filter_map(Identifier::guess));
        let cells: Vec<Option<&str>> = row.iter().map(|cell| Some(*cell)).collect();
        let found = PeopleTable::of(headers.iter().copied())
            .map_or_else(Vec::new, |table| table.cells_of(&cells, &subject))
            .into_iter()
            .map(|at| headers[at])
            .collect::<Vec<_>>();
        assert_eq!(found, expected, "{row:?}");
    }

    #[test]
    fn a_row_is_taken_whole_where_it_is_the_subjects() {
        let headers = ["unique_id", "first_name", "surname", "mail", "dob", "phone", "id_number", "notes"];
        let all = ["first_name", "surname", "mail", "dob", "phone", "id_number"];
        let row = |first: &'static str, family, mail, notes| {
            ["7", first, family, mail, "1980-01-01", "+27825550142", "8001015009087", notes]
        };
        check(&headers, &row("Zodwa", "Canaryperson", "zodwa@kestrel.example", "x"), &all);
        check(
            &headers,
            &row("Zodwa", "Canaryperson", "", "x"),
            &["first_name", "surname", "dob", "phone", "id_number"],
        );
        // A note about the person, and an address that somebody else uses, are in other people's rows.
        check(&headers, &row("Other", "Person", "o@egret.example", "ask zodwa@kestrel.example"), &[]);
        check(&headers, &row("Other", "Person", "zodwa@kestrel.example", "x"), &[]);
        check(
            &["company", "contact_person", "email", "dob", "address"],
            &["Kestrel", "Zodwa Canaryperson", "zodwa@kestrel.example", "1980-01-01", "1 Road, Town"],
            &["contact_person", "dob"],
        );
        let published = ["organization_name", "contact_primary_name", "contact_primary_email", "address_primary"];
        check(&published, &["Kestrel", "Zodwa Canaryperson", "zodwa@kestrel.example", "1 Road, Town"], &[]);
    }
}
