//! What the header of a column says about its values.

use crate::class::DataClass;

/// Headers by class: each entry is a list of words that must all stand in the header. The first entry that fits decides.
const HEADERS: &[(DataClass, &[&[&str]])] = &[
    (DataClass::Email, &[&["email"], &["e", "mail"], &["emails"], &["mail", "address"]]),
    (DataClass::ZaId, &[&["said"], &["sa", "id"], &["rsa", "id"], &["za", "id"], &["south", "african", "id"]]),
    (DataClass::DateOfBirth, &[&["dob"], &["birth"], &["birthday"], &["birthdate"], &["born"], &["geboortedatum"]]),
    (DataClass::Passport, &[&["passport"], &["paspoort"]]),
    (
        DataClass::DrivingLicence,
        &[
            &["driving", "licence"],
            &["driver", "licence"],
            &["drivers", "licence"],
            &["driving", "license"],
            &["driver", "license"],
            &["drivers", "license"],
        ],
    ),
    (
        DataClass::NationalId,
        &[
            &["id", "number"],
            &["identity"],
            &["id", "no"],
            &["idnumber"],
            &["national", "id"],
            &["ssn"],
            &["social", "security"],
            &["soc", "sec"],
            &["aadhaar"],
            &["curp"],
            &["cpf"],
            &["national", "insurance"],
            &["nino"],
            &["citizen", "id"],
            &["id", "nr"],
        ],
    ),
    (
        DataClass::PaymentCard,
        &[&["card", "number"], &["credit", "card"], &["debit", "card"], &["cardnumber"], &["card", "no"], &["pan"]],
    ),
    (DataClass::Iban, &[&["iban"]]),
    (
        DataClass::BankAccount,
        &[&["bank", "account"], &["account", "number"], &["account", "no"], &["bank", "acc"], &["rekeningnommer"]],
    ),
    (
        DataClass::TaxNumber,
        &[
            &["tax", "number"],
            &["tax", "no"],
            &["tax", "ref"],
            &["tax", "reference"],
            &["vat"],
            &["tin"],
            &["income", "tax"],
        ],
    ),
    (DataClass::IpAddress, &[&["ip"], &["ip", "address"], &["ipaddress"]]),
    (
        DataClass::Coordinates,
        &[&["latitude"], &["longitude"], &["lat"], &["lon"], &["lng"], &["gps"], &["coordinates"], &["geolocation"]],
    ),
    (
        DataClass::Phone,
        &[
            &["phone"],
            &["telephone"],
            &["tel"],
            &["mobile"],
            &["cell"],
            &["cellphone"],
            &["phones"],
            &["whatsapp"],
            &["fax"],
            &["contact", "number"],
            &["contact", "no"],
            &["selfoon"],
            &["landline"],
        ],
    ),
    (
        DataClass::Health,
        &[
            &["health"],
            &["medical"],
            &["disability"],
            &["diagnosis"],
            &["hiv"],
            &["allergies"],
            &["allergy"],
            &["blood", "group"],
            &["medication"],
            &["patient", "notes"],
            &["pregnancy"],
        ],
    ),
    (DataClass::Genetic, &[&["dna"], &["genetic"], &["genome"]]),
    (
        DataClass::Biometric,
        &[&["biometric"], &["fingerprint"], &["retina"], &["iris", "scan"], &["face", "template"], &["voiceprint"]],
    ),
    (
        DataClass::Criminal,
        &[&["criminal"], &["conviction"], &["convictions"], &["offence"], &["offences"], &["arrest"]],
    ),
    (DataClass::Belief, &[&["religion"], &["religious"], &["faith"], &["belief"], &["denomination"], &["church"]]),
    (DataClass::Ethnicity, &[&["race"], &["ethnicity"], &["ethnic"], &["population", "group"], &["bbbee", "race"]]),
    (DataClass::TradeUnion, &[&["trade", "union"], &["union", "member"], &["union", "membership"]]),
    (DataClass::Politics, &[&["political"], &["politics"], &["party", "membership"], &["voter"]]),
    (DataClass::SexLife, &[&["sexual"], &["sex", "life"], &["orientation"]]),
    (
        DataClass::Child,
        &[
            &["child"],
            &["children"],
            &["guardian"],
            &["minor"],
            &["learner"],
            &["pupil"],
            &["next", "of", "kin"],
            &["parent"],
        ],
    ),
    (
        DataClass::Demographic,
        &[
            &["gender"],
            &["sex"],
            &["marital"],
            &["nationality"],
            &["citizenship"],
            &["home", "language"],
            &["mother", "tongue"],
            &["age"],
        ],
    ),
    (
        DataClass::History,
        &[
            &["qualification"],
            &["qualifications"],
            &["education"],
            &["employment", "history"],
            &["previous", "employer"],
            &["degree"],
        ],
    ),
    (
        DataClass::Financial,
        &[&["salary"], &["income"], &["wage"], &["wages"], &["credit", "score"], &["debt"], &["remuneration"]],
    ),
    (
        DataClass::PersonNumber,
        &[
            &["employee", "number"],
            &["employee", "no"],
            &["employee", "id"],
            &["staff", "number"],
            &["staff", "id"],
            &["member", "number"],
            &["membership", "number"],
            &["patient", "number"],
            &["patient", "id"],
            &["student", "number"],
            &["student", "id"],
            &["customer", "number"],
        ],
    ),
    (DataClass::Address, &[&["address"], &["addr"], &["street"], &["adres"], &["residence"], &["home", "town"]]),
    (
        DataClass::PersonName,
        &[
            &["surname"],
            &["firstname"],
            &["lastname"],
            &["first", "name"],
            &["last", "name"],
            &["given", "name"],
            &["given", "names"],
            &["family", "name"],
            &["family", "names"],
            &["full", "name"],
            &["fullname"],
            &["middle", "name"],
            &["maiden", "name"],
            &["contact", "name"],
            &["contact", "names"],
            &["contact", "person"],
            &["contact", "primary", "name"],
            &["contact", "given", "names"],
            &["person"],
            &["employee", "name"],
            &["owner"],
            &["director"],
            &["manager"],
            &["instructor"],
            &["attention"],
            &["attn"],
            &["naam", "en", "van"],
            &["forename"],
            &["fname"],
            &["lname"],
            &["sname"],
            &["author"],
            &["authors"],
            &["doctor"],
            &["nickname"],
            &["signatory"],
            &["representative"],
        ],
    ),
];

/// Words of a header that say the column tells about a value and does not hold it.
const ABOUT: &[&str] =
    &["status", "confidence", "count", "score", "flag", "flags", "valid", "type", "avg", "consent", "policy"];

impl DataClass {
    /// Returns the class that the header of a column names, as `E-Mail` or `dob` do.
    pub fn of_header(header: &str) -> Option<Self> {
        class_of_header(header)
    }
}

/// Returns the class that a header names, in any case and with any separators.
pub(crate) fn class_of_header(header: &str) -> Option<DataClass> {
    let words = words(header);
    if words.iter().any(|word| ABOUT.contains(&word.as_str())) {
        return None;
    }
    let has = |needle: &&str| words.iter().any(|word| word == needle);
    HEADERS.iter().find(|(_, entries)| entries.iter().any(|entry| entry.iter().all(has))).map(|(class, _)| *class)
}

/// Splits a header into words in small letters: at what is no letter or digit, and where a capital follows a small letter.
fn words(header: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in header.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
            small = false;
            continue;
        }
        if small && c.is_uppercase() {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_lead_to_classes_however_they_are_written() {
        for (header, expected) in [
            ("E-mail Address", Some(DataClass::Email)),
            ("contact_primary_email", Some(DataClass::Email)),
            ("soc_sec_id", Some(DataClass::NationalId)),
            ("ADDR_LINE1", Some(DataClass::Address)),
            ("fname", Some(DataClass::PersonName)),
            ("contactEmail", Some(DataClass::Email)),
            ("contact_primary_email_confidence", None),
            ("Cell no.", Some(DataClass::Phone)),
            ("SA ID", Some(DataClass::ZaId)),
            ("ID Number", Some(DataClass::NationalId)),
            ("Date of Birth", Some(DataClass::DateOfBirth)),
            ("contact_primary_name", Some(DataClass::PersonName)),
            ("organization_name", None),
            ("province", None),
            ("Trade Union", Some(DataClass::TradeUnion)),
            ("Street address", Some(DataClass::Address)),
            ("consent_status", None),
            ("Page", None),
        ] {
            assert_eq!(class_of_header(header), expected, "{header}");
        }
    }
}
