//! The model against the specification's schemas and examples.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use hotpass_lineage::facet::{
    Assertion, Catalog, ColumnLineage, ColumnLineageField, ColumnMetrics, DataQualityAssertions, DataQualityMetrics,
    DataSource, DatasetDocumentation, DatasetFacets, DatasetLineage, DatasetOwnership, DatasetTags, DatasetType,
    DatasetVersion, EnvironmentVariables, ErrorMessage, ExecutionParameters, ExternalQuery, ExtractionError, Facet,
    FacetBody, Hierarchy, InputDataQualityMetrics, InputFacets, InputField, InputStatistics, InputSubset,
    JobDependencies, JobDocumentation, JobFacets, JobLineage, JobOwnership, JobTags, JobType, LifecycleStateChange,
    NominalTime, OutputFacets, OutputStatistics, OutputSubset, Parent, ProcessingEngine, RunFacets, RunTags, Schema,
    SchemaField, SourceCode, SourceCodeLocation, Sql, Storage, Symlinks, TestResults, Transformation,
};
use hotpass_lineage::{
    Event, event::InputDataset, event::Job, event::JobEvent, event::OutputDataset, event::Run, event::RunEvent,
    event::RunState, event::Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Returns the folder of the specification, or says why the test is left out.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn specification() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("HOTPASS_TEST_OPENLINEAGE")
        .map_or_else(|| root.join("../../../shared/openlineage"), PathBuf::from);
    if folder.join("spec").is_dir() {
        return Some(folder.join("spec"));
    }
    eprintln!("skipped: no OpenLineage specification in `{}`; name it with HOTPASS_TEST_OPENLINEAGE", folder.display());
    None
}

fn read(path: &std::path::Path) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

fn json_files(folder: &std::path::Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files)
}

macro_rules! urls {
    ($($body:ty),+ $(,)?) => { [$((<$body>::KEY, <$body>::SCHEMA_URL)),+] };
}

#[test]
fn every_facet_of_the_specification_is_typed_and_names_its_schema() -> Outcome {
    let Some(spec) = specification() else { return Ok(()) };
    let known = urls![
        NominalTime,
        Parent,
        ProcessingEngine,
        ErrorMessage,
        ExecutionParameters,
        EnvironmentVariables,
        ExternalQuery,
        ExtractionError,
        JobDependencies,
        RunTags,
        TestResults,
        JobType,
        JobDocumentation,
        JobOwnership,
        SourceCode,
        SourceCodeLocation,
        Sql,
        JobTags,
        JobLineage,
        DataSource,
        DatasetType,
        DatasetVersion,
        Schema,
        Storage,
        Catalog,
        Hierarchy,
        Symlinks,
        LifecycleStateChange,
        DatasetDocumentation,
        DatasetOwnership,
        DatasetTags,
        DataQualityMetrics,
        ColumnLineage,
        DatasetLineage,
        InputStatistics,
        InputDataQualityMetrics,
        DataQualityAssertions,
        InputSubset,
        OutputStatistics,
        OutputSubset,
    ];
    let mut ids = BTreeSet::new();
    for path in json_files(&spec.join("facets"))? {
        let schema = read(&path)?;
        let id = schema["$id"].as_str().ok_or("a schema without id")?.to_owned();
        for (key, url) in known.iter().filter(|(_, url)| url.split('#').next() == Some(id.as_str())) {
            assert!(schema["properties"].get(*key).is_some(), "{key} in {id}");
            let definition = url.rsplit('/').next().unwrap_or_default();
            assert!(schema["$defs"].get(definition).is_some(), "{definition} in {id}");
        }
        ids.insert(id);
    }
    let typed: BTreeSet<String> =
        known.iter().map(|(_, url)| url.split('#').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(typed, ids);
    assert_eq!(ids.len(), 38);
    Ok(())
}

/// Reads a set of facets, makes sure that none was left untyped, and writes it again.
fn typed<S: DeserializeOwned + Serialize>(value: &Value, other: fn(&S) -> &Map<String, Value>) -> Option<Value> {
    let set: S = serde_json::from_value(value.clone()).ok()?;
    other(&set).is_empty().then(|| serde_json::to_value(&set).ok())?
}

#[test]
fn every_example_of_a_facet_is_read_typed_and_written_as_it_was() -> Outcome {
    let Some(spec) = specification() else { return Ok(()) };
    let mut examples = 0;
    for entry in fs::read_dir(spec.join("tests"))?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        let folder = entry.file_name().to_string_lossy().into_owned();
        for path in json_files(&entry.path())? {
            let value = read(&path)?;
            let run = typed::<RunFacets>(&value, |set| &set.other);
            let job = typed::<JobFacets>(&value, |set| &set.other);
            let dataset = typed::<DatasetFacets>(&value, |set| &set.other);
            let input = typed::<InputFacets>(&value, |set| &set.other);
            let output = typed::<OutputFacets>(&value, |set| &set.other);
            let written = match folder.as_str() {
                "DataQualityAssertionsDatasetFacet" => input,
                "BaseSubsetDatasetFacet" => input.or(output),
                "LineageFacet" => job.or(dataset),
                name if name.ends_with("RunFacet") => run,
                name if name.ends_with("JobFacet") => job,
                name if name.ends_with("InputDatasetFacet") => input,
                name if name.ends_with("OutputDatasetFacet") => output,
                _ => dataset,
            };
            assert_eq!(written.as_ref(), Some(&value), "{}", path.display());
            examples += 1;
        }
    }
    assert!(examples >= 38, "{examples}");
    let text = fs::read_to_string(spec.join("tests/example_full_event.json"))?;
    let event = Event::from_json(&text)?;
    assert!(event.as_run().is_some_and(|run| run.job.facets.as_ref().is_some_and(|facets| facets.sql.is_some())));
    assert_eq!(serde_json::to_value(&event)?, serde_json::from_str::<Value>(&text)?);
    Ok(())
}

#[test]
fn what_the_model_does_not_know_is_kept() -> Outcome {
    let text = json!({
        "eventTime": "2024-01-01T00:00:00.5+02:00",
        "producer": "https://example.com/p",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190163d-8694-739b-aea5-966c26f8ad91", "facets": {
            "spark_properties": {"_producer": "p", "_schemaURL": "s", "properties": {"a": [1, 2.5, null]}},
            "errorMessage": {"_producer": "p", "_schemaURL": "s", "message": "m", "programmingLanguage": "R", "x": 1},
            "nominalTime": {"_producer": "p", "_schemaURL": "s", "nominalStartTime": "no time"},
        }},
        "job": {"namespace": "n", "name": "j"},
        "extra": true,
    });
    let event = Event::from_json(&text.to_string())?;
    let facets = event.as_run().and_then(|run| run.run.facets.as_ref()).ok_or("no facets")?;
    assert_eq!(facets.error_message.as_ref().map(|facet| facet.additional.len()), Some(1));
    assert!(facets.nominal_time.is_none(), "a facet that breaks its schema stays JSON");
    assert_eq!(facets.other.len(), 2);
    assert_eq!(serde_json::to_value(&event)?, text);
    for broken in
        ["[]", "{}", r#"{"eventTime":"yesterday","producer":"p","schemaURL":"s","job":{"namespace":"n","name":"j"}}"#]
    {
        assert!(Event::from_json(broken).is_err(), "{broken}");
    }
    Ok(())
}

/// The specification's schemas, ready to validate.
struct Validators {
    event: jsonschema::Validator,
    /// Key of a facet and `$id` of its schema to the validator of `{key: facet}`.
    facets: BTreeMap<(String, String), jsonschema::Validator>,
}

impl Validators {
    fn load(spec: &std::path::Path) -> Result<Self, Box<dyn std::error::Error>> {
        let core = read(&spec.join("OpenLineage.json"))?;
        let id = core["$id"].as_str().ok_or("no id")?.to_owned();
        let registry = jsonschema::Registry::new().add(id, core.clone())?.prepare()?;
        let build =
            |schema: &Value| jsonschema::options().with_registry(&registry).should_validate_formats(true).build(schema);
        let mut facets = BTreeMap::new();
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/lineage");
        for path in json_files(&spec.join("facets"))?.into_iter().chain(json_files(&own)?) {
            let schema = read(&path)?;
            let id = schema["$id"].as_str().unwrap_or_default().to_owned();
            for key in schema["properties"].as_object().into_iter().flat_map(Map::keys) {
                facets.insert((key.clone(), id.clone()), build(&schema)?);
            }
        }
        Ok(Self { event: build(&core)?, facets })
    }

    fn errors(&self, event: &Value) -> Vec<String> {
        let mut errors: Vec<String> =
            self.event.iter_errors(event).map(|error| format!("{error} at {}", error.instance_path())).collect();
        let mut sets = vec![&event["run"]["facets"], &event["job"]["facets"]];
        for dataset in ["inputs", "outputs"].iter().flat_map(|key| event[*key].as_array().into_iter().flatten()) {
            sets.extend([&dataset["facets"], &dataset["inputFacets"], &dataset["outputFacets"]]);
        }
        for (key, facet) in sets.into_iter().filter_map(Value::as_object).flatten() {
            let url = facet["_schemaURL"].as_str().unwrap_or_default();
            let id = url.split('#').next().unwrap_or_default().to_owned();
            match self.facets.get(&(key.clone(), id.clone())) {
                Some(validator) => errors.extend(
                    validator.iter_errors(&json!({ key.clone(): facet })).map(|error| format!("{key}: {error}")),
                ),
                None => errors.push(format!("{key}: no schema `{id}`")),
            }
        }
        errors
    }
}

fn example() -> Result<Value, Box<dyn std::error::Error>> {
    const PRODUCER: &str = "https://example.com/producer";
    let mut run = Run { run_id: "0190163d-8694-739b-aea5-966c26f8ad91".parse()?, ..Run::default() };
    let facets = run.facets.get_or_insert_default();
    facets.error_message = Some(Facet::new(
        PRODUCER,
        ErrorMessage { message: "no".into(), programming_language: "RUST".into(), ..ErrorMessage::default() },
    ));
    facets.nominal_time = Some(Facet::new(PRODUCER, NominalTime::default()));
    let mut job = Job { namespace: "n".into(), name: "j".into(), ..Job::default() };
    job.facets.get_or_insert_default().job_type = Some(Facet::new(
        PRODUCER,
        JobType { processing_type: "BATCH".into(), integration: "X".into(), ..JobType::default() },
    ));
    let mut input = InputDataset { namespace: "file://n".into(), name: "a.csv".into(), ..InputDataset::default() };
    input.input_facets.get_or_insert_default().data_quality_assertions = Some(Facet::new(
        PRODUCER,
        DataQualityAssertions {
            assertions: vec![Assertion { assertion: "not_null".into(), success: true, ..Assertion::default() }],
        },
    ));
    let field = SchemaField { name: "a".into(), ordinal_position: Some(1), ..SchemaField::default() };
    input.facets.get_or_insert_default().schema = Some(Facet::new(PRODUCER, Schema { fields: Some(vec![field]) }));
    let mut output = OutputDataset { namespace: "file://n".into(), name: "b.csv".into(), ..OutputDataset::default() };
    let facets = output.facets.get_or_insert_default();
    let metrics = ColumnMetrics { null_count: Some(3), ..ColumnMetrics::default() };
    facets.data_quality_metrics = Some(Facet::new(
        PRODUCER,
        DataQualityMetrics { column_metrics: BTreeMap::from([("a".into(), metrics)]), ..DataQualityMetrics::default() },
    ));
    let source = InputField {
        namespace: "file://n".into(),
        name: "a.csv".into(),
        field: "a".into(),
        transformations: Some(vec![Transformation { kind: "DIRECT".into(), ..Transformation::default() }]),
        ..InputField::default()
    };
    let entry = ColumnLineageField { input_fields: vec![source.clone()], ..ColumnLineageField::default() };
    facets.column_lineage = Some(Facet::new(
        PRODUCER,
        ColumnLineage { fields: BTreeMap::from([("a".into(), entry)]), dataset: Some(vec![source]) },
    ));
    let mut event = RunEvent::new(RunState::Complete, Timestamp::from_milliseconds(1), PRODUCER, run, job);
    event.inputs = Some(vec![input]);
    event.outputs = Some(vec![output]);
    Ok(serde_json::to_value(Event::Run(event))?)
}

#[test]
fn events_and_facets_follow_their_schemas() -> Outcome {
    let Some(spec) = specification() else { return Ok(()) };
    let validators = Validators::load(&spec)?;
    let event = example()?;
    assert_eq!(validators.errors(&event), Vec::<String>::new());
    let job = JobEvent::new(
        Timestamp::from_milliseconds(1),
        "https://example.com/p",
        Job { namespace: "n".into(), name: "j".into(), ..Job::default() },
    );
    assert_eq!(validators.errors(&serde_json::to_value(&job)?), Vec::<String>::new());
    // The validators find what is wrong.
    for (pointer, wrong) in [
        ("/eventTime", json!("yesterday")),
        ("/run/runId", json!("nope")),
        ("/job", json!({})),
        ("/eventType", json!("DONE")),
        ("/run/facets/errorMessage/message", json!(7)),
        ("/inputs/0/facets/schema/fields/0/ordinal_position", json!("first")),
        ("/outputs/0/facets/columnLineage/fields/a/inputFields", json!([{}])),
        ("/job/facets/jobType/_schemaURL", json!("https://openlineage.io/spec/facets/9-9-9/JobTypeJobFacet.json")),
    ] {
        let mut broken = event.clone();
        *broken.pointer_mut(pointer).ok_or(pointer)? = wrong;
        assert!(!validators.errors(&broken).is_empty(), "{pointer}");
    }
    Ok(())
}

/// Judges the events of a file, which `cargo xtask smoke marquez` names.
#[test]
fn events_of_real_runs() -> Outcome {
    let Some(file) = std::env::var_os("HOTPASS_TEST_LINEAGE").map(PathBuf::from) else {
        println!("skipped: `HOTPASS_TEST_LINEAGE` names no file of events");
        return Ok(());
    };
    let Some(spec) = specification() else {
        println!("skipped: the specification's schemas are not there");
        return Ok(());
    };
    let validators = Validators::load(&spec)?;
    let (mut count, mut errors) = (0, Vec::new());
    for line in fs::read_to_string(&file)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        errors.extend(validators.errors(&event));
        assert_eq!(serde_json::to_value(Event::from_json(line)?)?, event, "the model reads and writes it alike");
        count += 1;
    }
    assert_eq!(errors, Vec::<String>::new());
    assert!(count > 0);
    println!("{count} events follow the specification's schemas and Hotpass's own");
    Ok(())
}
