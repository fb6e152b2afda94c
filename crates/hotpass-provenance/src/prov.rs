//! Provenance in the words of the W3C: a run, or one published row of it, as PROV-JSON.
//!
//! Source: W3C member submission *The PROV-JSON Serialization* (2013), over *PROV-DM* (2013).

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::explain::{CellTrace, Explanation, FieldExplanation};
use crate::manifest::{FileRecord, Manifest};

/// Files of the run folder by the stage that makes them; all others are made when the run is published.
const MADE_BY: &[(&str, &[&str])] = &[
    ("read", &["quarantine.parquet"]),
    ("group", &["crosswalk.parquet", "links.parquet", "review_queue.parquet", "linkage_keys.parquet"]),
    ("survive", &["golden.parquet", "provenance.parquet", "conflicts.parquet", "contacts.parquet"]),
];

/// Returns a run as a PROV-JSON document: its source files, stages, tables and outputs, and who is behind it.
///
/// With explanations of published rows, their cells are in it too: each derived from the source cell that won, by the rule
/// that chose it. The times of a stage are reckoned from the run's start and the seconds of the stages before it.
pub fn prov_document(manifest: &Manifest, operator: Option<&str>, rows: &[Explanation]) -> Value {
    let mut document = Document::default();
    let run = document.run(manifest, operator);
    let stages = document.stages(manifest, &run);
    let stage = |name: &str| stages.iter().find(|stage| stage.0 == name).map_or(run.clone(), |stage| stage.1.clone());
    let dataset = dataset(manifest);
    let dataset = document.entity("dataset", json!({"prov:label": dataset, "prov:type": qualified("hotpass:Dataset")}));
    let inputs: Vec<(String, String)> = manifest
        .inputs
        .iter()
        .enumerate()
        .map(|(number, record)| {
            let id = document.file(&format!("input-{number}"), record, "hotpass:SourceFile");
            document.used(&stage("read"), &id);
            (record.path.clone(), id)
        })
        .collect();
    let mut golden = None;
    for (number, record) in manifest.artefacts.iter().enumerate() {
        let id = document.file(&format!("artefact-{number}"), record, "hotpass:Artefact");
        let maker =
            MADE_BY.iter().find(|(_, files)| files.contains(&record.path.as_str())).map_or("publish", |made| made.0);
        document.generated(&id, &stage(maker), manifest.finished_at.as_deref());
        document.attributed(&id, "hotpass:software");
        if record.path == "golden.parquet" {
            for (_, input) in &inputs {
                document.derived(&id, input, &stage("survive"), None);
            }
            document.used(&stage("publish"), &id);
            document.relation("specializationOf", [("prov:specificEntity", &*id), ("prov:generalEntity", &*dataset)]);
            golden = Some(id);
        }
    }
    for (number, record) in manifest.outputs.iter().enumerate() {
        let id = document.file(&format!("output-{number}"), record, "hotpass:Output");
        document.generated(&id, &stage("publish"), manifest.finished_at.as_deref());
        document.attributed(&id, "hotpass:software");
        let from: Vec<&String> =
            golden.as_ref().map_or_else(|| inputs.iter().map(|(_, id)| id).collect(), |id| vec![id]);
        for from in from {
            document.derived(&id, from, &stage("publish"), None);
        }
    }
    for (number, row) in rows.iter().enumerate() {
        document.row(number, row, &inputs, golden.as_deref(), &stage("read"), &stage("survive"));
    }
    document.finish(manifest)
}

/// Returns the name of the published dataset.
fn dataset(manifest: &Manifest) -> &str {
    manifest.config["data_contract"]["dataset"].as_str().unwrap_or(&manifest.command)
}

fn qualified(name: &str) -> Value {
    json!({"$": name, "type": "prov:QUALIFIED_NAME"})
}

fn integer(value: u64) -> Value {
    json!({"$": value.to_string(), "type": "xsd:long"})
}

#[derive(Default)]
struct Document {
    sections: Map<String, Value>,
    relations: u64,
}

impl Document {
    fn put(&mut self, section: &str, id: &str, value: Value) {
        let section = self.sections.entry(section).or_insert_with(|| json!({}));
        section[id] = value;
    }

    fn entity(&mut self, name: &str, attributes: Value) -> String {
        let id = format!("run:{name}");
        self.put("entity", &id, attributes);
        id
    }

    fn relation<const N: usize>(&mut self, kind: &str, members: [(&str, &str); N]) {
        self.relations += 1;
        let id = format!("_:r{}", self.relations);
        let members: Map<String, Value> =
            members.into_iter().map(|(role, id)| (role.to_owned(), Value::from(id))).collect();
        self.put(kind, &id, Value::Object(members));
    }

    fn used(&mut self, activity: &str, entity: &str) {
        self.relation("used", [("prov:activity", activity), ("prov:entity", entity)]);
    }

    fn generated(&mut self, entity: &str, activity: &str, time: Option<&str>) {
        let members = [("prov:entity", entity), ("prov:activity", activity)];
        match time {
            Some(time) => self.relation("wasGeneratedBy", [members[0], members[1], ("prov:time", time)]),
            None => self.relation("wasGeneratedBy", members),
        }
    }

    fn derived(&mut self, entity: &str, from: &str, activity: &str, rule: Option<&str>) {
        let members = [("prov:generatedEntity", entity), ("prov:usedEntity", from), ("prov:activity", activity)];
        match rule {
            Some(rule) => {
                self.relation("wasDerivedFrom", [members[0], members[1], members[2], ("hotpass:rule", rule)]);
            }
            None => self.relation("wasDerivedFrom", members),
        }
    }

    fn attributed(&mut self, entity: &str, agent: &str) {
        self.relation("wasAttributedTo", [("prov:entity", entity), ("prov:agent", agent)]);
    }

    /// Puts the run and its agents down, and returns the run.
    fn run(&mut self, manifest: &Manifest, operator: Option<&str>) -> String {
        let id = "run:activity".to_owned();
        let mut activity = json!({
            "prov:startTime": manifest.started_at,
            "prov:label": format!("hotpass {}", manifest.command),
            "prov:type": qualified("hotpass:Run"),
            "hotpass:runId": manifest.run_id,
            "hotpass:profile": manifest.profile,
            "hotpass:configSha256": manifest.config_digest,
        });
        if let Some(finished) = &manifest.finished_at {
            activity["prov:endTime"] = finished.as_str().into();
        }
        self.put("activity", &id, activity);
        let version = manifest.versions.get("hotpass").cloned().unwrap_or_default();
        let software = json!({
            "prov:type": qualified("prov:SoftwareAgent"), "prov:label": "hotpass", "hotpass:version": version,
        });
        self.put("agent", "hotpass:software", software);
        self.associated(&id);
        if let Some(operator) = operator {
            let person = json!({"prov:type": qualified("prov:Person"), "prov:label": operator});
            self.put("agent", "run:operator", person);
            self.relation("wasAssociatedWith", [("prov:activity", &*id), ("prov:agent", "run:operator")]);
            self.relation(
                "actedOnBehalfOf",
                [("prov:delegate", "hotpass:software"), ("prov:responsible", "run:operator"), ("prov:activity", &*id)],
            );
        }
        id
    }

    fn associated(&mut self, activity: &str) {
        self.relation("wasAssociatedWith", [("prov:activity", activity), ("prov:agent", "hotpass:software")]);
    }

    /// Puts the stages down, each after the one before, and returns them by name.
    fn stages(&mut self, manifest: &Manifest, run: &str) -> Vec<(String, String)> {
        let mut at = DateTime::parse_from_rfc3339(&manifest.started_at).ok().map(|time| time.with_timezone(&Utc));
        let mut before = run.to_owned();
        let mut stages = Vec::new();
        for (number, stage) in manifest.stages.iter().enumerate() {
            let id = format!("run:stage-{number}");
            let mut activity = json!({
                "prov:label": stage.name,
                "prov:type": qualified("hotpass:Stage"),
                "hotpass:rowsIn": integer(stage.rows_in),
                "hotpass:rowsOut": integer(stage.rows_out),
            });
            at = at.zip(stage.seconds).map(|(start, seconds)| {
                let end = start + TimeDelta::microseconds((seconds * 1e6) as i64);
                let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
                activity["prov:startTime"] = text(start).into();
                activity["prov:endTime"] = text(end).into();
                end
            });
            self.put("activity", &id, activity);
            self.associated(&id);
            self.relation("wasInformedBy", [("prov:informed", &*id), ("prov:informant", &*before)]);
            before.clone_from(&id);
            stages.push((stage.name.clone(), id));
        }
        stages
    }

    fn file(&mut self, name: &str, record: &FileRecord, kind: &str) -> String {
        let mut attributes = json!({
            "prov:label": record.path,
            "prov:type": qualified(kind),
            "hotpass:sha256": record.sha256,
            "hotpass:bytes": integer(record.bytes),
        });
        if let Some(rows) = record.rows {
            attributes["hotpass:rows"] = integer(rows);
        }
        self.entity(name, attributes)
    }

    /// Puts a published row down, with its cells and where they come from.
    fn row(
        &mut self,
        number: usize,
        row: &Explanation,
        inputs: &[(String, String)],
        golden: Option<&str>,
        read: &str,
        survive: &str,
    ) {
        let id = self.entity(
            &format!("row-{number}"),
            json!({
                "prov:label": row.organization_name,
                "prov:type": [qualified("hotpass:Row"), qualified("prov:Collection")],
                "hotpass:entityId": row.entity_id,
                "hotpass:row": integer(row.row),
            }),
        );
        let entity = format!("entity:{}", row.entity_id);
        self.put("entity", &entity, json!({"prov:type": qualified("hotpass:Organization")}));
        self.relation("specializationOf", [("prov:specificEntity", &*id), ("prov:generalEntity", &*entity)]);
        self.generated(&id, survive, None);
        if let Some(golden) = golden {
            self.relation("hadMember", [("prov:collection", golden), ("prov:entity", &*id)]);
        }
        for (position, field) in row.fields.iter().enumerate() {
            self.cell(&format!("row-{number}-{position}"), field, &id, inputs, read, survive);
        }
    }

    /// Puts a published cell down: source file → source cell → normalised cell → published cell.
    fn cell(
        &mut self,
        name: &str,
        field: &FieldExplanation,
        row: &str,
        inputs: &[(String, String)],
        read: &str,
        survive: &str,
    ) {
        let cell = self.entity(
            &format!("{name}-cell"),
            json!({
                "prov:label": field.field,
                "prov:type": qualified("hotpass:Cell"),
                "prov:value": field.value,
                "hotpass:rule": field.rule,
                "hotpass:contributors": integer(u64::from(field.contributors)),
            }),
        );
        self.relation("hadMember", [("prov:collection", row), ("prov:entity", &*cell)]);
        self.generated(&cell, survive, None);
        for (number, trace) in std::iter::once(&field.winner).chain(&field.losers).enumerate() {
            let normalised = self.trace(&format!("{name}-source-{number}"), trace, inputs, read);
            self.used(survive, &normalised);
            if number == 0 {
                self.derived(&cell, &normalised, survive, Some(&field.rule));
            }
        }
    }

    /// Puts a source cell down as it stands and as it is after normalisation, and returns the latter.
    fn trace(&mut self, name: &str, trace: &CellTrace, inputs: &[(String, String)], read: &str) -> String {
        let label = trace.to_string();
        let raw = self.entity(
            name,
            json!({
                "prov:label": label, "prov:type": qualified("hotpass:SourceCell"),
                "prov:value": trace.raw_value.as_deref().unwrap_or_default(),
                "hotpass:header": trace.header.as_deref().unwrap_or_default(),
            }),
        );
        if let Some((_, input)) = inputs.iter().find(|(path, _)| *path == trace.file) {
            self.derived(&raw, input, read, None);
        }
        let mut attributes = json!({
            "prov:label": label, "prov:type": qualified("hotpass:NormalisedCell"),
            "prov:value": trace.value.as_deref().unwrap_or_default(),
        });
        if !trace.steps.is_empty() {
            attributes["hotpass:steps"] = json!(trace.steps);
        }
        let normalised = self.entity(&format!("{name}-normalised"), attributes);
        self.generated(&normalised, read, None);
        self.derived(&normalised, &raw, read, None);
        normalised
    }

    fn finish(mut self, manifest: &Manifest) -> Value {
        let prefix = json!({
            "hotpass": "https://hotpass.dev/ns/prov#",
            "run": format!("urn:uuid:{}#", manifest.run_id),
            "entity": "https://hotpass.dev/ns/entity#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        });
        let mut document = Map::from_iter([("prefix".to_owned(), prefix)]);
        document.append(&mut self.sections);
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{RunStatus, StageRecord};
    use hotpass_core::{Clock, sha256_bytes};

    fn manifest() -> Manifest {
        let mut manifest = Manifest::start("018bcfe5-6800-7000-8000-000000000000", Clock::fixed_seconds(1_700_000_000));
        let file =
            |path: &str| FileRecord { path: path.to_owned(), sha256: sha256_bytes(path), bytes: 1, rows: Some(2) };
        manifest.inputs = vec![file("a.csv")];
        manifest.artefacts = vec![file("golden.parquet"), file("report.html")];
        manifest.outputs = vec![file("out.xlsx")];
        manifest.stages = ["read", "survive", "publish"]
            .map(|name| StageRecord { name: name.to_owned(), rows_in: 2, rows_out: 2, seconds: Some(1.5) })
            .into();
        manifest.finish(RunStatus::Completed, Clock::fixed_seconds(1_700_000_009));
        manifest
    }

    fn explanation() -> Explanation {
        let cell = |row, raw: &str| CellTrace {
            source_dataset: None,
            file: "a.csv".to_owned(),
            sheet: None,
            row,
            column: Some("B".to_owned()),
            header: Some("Mail".to_owned()),
            value: Some("x@a.example".to_owned()),
            raw_value: Some(raw.to_owned()),
            steps: vec!["email.case".to_owned()],
        };
        Explanation {
            run_id: "018bcfe5-6800-7000-8000-000000000000".to_owned(),
            entity_id: "e1".to_owned(),
            row: 1,
            organization_name: "Acacia".to_owned(),
            fields: vec![FieldExplanation {
                field: "contact_primary_email".to_owned(),
                value: "x@a.example".to_owned(),
                rule: "frequency".to_owned(),
                winner: cell(2, "X@a.example"),
                contributors: 2,
                losers: vec![cell(3, "y@a.example")],
            }],
        }
    }

    /// Returns what an entity is derived from.
    fn sources<'a>(document: &'a Value, entity: &str) -> Vec<&'a str> {
        let relations = document["wasDerivedFrom"].as_object().into_iter().flat_map(Map::values);
        relations
            .filter(|relation| relation["prov:generatedEntity"] == entity)
            .filter_map(|relation| relation["prov:usedEntity"].as_str())
            .collect()
    }

    #[test]
    fn outputs_lead_back_to_inputs_and_cells_to_source_cells() {
        let document = prov_document(&manifest(), Some("thandi"), &[explanation()]);
        assert_eq!(sources(&document, "run:output-0"), ["run:artefact-0"]);
        assert_eq!(sources(&document, "run:artefact-0"), ["run:input-0"]);
        assert_eq!(sources(&document, "run:row-0-0-cell"), ["run:row-0-0-source-0-normalised"]);
        assert_eq!(sources(&document, "run:row-0-0-source-0-normalised"), ["run:row-0-0-source-0"]);
        assert_eq!(sources(&document, "run:row-0-0-source-0"), ["run:input-0"]);
        assert_eq!(document["entity"]["run:row-0-0-source-0"]["prov:value"], "X@a.example");
        assert_eq!(document["activity"]["run:stage-1"]["prov:startTime"], "2023-11-14T22:13:21.500000Z");
        assert_eq!(document["agent"]["run:operator"]["prov:label"], "thandi");
    }

    #[test]
    fn every_relation_names_what_is_there() {
        let document = prov_document(&manifest(), Some("thandi"), &[explanation()]);
        let known: Vec<&String> = ["entity", "activity", "agent"]
            .iter()
            .filter_map(|section| document[section].as_object())
            .flat_map(Map::keys)
            .collect();
        let mut named = 0;
        for (section, content) in document.as_object().into_iter().flatten() {
            if ["prefix", "entity", "activity", "agent"].contains(&section.as_str()) {
                continue;
            }
            for relation in content.as_object().into_iter().flat_map(Map::values) {
                for (role, id) in relation.as_object().into_iter().flatten() {
                    if !["prov:time", "hotpass:rule"].contains(&role.as_str()) {
                        assert!(known.iter().any(|known| id == known.as_str()), "{section}: {role} names {id}");
                        named += 1;
                    }
                }
            }
        }
        assert!(named > 50, "{named}");
    }
}
