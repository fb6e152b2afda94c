//! The invented organisations and people that every sample file speaks of.

/// An invented organisation.
pub(super) struct Organization {
    /// Name without legal form.
    pub(super) name: &'static str,
    /// Legal form; empty when it has none.
    pub(super) legal_form: &'static str,
    /// What it is.
    pub(super) kind: &'static str,
    /// Street.
    pub(super) street: &'static str,
    /// Town.
    pub(super) town: &'static str,
    /// Its web domain, without `.example`.
    pub(super) domain: &'static str,
}

impl Organization {
    /// Returns the name with its legal form.
    pub(super) fn full_name(&self) -> String {
        if self.legal_form.is_empty() { self.name.to_owned() } else { format!("{} {}", self.name, self.legal_form) }
    }
}

const fn organization(
    name: &'static str,
    legal_form: &'static str,
    kind: &'static str,
    street: &'static str,
    town: &'static str,
    domain: &'static str,
) -> Organization {
    Organization { name, legal_form, kind, street, town, domain }
}

/// The organisations; ten museums, ten boat and harbour clubs, ten gardens and farms.
pub(super) const ORGANIZATIONS: &[Organization] = &[
    organization("Saltmarsh Lighthouse Museum", "Ltd", "Museum", "1 Beacon Lane", "Saltmarsh", "saltmarsh-lighthouse"),
    organization("Otterbridge Mill & Weir", "CIC", "Museum", "14 Mill Race", "Otterbridge", "otterbridge-mill"),
    organization("The Marram Ropewalk", "", "Museum", "3 Long Walk", "Marram", "marram-ropewalk"),
    organization("Highbeck Print Works", "Limited", "Museum", "22 Foundry Street", "Highbeck", "highbeck-print"),
    organization("Fenwick Quay Clock Tower", "", "Museum", "Quay Square", "Fenwick Quay", "fenwick-clock"),
    organization("Gannet Point Radio Station", "Ltd", "Museum", "Mast Road", "Saltmarsh", "gannet-radio"),
    organization("Otterbridge Toy Collection", "", "Gallery", "9 High Street", "Otterbridge", "otterbridge-toys"),
    organization("Halfpenny Gallery", "Ltd", "Gallery", "5 Halfpenny Yard", "Highbeck", "halfpenny-gallery"),
    organization("Marram Signal Box", "", "Museum", "Station Approach", "Marram", "marram-signalbox"),
    organization("Saltmarsh Slate & Stone Centre", "CIC", "Museum", "40 Quarry Road", "Saltmarsh", "slate-and-stone"),
    organization("Fenwick Quay Pilot Cutters", "Ltd", "Boats", "2 Slipway", "Fenwick Quay", "fenwick-cutters"),
    organization("Kittiwake Rowing Club", "", "Boats", "Boathouse 4", "Marram", "kittiwake-rowing"),
    organization("Otter Valley Narrowboats", "Limited", "Boats", "Lock Cottage", "Otterbridge", "otter-narrowboats"),
    organization("Saltmarsh Lifeboat Friends", "", "Harbour", "The Old Slip", "Saltmarsh", "saltmarsh-lifeboat"),
    organization("Cormorant Sailing Trust", "Ltd", "Boats", "Pier House", "Fenwick Quay", "cormorant-sailing"),
    organization("Marram Harbour Watch", "", "Harbour", "Harbour Office", "Marram", "marram-harbour"),
    organization("Tern Island Ferry", "Ltd", "Boats", "Ferry Stage", "Saltmarsh", "tern-ferry"),
    organization("Highbeck Model Yacht Society", "", "Boats", "Lake Pavilion", "Highbeck", "highbeck-yachts"),
    organization("Bowline & Sons Chandlers", "Ltd", "Harbour", "17 Net Lane", "Fenwick Quay", "bowline-chandlers"),
    organization("Otterbridge Coracle Makers", "CIC", "Boats", "Weir Cottage", "Otterbridge", "otter-coracles"),
    organization("Larkspur Walled Garden", "", "Garden", "Larkspur Hall", "Highbeck", "larkspur-garden"),
    organization("Hob Hill Working Farm", "Ltd", "Farm", "Hob Hill", "Highbeck", "hobhill-farm"),
    organization("Saltmarsh Seed Library", "CIC", "Garden", "Glasshouse Row", "Saltmarsh", "saltmarsh-seeds"),
    organization("Marram Dune Rangers", "", "Reserve", "Warden's Hut", "Marram", "dune-rangers"),
    organization("Three Elms Orchard", "Limited", "Farm", "Elm Lane", "Otterbridge", "three-elms"),
    organization("Fenwick Physic Garden", "", "Garden", "Apothecary Court", "Fenwick Quay", "fenwick-physic"),
    organization("Otter Meadow Bees", "Ltd", "Farm", "The Hives", "Otterbridge", "otter-bees"),
    organization("Highbeck Fern House", "", "Garden", "Botanic Way", "Highbeck", "highbeck-ferns"),
    organization("Gorse Common Ponies", "", "Reserve", "Gorse Common", "Marram", "gorse-ponies"),
    organization("Château Marram Vineyard", "Ltd", "Farm", "South Slope", "Marram", "chateau-marram"),
];

/// Organisations that only the newsletter knows.
pub(super) const NEWSLETTER_ONLY: &[Organization] = &[
    organization("Café Amélie Tea Rooms", "", "Café", "8 Promenade", "Saltmarsh", "cafe-amelie"),
    organization("Señal Dance Company", "CIC", "Stage", "Old Drill Hall", "Highbeck", "senal-dance"),
    organization("Brontë Lane Bookshop", "Ltd", "Shop", "31 Brontë Lane", "Otterbridge", "bronte-lane"),
];

/// Given name, family name and role of the invented people.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("Priya", "Marsh", "Curator"),
    ("Tomos", "Alder", "Secretary"),
    ("Wren", "Okafor", "Treasurer"),
    ("Isla", "Thackeray", "Chair"),
    ("Edmund", "Quill", "Harbour master"),
    ("Noor", "Fairweather", "Manager"),
    ("Bram", "Hollins", "Head gardener"),
    ("Saoirse", "Penn", "Volunteer lead"),
    ("Mateo", "Larch", "Education officer"),
    ("Greta", "Underhill", "Archivist"),
    ("Idris", "Copperfield", "Trustee"),
];

/// Returns one of the people of an organisation: given name, family name, role.
pub(super) fn person(organization: usize, which: usize) -> (&'static str, &'static str, &'static str) {
    PEOPLE[(organization * 3 + which * 4) % PEOPLE.len()]
}

/// Returns the national digits of an organisation's landline, without the leading zero.
///
/// Ofcom keeps 0161 496 0000 to 0999 for drama.
pub(super) fn landline(organization: usize) -> u64 {
    1_614_960_100 + organization as u64
}

/// Returns the national digits of a person's mobile, without the leading zero.
///
/// Ofcom keeps 07700 900000 to 900999 for drama.
pub(super) fn mobile(organization: usize, which: usize) -> u64 {
    7_700_900_200 + (organization * 2 + which) as u64
}

/// Writes a landline as people do.
pub(super) fn landline_text(organization: usize) -> String {
    let last = landline(organization) % 10_000;
    match organization % 3 {
        0 => format!("0161 496 {last:04}"),
        1 => format!("(0161) 496-{last:04}"),
        _ => format!("+44 161 496 {last:04}"),
    }
}

/// Writes a mobile as people do.
pub(super) fn mobile_text(organization: usize, which: usize) -> String {
    format!("07700 {}", mobile(organization, which) % 1_000_000)
}
