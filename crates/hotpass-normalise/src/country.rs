//! Countries of ISO 3166-1: codes, short names and other names.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::{
    blank::{table_key, trim_blank},
    kernel::{FieldRule, Outcome, RuleCounts},
    placeholder::{is_placeholder, no_value},
};

/// A country of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Two-letter code, such as `ZA`.
    pub alpha2: &'static str,
    /// Three-letter code, such as `ZAF`.
    pub alpha3: &'static str,
    /// Three-digit code.
    pub numeric: u16,
    /// English short name in its everyday form: `Tanzania`, not `Tanzania, United Republic of`.
    pub name: &'static str,
    /// Other names: official, former, local, abbreviated.
    aliases: &'static [&'static str],
}

const fn country(
    alpha2: &'static str,
    alpha3: &'static str,
    numeric: u16,
    name: &'static str,
    aliases: &'static [&'static str],
) -> Country {
    Country { alpha2, alpha3, numeric, name, aliases }
}

/// Finds a country by its codes or any of its names, whatever the case and punctuation.
///
/// # Errors
/// `country.empty` when the value means "no value", `country.unknown` when no country is called so.
pub fn parse_country(value: &str) -> Result<&'static Country, &'static str> {
    let trimmed = trim_blank(value);
    // Namibia's code reads like "not available"; in a column of countries it is the country.
    if is_placeholder(trimmed) && !matches!(trimmed, "NA" | "Na" | "na") && trimmed != "NO" {
        return Err("country.empty");
    }
    find(trimmed).ok_or("country.unknown")
}

/// Returns the country with this two-letter code, in any case.
pub fn country_by_alpha2(code: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.alpha2.eq_ignore_ascii_case(code))
}

fn find(name: &str) -> Option<&'static Country> {
    static BY_NAME: LazyLock<HashMap<String, &'static Country>> = LazyLock::new(|| {
        let mut by_name = HashMap::new();
        // Codes and short names come first, so that no alias of another country shadows them.
        for country in COUNTRIES {
            for name in [country.alpha2, country.alpha3, country.name] {
                by_name.entry(table_key(name)).or_insert(country);
            }
            by_name.entry(format!("{:03}", country.numeric)).or_insert(country);
        }
        for country in COUNTRIES {
            for alias in country.aliases {
                by_name.entry(table_key(alias)).or_insert(country);
            }
        }
        by_name
    });
    let key = table_key(name);
    if let Some(found) = BY_NAME.get(&key) {
        return Some(found);
    }
    if let Some(rest) = key.strip_prefix("the ") {
        return BY_NAME.get(rest).copied();
    }
    // `S.A.` and `U S A` are abbreviations written with gaps; `036` may have lost its zeros.
    if key.contains(' ') && key.split(' ').all(|word| word.len() == 1) {
        return BY_NAME.get(&key.replace(' ', "")).copied();
    }
    let number: u16 = key.parse().ok()?;
    BY_NAME.get(&format!("{number:03}")).copied()
}

/// The rule for countries: the English short name. Codes of changes: `country.code` and `country.name`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountryRule;

impl FieldRule for CountryRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        match parse_country(value) {
            Ok(country) if country.name == value => Outcome::Same,
            Ok(country) => {
                let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
                counts.add(if letters <= 3 { "country.code" } else { "country.name" });
                scratch.push_str(country.name);
                Outcome::Changed
            }
            Err("country.empty") => no_value(value, counts),
            Err(reason) => Outcome::Failed(reason),
        }
    }
}

/// The countries, by two-letter code.
const COUNTRIES: &[Country] = &[
    country("AD", "AND", 20, "Andorra", &["Principality of Andorra"]),
    country("AE", "ARE", 784, "United Arab Emirates", &["UAE", "U.A.E.", "Emirates", "Dubai", "Abu Dhabi"]),
    country("AF", "AFG", 4, "Afghanistan", &["Islamic Republic of Afghanistan"]),
    country("AG", "ATG", 28, "Antigua and Barbuda", &[]),
    country("AI", "AIA", 660, "Anguilla", &[]),
    country("AL", "ALB", 8, "Albania", &["Republic of Albania"]),
    country("AM", "ARM", 51, "Armenia", &["Republic of Armenia"]),
    country("AO", "AGO", 24, "Angola", &["República de Angola", "Republic of Angola"]),
    country("AQ", "ATA", 10, "Antarctica", &[]),
    country("AR", "ARG", 32, "Argentina", &["Argentine Republic"]),
    country("AS", "ASM", 16, "American Samoa", &[]),
    country("AT", "AUT", 40, "Austria", &["Österreich", "Republic of Austria"]),
    country("AU", "AUS", 36, "Australia", &["Aus", "Australie"]),
    country("AW", "ABW", 533, "Aruba", &[]),
    country("AX", "ALA", 248, "Åland Islands", &[]),
    country("AZ", "AZE", 31, "Azerbaijan", &["Republic of Azerbaijan"]),
    country("BA", "BIH", 70, "Bosnia and Herzegovina", &["Republic of Bosnia and Herzegovina"]),
    country("BB", "BRB", 52, "Barbados", &[]),
    country("BD", "BGD", 50, "Bangladesh", &["People's Republic of Bangladesh"]),
    country("BE", "BEL", 56, "Belgium", &["België", "Belgique", "Belgie", "Kingdom of Belgium"]),
    country("BF", "BFA", 854, "Burkina Faso", &[]),
    country("BG", "BGR", 100, "Bulgaria", &["Republic of Bulgaria"]),
    country("BH", "BHR", 48, "Bahrain", &["Kingdom of Bahrain"]),
    country("BI", "BDI", 108, "Burundi", &["Republic of Burundi"]),
    country("BJ", "BEN", 204, "Benin", &["Republic of Benin"]),
    country("BL", "BLM", 652, "Saint Barthélemy", &[]),
    country("BM", "BMU", 60, "Bermuda", &[]),
    country("BN", "BRN", 96, "Brunei Darussalam", &["Brunei"]),
    country("BO", "BOL", 68, "Bolivia", &["Plurinational State of Bolivia", "Bolivia, Plurinational State of"]),
    country("BQ", "BES", 535, "Bonaire, Sint Eustatius and Saba", &[]),
    country("BR", "BRA", 76, "Brazil", &["Brasil", "Federative Republic of Brazil"]),
    country("BS", "BHS", 44, "Bahamas", &["Commonwealth of the Bahamas"]),
    country("BT", "BTN", 64, "Bhutan", &["Kingdom of Bhutan"]),
    country("BV", "BVT", 74, "Bouvet Island", &[]),
    country("BW", "BWA", 72, "Botswana", &["Botsuana", "Republic of Botswana"]),
    country("BY", "BLR", 112, "Belarus", &["Republic of Belarus"]),
    country("BZ", "BLZ", 84, "Belize", &[]),
    country("CA", "CAN", 124, "Canada", &[]),
    country("CC", "CCK", 166, "Cocos (Keeling) Islands", &[]),
    country(
        "CD",
        "COD",
        180,
        "Democratic Republic of the Congo",
        &[
            "DRC",
            "D.R.C.",
            "DR Congo",
            "Congo Kinshasa",
            "Democratic Republic of Congo",
            "Congo, the Democratic Republic of the",
            "Zaire",
            "Congo, The Democratic Republic of the",
        ],
    ),
    country("CF", "CAF", 140, "Central African Republic", &[]),
    country("CG", "COG", 178, "Congo", &["Republic of the Congo", "Congo Brazzaville", "Republic of Congo"]),
    country("CH", "CHE", 756, "Switzerland", &["Schweiz", "Suisse", "Svizzera", "Switserland", "Swiss Confederation"]),
    country("CI", "CIV", 384, "Côte d'Ivoire", &["Ivory Coast", "Republic of Côte d'Ivoire"]),
    country("CK", "COK", 184, "Cook Islands", &[]),
    country("CL", "CHL", 152, "Chile", &["Republic of Chile"]),
    country("CM", "CMR", 120, "Cameroon", &["Republic of Cameroon"]),
    country("CN", "CHN", 156, "China", &["PRC", "People's Republic of China", "Mainland China"]),
    country("CO", "COL", 170, "Colombia", &["Republic of Colombia"]),
    country("CR", "CRI", 188, "Costa Rica", &["Republic of Costa Rica"]),
    country("CU", "CUB", 192, "Cuba", &["Republic of Cuba"]),
    country("CV", "CPV", 132, "Cabo Verde", &["Cape Verde", "Republic of Cabo Verde"]),
    country("CW", "CUW", 531, "Curaçao", &[]),
    country("CX", "CXR", 162, "Christmas Island", &[]),
    country("CY", "CYP", 196, "Cyprus", &["Republic of Cyprus"]),
    country("CZ", "CZE", 203, "Czechia", &["Czech Republic"]),
    country(
        "DE",
        "DEU",
        276,
        "Germany",
        &["Deutschland", "Duitsland", "Federal Republic of Germany", "Allemagne", "Alemania"],
    ),
    country("DJ", "DJI", 262, "Djibouti", &["Republic of Djibouti"]),
    country("DK", "DNK", 208, "Denmark", &["Danmark", "Kingdom of Denmark"]),
    country("DM", "DMA", 212, "Dominica", &["Commonwealth of Dominica"]),
    country("DO", "DOM", 214, "Dominican Republic", &[]),
    country("DZ", "DZA", 12, "Algeria", &["People's Democratic Republic of Algeria"]),
    country("EC", "ECU", 218, "Ecuador", &["Republic of Ecuador"]),
    country("EE", "EST", 233, "Estonia", &["Republic of Estonia"]),
    country("EG", "EGY", 818, "Egypt", &["Arab Republic of Egypt"]),
    country("EH", "ESH", 732, "Western Sahara", &[]),
    country("ER", "ERI", 232, "Eritrea", &["the State of Eritrea"]),
    country("ES", "ESP", 724, "Spain", &["España", "Spanje", "Kingdom of Spain"]),
    country("ET", "ETH", 231, "Ethiopia", &["Federal Democratic Republic of Ethiopia"]),
    country("FI", "FIN", 246, "Finland", &["Suomi", "Republic of Finland"]),
    country("FJ", "FJI", 242, "Fiji", &["Republic of Fiji"]),
    country("FK", "FLK", 238, "Falkland Islands", &["Falkland Islands (Malvinas)"]),
    country("FM", "FSM", 583, "Micronesia", &["Micronesia, Federated States of", "Federated States of Micronesia"]),
    country("FO", "FRO", 234, "Faroe Islands", &[]),
    country("FR", "FRA", 250, "France", &["Frankryk", "République française", "Frankreich", "French Republic"]),
    country("GA", "GAB", 266, "Gabon", &["Gabonese Republic"]),
    country(
        "GB",
        "GBR",
        826,
        "United Kingdom",
        &[
            "UK",
            "U.K.",
            "Great Britain",
            "Britain",
            "England",
            "Scotland",
            "Wales",
            "Northern Ireland",
            "United Kingdom of Great Britain and Northern Ireland",
            "Royaume-Uni",
            "Vereinigtes Königreich",
            "Reino Unido",
            "Verenigde Koninkryk",
        ],
    ),
    country("GD", "GRD", 308, "Grenada", &[]),
    country("GE", "GEO", 268, "Georgia", &[]),
    country("GF", "GUF", 254, "French Guiana", &[]),
    country("GG", "GGY", 831, "Guernsey", &[]),
    country("GH", "GHA", 288, "Ghana", &["Republic of Ghana"]),
    country("GI", "GIB", 292, "Gibraltar", &[]),
    country("GL", "GRL", 304, "Greenland", &[]),
    country("GM", "GMB", 270, "Gambia", &["The Gambia", "Republic of the Gambia"]),
    country("GN", "GIN", 324, "Guinea", &["Republic of Guinea"]),
    country("GP", "GLP", 312, "Guadeloupe", &[]),
    country("GQ", "GNQ", 226, "Equatorial Guinea", &["Republic of Equatorial Guinea"]),
    country("GR", "GRC", 300, "Greece", &["Hellas", "Griekeland", "Hellenic Republic"]),
    country("GS", "SGS", 239, "South Georgia and the South Sandwich Islands", &[]),
    country("GT", "GTM", 320, "Guatemala", &["Republic of Guatemala"]),
    country("GU", "GUM", 316, "Guam", &[]),
    country("GW", "GNB", 624, "Guinea-Bissau", &["Republic of Guinea-Bissau"]),
    country("GY", "GUY", 328, "Guyana", &["Republic of Guyana"]),
    country(
        "HK",
        "HKG",
        344,
        "Hong Kong",
        &["Hongkong", "Hong Kong SAR", "Hong Kong Special Administrative Region of China"],
    ),
    country("HM", "HMD", 334, "Heard Island and McDonald Islands", &[]),
    country("HN", "HND", 340, "Honduras", &["Republic of Honduras"]),
    country("HR", "HRV", 191, "Croatia", &["Hrvatska", "Republic of Croatia"]),
    country("HT", "HTI", 332, "Haiti", &["Republic of Haiti"]),
    country("HU", "HUN", 348, "Hungary", &["Magyarország"]),
    country("ID", "IDN", 360, "Indonesia", &["Republic of Indonesia"]),
    country("IE", "IRL", 372, "Ireland", &["Republic of Ireland", "Eire", "Ierland"]),
    country("IL", "ISR", 376, "Israel", &["State of Israel"]),
    country("IM", "IMN", 833, "Isle of Man", &[]),
    country("IN", "IND", 356, "India", &["Bharat", "Indië", "Republic of India"]),
    country("IO", "IOT", 86, "British Indian Ocean Territory", &[]),
    country("IQ", "IRQ", 368, "Iraq", &["Republic of Iraq"]),
    country("IR", "IRN", 364, "Iran", &["Islamic Republic of Iran", "Iran, Islamic Republic of"]),
    country("IS", "ISL", 352, "Iceland", &["Republic of Iceland"]),
    country("IT", "ITA", 380, "Italy", &["Italia", "Italië", "Italian Republic"]),
    country("JE", "JEY", 832, "Jersey", &[]),
    country("JM", "JAM", 388, "Jamaica", &[]),
    country("JO", "JOR", 400, "Jordan", &["Hashemite Kingdom of Jordan"]),
    country("JP", "JPN", 392, "Japan", &["Nippon"]),
    country("KE", "KEN", 404, "Kenya", &["Republic of Kenya"]),
    country("KG", "KGZ", 417, "Kyrgyzstan", &["Kyrgyz Republic"]),
    country("KH", "KHM", 116, "Cambodia", &["Kingdom of Cambodia"]),
    country("KI", "KIR", 296, "Kiribati", &["Republic of Kiribati"]),
    country("KM", "COM", 174, "Comoros", &["Union of the Comoros"]),
    country("KN", "KNA", 659, "Saint Kitts and Nevis", &[]),
    country(
        "KP",
        "PRK",
        408,
        "North Korea",
        &["Democratic People's Republic of Korea", "DPRK", "Korea, Democratic People's Republic of"],
    ),
    country("KR", "KOR", 410, "South Korea", &["Korea", "Republic of Korea", "Korea, Republic of"]),
    country("KW", "KWT", 414, "Kuwait", &["State of Kuwait"]),
    country("KY", "CYM", 136, "Cayman Islands", &[]),
    country("KZ", "KAZ", 398, "Kazakhstan", &["Republic of Kazakhstan"]),
    country("LA", "LAO", 418, "Laos", &["Lao People's Democratic Republic"]),
    country("LB", "LBN", 422, "Lebanon", &["Lebanese Republic"]),
    country("LC", "LCA", 662, "Saint Lucia", &[]),
    country("LI", "LIE", 438, "Liechtenstein", &["Principality of Liechtenstein"]),
    country("LK", "LKA", 144, "Sri Lanka", &["Ceylon", "Democratic Socialist Republic of Sri Lanka"]),
    country("LR", "LBR", 430, "Liberia", &["Republic of Liberia"]),
    country("LS", "LSO", 426, "Lesotho", &["Kingdom of Lesotho"]),
    country("LT", "LTU", 440, "Lithuania", &["Republic of Lithuania"]),
    country("LU", "LUX", 442, "Luxembourg", &["Grand Duchy of Luxembourg"]),
    country("LV", "LVA", 428, "Latvia", &["Republic of Latvia"]),
    country("LY", "LBY", 434, "Libya", &["Libyan Arab Jamahiriya"]),
    country("MA", "MAR", 504, "Morocco", &["Kingdom of Morocco"]),
    country("MC", "MCO", 492, "Monaco", &["Principality of Monaco"]),
    country("MD", "MDA", 498, "Moldova", &["Republic of Moldova", "Moldova, Republic of"]),
    country("ME", "MNE", 499, "Montenegro", &[]),
    country("MF", "MAF", 663, "Saint Martin", &["Saint Martin (French part)"]),
    country("MG", "MDG", 450, "Madagascar", &["Republic of Madagascar"]),
    country("MH", "MHL", 584, "Marshall Islands", &["Republic of the Marshall Islands"]),
    country("MK", "MKD", 807, "North Macedonia", &["Macedonia", "North Macedonia", "Republic of North Macedonia"]),
    country("ML", "MLI", 466, "Mali", &["Republic of Mali"]),
    country("MM", "MMR", 104, "Myanmar", &["Burma", "Republic of Myanmar"]),
    country("MN", "MNG", 496, "Mongolia", &[]),
    country("MO", "MAC", 446, "Macao", &["Macao Special Administrative Region of China"]),
    country("MP", "MNP", 580, "Northern Mariana Islands", &["Commonwealth of the Northern Mariana Islands"]),
    country("MQ", "MTQ", 474, "Martinique", &[]),
    country("MR", "MRT", 478, "Mauritania", &["Islamic Republic of Mauritania"]),
    country("MS", "MSR", 500, "Montserrat", &[]),
    country("MT", "MLT", 470, "Malta", &["Republic of Malta"]),
    country("MU", "MUS", 480, "Mauritius", &["Maurice", "Republic of Mauritius"]),
    country("MV", "MDV", 462, "Maldives", &["Republic of Maldives"]),
    country("MW", "MWI", 454, "Malawi", &["Republic of Malawi"]),
    country("MX", "MEX", 484, "Mexico", &["México", "United Mexican States"]),
    country("MY", "MYS", 458, "Malaysia", &[]),
    country(
        "MZ",
        "MOZ",
        508,
        "Mozambique",
        &["Moçambique", "Mosambiek", "Mocambique", "Mosambique", "Republic of Mozambique"],
    ),
    country("NA", "NAM", 516, "Namibia", &["Namibië", "South West Africa", "Republic of Namibia"]),
    country("NC", "NCL", 540, "New Caledonia", &[]),
    country("NE", "NER", 562, "Niger", &["Republic of the Niger"]),
    country("NF", "NFK", 574, "Norfolk Island", &[]),
    country("NG", "NGA", 566, "Nigeria", &["Federal Republic of Nigeria"]),
    country("NI", "NIC", 558, "Nicaragua", &["Republic of Nicaragua"]),
    country(
        "NL",
        "NLD",
        528,
        "Netherlands",
        &["Holland", "the Netherlands", "Nederland", "Pays-Bas", "Niederlande", "Kingdom of the Netherlands"],
    ),
    country("NO", "NOR", 578, "Norway", &["Norge", "Kingdom of Norway"]),
    country("NP", "NPL", 524, "Nepal", &["Federal Democratic Republic of Nepal"]),
    country("NR", "NRU", 520, "Nauru", &["Republic of Nauru"]),
    country("NU", "NIU", 570, "Niue", &[]),
    country("NZ", "NZL", 554, "New Zealand", &["Aotearoa"]),
    country("OM", "OMN", 512, "Oman", &["Sultanate of Oman"]),
    country("PA", "PAN", 591, "Panama", &["Republic of Panama"]),
    country("PE", "PER", 604, "Peru", &["Republic of Peru"]),
    country("PF", "PYF", 258, "French Polynesia", &[]),
    country("PG", "PNG", 598, "Papua New Guinea", &["Independent State of Papua New Guinea"]),
    country("PH", "PHL", 608, "Philippines", &["the Philippines", "Republic of the Philippines"]),
    country("PK", "PAK", 586, "Pakistan", &["Islamic Republic of Pakistan"]),
    country("PL", "POL", 616, "Poland", &["Polska", "Republic of Poland"]),
    country("PM", "SPM", 666, "Saint Pierre and Miquelon", &[]),
    country("PN", "PCN", 612, "Pitcairn", &[]),
    country("PR", "PRI", 630, "Puerto Rico", &[]),
    country("PS", "PSE", 275, "Palestine", &["State of Palestine", "Palestine, State of", "the State of Palestine"]),
    country("PT", "PRT", 620, "Portugal", &["Portugal Continental", "Portuguese Republic"]),
    country("PW", "PLW", 585, "Palau", &["Republic of Palau"]),
    country("PY", "PRY", 600, "Paraguay", &["Republic of Paraguay"]),
    country("QA", "QAT", 634, "Qatar", &["State of Qatar"]),
    country("RE", "REU", 638, "Réunion", &["Reunion Island"]),
    country("RO", "ROU", 642, "Romania", &["România"]),
    country("RS", "SRB", 688, "Serbia", &["Republic of Serbia"]),
    country("RU", "RUS", 643, "Russian Federation", &["Russia", "Russian Fed"]),
    country("RW", "RWA", 646, "Rwanda", &["Republic of Rwanda", "Rwandese Republic"]),
    country("SA", "SAU", 682, "Saudi Arabia", &["KSA", "Kingdom of Saudi Arabia"]),
    country("SB", "SLB", 90, "Solomon Islands", &[]),
    country("SC", "SYC", 690, "Seychelles", &["Republic of Seychelles"]),
    country("SD", "SDN", 729, "Sudan", &["Republic of the Sudan"]),
    country("SE", "SWE", 752, "Sweden", &["Sverige", "Kingdom of Sweden"]),
    country("SG", "SGP", 702, "Singapore", &["Republic of Singapore"]),
    country("SH", "SHN", 654, "Saint Helena, Ascension and Tristan da Cunha", &[]),
    country("SI", "SVN", 705, "Slovenia", &["Slovenija", "Republic of Slovenia"]),
    country("SJ", "SJM", 744, "Svalbard and Jan Mayen", &[]),
    country("SK", "SVK", 703, "Slovakia", &["Slovensko", "Slovak Republic"]),
    country("SL", "SLE", 694, "Sierra Leone", &["Republic of Sierra Leone"]),
    country("SM", "SMR", 674, "San Marino", &["Republic of San Marino"]),
    country("SN", "SEN", 686, "Senegal", &["Republic of Senegal"]),
    country("SO", "SOM", 706, "Somalia", &["Federal Republic of Somalia"]),
    country("SR", "SUR", 740, "Suriname", &["Republic of Suriname"]),
    country("SS", "SSD", 728, "South Sudan", &["Republic of South Sudan"]),
    country("ST", "STP", 678, "Sao Tome and Principe", &["Sao Tome", "Democratic Republic of Sao Tome and Principe"]),
    country("SV", "SLV", 222, "El Salvador", &["Republic of El Salvador"]),
    country("SX", "SXM", 534, "Sint Maarten", &["Sint Maarten (Dutch part)"]),
    country("SY", "SYR", 760, "Syrian Arab Republic", &["Syria"]),
    country("SZ", "SWZ", 748, "Eswatini", &["Swaziland", "Kingdom of Eswatini", "eSwatini"]),
    country("TC", "TCA", 796, "Turks and Caicos Islands", &[]),
    country("TD", "TCD", 148, "Chad", &["Republic of Chad"]),
    country("TF", "ATF", 260, "French Southern Territories", &[]),
    country("TG", "TGO", 768, "Togo", &["Togolese Republic"]),
    country("TH", "THA", 764, "Thailand", &["Kingdom of Thailand"]),
    country("TJ", "TJK", 762, "Tajikistan", &["Republic of Tajikistan"]),
    country("TK", "TKL", 772, "Tokelau", &[]),
    country("TL", "TLS", 626, "Timor-Leste", &["East Timor", "Democratic Republic of Timor-Leste"]),
    country("TM", "TKM", 795, "Turkmenistan", &[]),
    country("TN", "TUN", 788, "Tunisia", &["Republic of Tunisia"]),
    country("TO", "TON", 776, "Tonga", &["Kingdom of Tonga"]),
    country("TR", "TUR", 792, "Türkiye", &["Turkey", "Turkiye", "Republic of Türkiye"]),
    country("TT", "TTO", 780, "Trinidad and Tobago", &["Republic of Trinidad and Tobago"]),
    country("TV", "TUV", 798, "Tuvalu", &[]),
    country("TW", "TWN", 158, "Taiwan", &["Republic of China", "Taiwan, Province of China"]),
    country("TZ", "TZA", 834, "Tanzania", &["United Republic of Tanzania", "Tanzania, United Republic of"]),
    country("UA", "UKR", 804, "Ukraine", &["Ukraina"]),
    country("UG", "UGA", 800, "Uganda", &["Republic of Uganda"]),
    country("UM", "UMI", 581, "United States Minor Outlying Islands", &[]),
    country(
        "US",
        "USA",
        840,
        "United States",
        &[
            "USA",
            "U.S.",
            "U.S.A.",
            "United States of America",
            "America",
            "the States",
            "Etats-Unis",
            "Estados Unidos",
            "Vereinigte Staaten",
            "VSA",
        ],
    ),
    country("UY", "URY", 858, "Uruguay", &["Eastern Republic of Uruguay"]),
    country("UZ", "UZB", 860, "Uzbekistan", &["Republic of Uzbekistan"]),
    country("VA", "VAT", 336, "Holy See", &["Vatican", "Vatican City", "Holy See (Vatican City State)"]),
    country("VC", "VCT", 670, "Saint Vincent and the Grenadines", &[]),
    country("VE", "VEN", 862, "Venezuela", &["Bolivarian Republic of Venezuela", "Venezuela, Bolivarian Republic of"]),
    country("VG", "VGB", 92, "British Virgin Islands", &["Virgin Islands, British"]),
    country(
        "VI",
        "VIR",
        850,
        "United States Virgin Islands",
        &["Virgin Islands, U.S.", "Virgin Islands of the United States"],
    ),
    country("VN", "VNM", 704, "Viet Nam", &["Vietnam", "Socialist Republic of Viet Nam"]),
    country("VU", "VUT", 548, "Vanuatu", &["Republic of Vanuatu"]),
    country("WF", "WLF", 876, "Wallis and Futuna", &[]),
    country("WS", "WSM", 882, "Samoa", &["Independent State of Samoa"]),
    country("YE", "YEM", 887, "Yemen", &["Republic of Yemen"]),
    country("YT", "MYT", 175, "Mayotte", &[]),
    country(
        "ZA",
        "ZAF",
        710,
        "South Africa",
        &[
            "RSA",
            "S.A.",
            "South Afrika",
            "Suid-Afrika",
            "Suid Afrika",
            "Republic of South Africa",
            "Republiek van Suid-Afrika",
            "Mzansi",
            "Afrique du Sud",
            "Südafrika",
            "iNingizimu Afrika",
            "Zuid-Afrika",
            "Sudafrica",
            "S Africa",
            "Sth Africa",
            "SouthAfrica",
        ],
    ),
    country("ZM", "ZMB", 894, "Zambia", &["Zambië", "Republic of Zambia"]),
    country("ZW", "ZWE", 716, "Zimbabwe", &["Rhodesia", "Zim", "Republic of Zimbabwe"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_code_and_name() {
        let check = |input: &str, expected: &str| {
            assert_eq!(parse_country(input).map(|country| country.alpha2), Ok(expected), "{input}");
        };
        for input in [
            "ZA",
            "za",
            "ZAF",
            "zaf",
            "710",
            "RSA",
            "rsa",
            "R.S.A.",
            "South Africa",
            "SOUTH AFRICA",
            " south  africa ",
            "South-Africa",
            "Suid-Afrika",
            "Republic of South Africa",
            "The Republic of South Africa",
            "S Africa",
            "Mzansi",
        ] {
            check(input, "ZA");
        }
        for input in ["GB", "UK", "U.K.", "United Kingdom", "Great Britain", "England", "826"] {
            check(input, "GB");
        }
        for input in ["US", "USA", "U.S.A.", "U S A", "United States of America", "840"] {
            check(input, "US");
        }
        check("NA", "NA");
        check("NO", "NO");
        check("36", "AU");
        check("Côte d\u{2019}Ivoire", "CI");
        check("Ivory Coast", "CI");
        check("Moçambique", "MZ");
        check("Swaziland", "SZ");
        check("Türkiye", "TR");
        check("Turkey", "TR");
        check("DRC", "CD");
        check("Holland", "NL");
        check("the Netherlands", "NL");
        check("Deutschland", "DE");
        check("Korea, Republic of", "KR");
        check("SA", "SA");
        check("S.A.", "ZA");
    }

    #[test]
    fn what_is_no_country_is_refused() {
        let check = |input: &str, expected: &str| assert_eq!(parse_country(input), Err(expected), "{input}");
        check("Gauteng", "country.unknown");
        check("XQ", "country.unknown");
        check("999", "country.unknown");
        check("", "country.empty");
        check("n/a", "country.empty");
        check("-", "country.empty");
    }

    #[test]
    fn every_code_and_name_leads_to_its_country() {
        for country in COUNTRIES {
            for name in [country.alpha2, country.alpha3, country.name] {
                assert_eq!(find(name), Some(country), "{name}");
            }
            assert_eq!(find(&country.numeric.to_string()), Some(country));
            for alias in country.aliases {
                assert!(find(alias).is_some(), "{alias}");
            }
        }
        assert_eq!(COUNTRIES.len(), 249);
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].alpha2 < pair[1].alpha2));
    }

    #[test]
    fn the_rule_counts_codes_apart_from_names() {
        let mut counts = RuleCounts::default();
        let mut scratch = String::new();
        assert_eq!(CountryRule.apply(0, "South Africa", &mut scratch, &mut counts), Outcome::Same);
        assert_eq!(CountryRule.apply(0, "ZA", &mut scratch, &mut counts), Outcome::Changed);
        assert_eq!(scratch, "South Africa");
        scratch.clear();
        assert_eq!(CountryRule.apply(0, "south africa", &mut scratch, &mut counts), Outcome::Changed);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [("country.code", 1), ("country.name", 1)]);
        assert_eq!(CountryRule.apply(0, "Atlantis", &mut scratch, &mut counts), Outcome::Failed("country.unknown"));
    }
}
