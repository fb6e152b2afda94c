//! What became of each facet: who read it, and who gave it back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{items, text};
use crate::servers::http::{encode, get_json};

/// A facet by where it stands and its key.
type Facet = (String, String);

/// Where a facet was sent: the run, the job or the dataset that has it, and what was sent last.
#[derive(Default)]
struct Sent {
    events: u64,
    last: BTreeMap<Node, Value>,
}

/// What has a facet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Run(String),
    Job { namespace: String, name: String, parent: String },
    Dataset { namespace: String, name: String },
    DatasetOfRun { run: String, namespace: String, name: String },
}

/// The facets of some events and what became of each.
#[derive(Default)]
pub(super) struct Table {
    sent: BTreeMap<Facet, Sent>,
    columns: Vec<&'static str>,
    cells: BTreeMap<Facet, BTreeMap<&'static str, String>>,
}

impl Table {
    /// Counts the facets of events.
    pub(super) fn of(events: &[Value]) -> Self {
        let mut table = Self::default();
        for event in events {
            let run = text(&event["run"]["runId"]).to_owned();
            table.add("run", &event["run"]["facets"], &Node::Run(run.clone()));
            let parent = text(&event["run"]["facets"]["parent"]["job"]["name"]).to_owned();
            let (namespace, name) = named(&event["job"]);
            table.add("job", &event["job"]["facets"], &Node::Job { namespace, name, parent });
            for (list, place, own) in [("inputs", "input", "inputFacets"), ("outputs", "output", "outputFacets")] {
                for dataset in items(&event[list]) {
                    let (namespace, name) = named(dataset);
                    let node = Node::Dataset { namespace: namespace.clone(), name: name.clone() };
                    table.add("dataset", &dataset["facets"], &node);
                    table.add(place, &dataset[own], &Node::DatasetOfRun { run: run.clone(), namespace, name });
                }
            }
        }
        table
    }

    fn add(&mut self, place: &str, facets: &Value, node: &Node) {
        for (key, value) in facets.as_object().into_iter().flatten() {
            let sent = self.sent.entry((place.to_owned(), key.clone())).or_default();
            sent.events += 1;
            sent.last.insert(node.clone(), value.clone());
        }
    }

    /// Adds what a reader made of each facet: the class that took it, and how often it wrote the same again.
    ///
    /// `differences` are the places where it wrote something else, each beginning with its path in the event.
    pub(super) fn add_readings<'a>(
        &mut self,
        column: &'static str,
        readings: impl Iterator<Item = &'a Value>,
        differences: &[&str],
    ) {
        self.columns.push(column);
        let mut read: BTreeMap<Facet, (String, u64)> = BTreeMap::new();
        for reading in readings {
            let facet = (text(&reading["where"]).to_owned(), text(&reading["key"]).to_owned());
            let (class, events) = read.entry(facet).or_default();
            class.clone_from(&text(&reading["class"]).to_owned());
            *events += reading["events"].as_u64().unwrap_or(1);
        }
        for (facet, (class, events)) in read {
            let changed: BTreeSet<&str> = differences
                .iter()
                .filter_map(|path| facet_of(path))
                .filter(|(_, it)| *it == facet)
                .map(|it| it.0)
                .collect();
            let same = events.saturating_sub(changed.len() as u64);
            self.cells.entry(facet).or_default().insert(column, format!("{class}: {same} of {events} same"));
        }
    }

    /// Adds what Marquez gives back of each facet, and from where.
    pub(super) fn add_marquez(&mut self, port: u16) {
        const COLUMN: &str = "Marquez";
        self.columns.push(COLUMN);
        for (facet, sent) in &self.sent {
            let (mut equal, mut changed, mut dropped, mut endpoint) = (0, 0, 0, String::new());
            for (node, value) in &sent.last {
                let (path, found) = ask_marquez(port, node, &facet.0, &facet.1);
                endpoint = path;
                match found {
                    Some(found) if found == *value => equal += 1,
                    Some(_) => changed += 1,
                    None => dropped += 1,
                }
            }
            let cell = format!("{equal} equal, {changed} changed, {dropped} dropped ({endpoint})");
            self.cells.entry(facet.clone()).or_default().insert(COLUMN, cell);
        }
    }

    /// Prints the table.
    pub(super) fn print(&self) {
        print!("{:<9}{:<22}{:>5}", "where", "facet", "sent");
        self.columns.iter().for_each(|column| print!("  {column:<55}"));
        println!();
        for ((place, key), sent) in &self.sent {
            print!("{place:<9}{key:<22}{:>5}", sent.events);
            for column in &self.columns {
                print!("  {:<55}", self.cell(place, key, column));
            }
            println!();
        }
    }

    /// Returns the table for the summary.
    pub(super) fn to_json(&self) -> Value {
        let rows = self.sent.iter().map(|((place, key), sent)| {
            let mut row = json!({"where": place, "facet": key, "sent": sent.events});
            for column in &self.columns {
                row[*column] = json!(self.cell(place, key, column));
            }
            row
        });
        rows.collect()
    }

    /// Lists the facets that a reader did not take: neither by a class of its own nor as an extension.
    pub(super) fn not_taken(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (place, key) in self.sent.keys() {
            for column in &self.columns {
                let cell = self.cell(place, key, column);
                if cell == "-" || cell.starts_with("dropped") {
                    lost.push(format!("{place}/{key} by {column}"));
                }
            }
        }
        lost
    }

    fn cell(&self, place: &str, key: &str, column: &str) -> &str {
        let row = self.cells.get(&(place.to_owned(), key.to_owned()));
        row.and_then(|row| row.get(column)).map_or("-", String::as_str)
    }
}

/// Returns the place of a facet in the path of a difference, and the facet.
fn facet_of(difference: &str) -> Option<(&str, Facet)> {
    const PLACES: &[(&str, &str, &str)] = &[
        ("/run/", "/facets/", "run"),
        ("/job/", "/facets/", "job"),
        ("/inputs/", "/inputFacets/", "input"),
        ("/outputs/", "/outputFacets/", "output"),
        ("puts/", "/facets/", "dataset"),
    ];
    let path = difference.split(": sent").next()?;
    let (_, set, place) = PLACES.iter().find(|(node, set, _)| path.contains(node) && path.contains(set))?;
    let start = path.find(set)? + set.len();
    let key = path[start..].split('/').next()?;
    Some((&path[..start + key.len()], ((*place).to_owned(), key.to_owned())))
}

fn named(node: &Value) -> (String, String) {
    (text(&node["namespace"]).to_owned(), text(&node["name"]).to_owned())
}

/// Asks Marquez for one facet; gives the endpoint, with its variable parts named, and what it holds.
fn ask_marquez(port: u16, node: &Node, place: &str, key: &str) -> (String, Option<Value>) {
    match node {
        Node::Run(run) => {
            let answer = get_json(port, &format!("/api/v1/jobs/runs/{run}/facets?type=run"));
            ("/jobs/runs/{id}/facets?type=run".to_owned(), answer.ok().and_then(|it| it["facets"].get(key).cloned()))
        }
        Node::Job { namespace, name, parent } => {
            let answer = marquez_job(port, namespace, name, parent);
            ("/namespaces/{ns}/jobs/{job}".to_owned(), answer.ok().and_then(|it| it["facets"].get(key).cloned()))
        }
        Node::Dataset { namespace, name } => {
            let path = format!("/api/v1/namespaces/{}/datasets/{}", encode(namespace), encode(name));
            let answer = get_json(port, &path).ok().and_then(|it| it["facets"].get(key).cloned());
            ("/namespaces/{ns}/datasets/{ds}".to_owned(), answer)
        }
        Node::DatasetOfRun { run, namespace, name } => {
            let list = if place == "input" { "inputDatasetVersions" } else { "outputDatasetVersions" };
            let answer = get_json(port, &format!("/api/v1/jobs/runs/{run}")).ok();
            let found = answer.and_then(|it| {
                let mine = |version: &&Value| named(&version["datasetVersionId"]) == (namespace.clone(), name.clone());
                items(&it[list]).find(mine).and_then(|version| version["facets"].get(key).cloned())
            });
            (format!("/jobs/runs/{{id}} {list}"), found)
        }
    }
}

/// Returns a job; Marquez puts the name of its parent before that of a child.
pub(super) fn marquez_job(port: u16, namespace: &str, name: &str, parent: &str) -> Result<Value, String> {
    let path = |name: &str| format!("/api/v1/namespaces/{}/jobs/{}", encode(namespace), encode(name));
    get_json(port, &path(name)).or_else(|error| {
        if parent.is_empty() { Err(error) } else { get_json(port, &path(&format!("{parent}.{name}"))) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_belongs_to_its_facet() {
        let check = |difference: &str, place: &str, key: &str| {
            assert_eq!(facet_of(difference).map(|it| it.1), Some((place.to_owned(), key.to_owned())), "{difference}");
        };
        check("/run/facets/parent/run/runId: sent 1, written again 2", "run", "parent");
        check("/job/facets/tags/tags/0: sent 1", "job", "tags");
        check("/inputs/3/facets/schema/fields/1/name: sent 1", "dataset", "schema");
        check("/inputs/3/inputFacets/inputStatistics/size: sent 1", "input", "inputStatistics");
        check("a.ndjson:7: /outputs/0/outputFacets/outputStatistics: sent 1", "output", "outputStatistics");
        assert_eq!(facet_of("/eventTime: sent 1").map(|it| it.1), None);
    }
}
