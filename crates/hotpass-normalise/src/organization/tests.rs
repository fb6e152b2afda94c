use arrow::array::{Array, StringArray};
use proptest::prelude::*;

use super::*;

/// Display, core, legal form, branch and trading name of a name in South African data.
#[track_caller]
fn check(input: &str, display: &str, core: &str, form: &str, branch: &str, trading_as: &str) {
    let name = parse_organization(input, "ZA");
    let got = (
        name.display.as_str(),
        name.core.as_str(),
        name.legal_form.map_or("", |form| form.code),
        name.branch.as_deref().unwrap_or(""),
        name.trading_as.as_deref().unwrap_or(""),
    );
    assert_eq!(got, (display, core, form, branch, trading_as), "{input}");
}

#[test]
fn names_in_parts() {
    check("Aero Club", "Aero Club", "Aero Club", "", "", "");
    check("Aero (PTY) LTD.", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero Pty Ltd", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero, (Pty)Ltd", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero P/L", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero (Proprietary) Limited", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero\n(Pty) Ltd", "Aero (Pty) Ltd", "Aero", "za.pty_ltd", "", "");
    check("Aero C.C.", "Aero CC", "Aero", "za.cc", "", "");
    check("Aero cc", "Aero CC", "Aero", "za.cc", "", "");
    check("Aero Incorporated", "Aero Inc.", "Aero", "za.inc", "", "");
    check("Aero SOC Limited", "Aero SOC Ltd", "Aero", "za.soc_ltd", "", "");
    check("Aero (Durban)", "Aero (Durban)", "Aero", "", "Durban", "");
    check("Aero (Durban North) CC", "Aero (Durban North) CC", "Aero", "za.cc", "Durban North", "");
    check("Aero CC (Durban)", "Aero CC (Durban)", "Aero", "za.cc", "Durban", "");
    check("Aero Pty Ltd - Durban", "Aero (Pty) Ltd - Durban", "Aero", "za.pty_ltd", "Durban", "");
    check("Aero - Durban Branch", "Aero - Durban Branch", "Aero", "", "Durban Branch", "");
    check("Aero - Engineers", "Aero - Engineers", "Aero - Engineers", "", "", "");
    check("Aero (Pty) Ltd t/a Wings", "Aero (Pty) Ltd t/a Wings", "Aero", "za.pty_ltd", "", "Wings");
    check("Aero CC T/A Wings", "Aero CC t/a Wings", "Aero", "za.cc", "", "Wings");
    check("Aero trading as Wings", "Aero t/a Wings", "Aero", "", "", "Wings");
    check("Aero CC (t/a Wings)", "Aero CC t/a Wings", "Aero", "za.cc", "", "Wings");
    check("Aero o/b Wings CC", "Aero o/b Wings CC", "Aero", "za.cc", "", "Wings");
    check("Aero d/b/a Wings", "Aero t/a Wings", "Aero", "", "", "Wings");
    check("South African Airways (SAA)", "South African Airways (SAA)", "South African Airways", "", "", "");
    check("Aero (formerly Wings)", "Aero (formerly Wings)", "Aero", "", "", "");
    check(
        "AERO CLUB OF SPRINGS (PTY) LTD",
        "Aero Club of Springs (Pty) Ltd",
        "Aero Club of Springs",
        "za.pty_ltd",
        "",
        "",
    );
    check("WLT", "WLT", "WLT", "", "", "");
    check("WLT CC", "WLT CC", "WLT", "za.cc", "", "");
    check("Mandela Trust", "Mandela Trust", "Mandela", "za.trust", "", "");
    check("Trust", "Trust", "Trust", "", "", "");
    check("Co", "Co", "Co", "", "", "");
    check("(Pty) Ltd", "(Pty) Ltd", "(Pty) Ltd", "", "", "");
    check("Delta Holdings Group", "Delta Holdings Group", "Delta Holdings Group", "", "", "");
    check("Procter & Gamble Company", "Procter & Gamble Company", "Procter & Gamble", "us.co", "", "");
    check("Van Niekerk NPC CC", "Van Niekerk NPC CC", "Van Niekerk", "za.cc", "", "");
    check(
        "de Villiers Water (Durban South) Ltd",
        "de Villiers Water (Durban South) Ltd",
        "de Villiers Water",
        "za.ltd",
        "Durban South",
        "",
    );
    check("Siemens AG", "Siemens AG", "Siemens", "de.ag", "", "");
    check("Sasol SA", "Sasol SA", "Sasol SA", "", "", "");
    check("Aero (Pty) Ltd (RF)", "Aero (RF) (Pty) Ltd", "Aero", "za.pty_ltd_rf", "", "");
    check("Umoja & Sons Ltd.", "Umoja & Sons Ltd", "Umoja & Sons", "za.ltd", "", "");
    check("", "", "", "", "", "");
}

#[test]
fn spellings_of_one_name_share_a_key() {
    for (key, spellings) in [
        (
            "aero club",
            &["Aero Club (Pty) Ltd", "The Aero Club", "AERO CLUB CC", "Aero Club P/L", "aero club limited"][..],
        ),
        ("lukazi and berg", &["Lukazi & Berg CC", "Lukazi and Berg", "LUKAZI AND BERG C.C."]),
        (
            "aero maintenance @ durban",
            &["Aero Maint (Durban)", "Aero Maintenance (Durban) CC", "Aero Maint CC - Durban"],
        ),
        ("aero", &["Aero (Head Office)", "Aero CC - Head Office", "Aero"]),
        ("mandela trust", &["Mandela Trust", "Mandela Trust CC", "The Mandela Trust"]),
        ("procter and gamble", &["Procter & Gamble Co.", "The Procter and Gamble Company"]),
    ] {
        for spelling in spellings {
            assert_eq!(parse_organization(spelling, "ZA").expanded_key, key, "{spelling}");
        }
    }
}

#[test]
fn canonical_spellings_are_stable() {
    for country in ["ZA", "GB", "US", "DE", "FR", "PL", "BR"] {
        for input in [
            "Aero Ltd",
            "Aero GmbH & Co. KG",
            "Aero SARL",
            "Aero Sp. z o.o.",
            "Aero S/A",
            "Aero Pvt Limited",
            "Aero K.K.",
        ] {
            let once = parse_organization(input, country).display;
            assert_eq!(parse_organization(&once, country).display, once);
        }
    }
}

#[test]
fn similarity_sees_through_legal_forms_acronyms_and_trading_names() {
    let alike = |a: &str, b: &str| organization_similarity(&parse_organization(a, "ZA"), &parse_organization(b, "ZA"));
    assert!(alike("LMARP", "Leopard Magalies Auto Repairs (Pty) Ltd") >= 0.8);
    assert!(alike("Aero CC t/a Wings of Durban", "Wings of Durban") >= 0.9);
    assert!(alike("Aero (Durban)", "Aero (Springs)") < 0.6);
    assert!(alike("Mzagazi Plumbing", "Mzagazi Primary School") < 0.6);
}

#[test]
fn columns_keep_rows_aligned() {
    let values =
        StringArray::from(vec![Some("Aero CC (Durban)"), None, Some("-"), Some("123"), Some("Wing Maint Pty Ltd")]);
    let columns = organization_columns(&values, "ZA", &TextRule::default());
    assert_eq!(columns.display.value(0), "Aero CC (Durban)");
    assert_eq!(columns.branch.value(0), "Durban");
    assert_eq!(columns.key.value(4), "wing maint");
    assert_eq!(columns.expanded_key.value(4), "wing maintenance");
    assert_eq!(columns.legal_form.value(4), "(Pty) Ltd");
    assert_eq!(columns.display.null_count(), 3);
    assert_eq!(columns.failures.len(), 1);
    assert_eq!(columns.failures[0].row, 3);
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(input in "\\PC{0,40}|[A-Za-z .,()&/'-]{0,40}( \\(?Pty\\)? Ltd| CC| t/a [A-Z]{1,9}| \\([A-Za-z ]{1,9}\\))?") {
        let rule = OrganizationRule::new("ZA", TextRule::default());
        let mut once = String::new();
        if rule.apply(0, &input, &mut once, &mut RuleCounts::default()) == Outcome::Changed {
            let mut twice = String::new();
            let outcome = rule.apply(0, &once, &mut twice, &mut RuleCounts::default());
            prop_assert_eq!((outcome, twice), (Outcome::Same, String::new()), "{:?} gave {:?}", input, once);
        }
        let _ = parse_organization(&input, "PL");
    }
}
