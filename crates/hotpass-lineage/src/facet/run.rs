//! Facets of runs.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{JobFacets, RunFacets, Tag, bodies, record};
use crate::event::Timestamp;

record! {
    /// When the run was meant to happen, as a scheduler says it.
    NominalTime {
        /// Start of the period.
        nominal_start_time: Timestamp,
    }
    optional {
        /// End of the period.
        nominal_end_time: Timestamp,
    }
}

record! {
    /// The run that started this one.
    Parent {
        /// Its run.
        run: ParentRun,
        /// Its job.
        job: ParentJob,
    }
    optional {
        /// The run at the top of the hierarchy.
        root: ParentRoot,
    }
}

record! {
    /// A run in a hierarchy.
    ParentRun {
        /// Id of the run.
        run_id: Uuid,
    }
    optional {
        /// Facets of the run.
        facets: Box<RunFacets>,
    }
}

record! {
    /// A job in a hierarchy.
    ParentJob {
        /// Namespace of the job.
        namespace: String,
        /// Name of the job.
        name: String,
    }
    optional {
        /// Facets of the job.
        facets: JobFacets,
    }
}

record! {
    /// The top of a hierarchy of runs.
    ParentRoot {
        /// Its run.
        run: ParentRun,
        /// Its job.
        job: ParentJob,
    }
}

record! {
    /// The program that did the work.
    ProcessingEngine {
        /// Version.
        version: String,
    }
    optional {
        /// Name.
        name: String,
        /// Version of what writes the events.
        openlineage_adapter_version: String,
    }
}

record! {
    /// Why a run failed.
    ErrorMessage {
        /// The message.
        message: String,
        /// Language of the program.
        programming_language: String,
    }
    optional {
        /// Stack trace.
        stack_trace: String,
    }
}

record! {
    /// What the run was told to do.
    ExecutionParameters {}
    optional {
        /// The parameters.
        parameters: Vec<ExecutionParameter>,
    }
}

record! {
    /// A parameter of a run.
    ExecutionParameter {
        /// Its key.
        key: String,
    }
    optional {
        /// Its name for people.
        name: String,
        /// What it means.
        description: String,
        /// Its value, as text.
        value: String,
    }
}

record! {
    /// Variables of the environment that the run saw.
    EnvironmentVariables {
        /// The variables.
        environment_variables: Vec<EnvironmentVariable>,
    }
}

record! {
    /// A variable of the environment.
    EnvironmentVariable {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    }
}

record! {
    /// A query that another system ran for this run.
    ExternalQuery {
        /// Id of the query there.
        external_query_id: String,
        /// The other system.
        source: String,
    }
}

record! {
    /// What could not be found out about the run.
    ExtractionError {
        /// Number of tasks.
        total_tasks: i64,
        /// Number of tasks that failed.
        failed_tasks: i64,
        /// The errors.
        errors: Vec<ExtractionErrorEntry>,
    }
}

record! {
    /// An error of finding out about the run.
    ExtractionErrorEntry {
        /// The message.
        error_message: String,
    }
    optional {
        /// Stack trace.
        stack_trace: String,
        /// Text of the task.
        task: String,
        /// Number of the task.
        task_number: i64,
    }
}

record! {
    /// Jobs that this run waits for, and that wait for it.
    JobDependencies {}
    optional {
        /// Jobs before it.
        upstream: Vec<JobDependency>,
        /// Jobs after it.
        downstream: Vec<JobDependency>,
        /// When the run starts.
        #[serde(rename = "trigger_rule")]
        trigger_rule: String,
    }
}

record! {
    /// A job that another depends on.
    JobDependency {
        /// The job.
        job: JobIdentifier,
        /// Members that the model does not know.
        #[serde(flatten)]
        additional: Map<String, Value>,
    }
    optional {
        /// The run.
        run: RunIdentifier,
        /// Kind of the dependency.
        #[serde(rename = "dependency_type")]
        dependency_type: String,
        /// Order of the two.
        #[serde(rename = "sequence_trigger_rule")]
        sequence_trigger_rule: String,
        /// State that the other must reach.
        #[serde(rename = "status_trigger_rule")]
        status_trigger_rule: String,
    }
}

record! {
    /// Names a run.
    RunIdentifier {
        /// Its id.
        run_id: Uuid,
    }
}

record! {
    /// Names a job.
    JobIdentifier {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    }
}

record! {
    /// Tags of a run.
    RunTags {}
    optional {
        /// The tags.
        tags: Vec<Tag>,
    }
}

record! {
    /// Results of tests that the run made.
    TestResults {
        /// The tests.
        tests: Vec<TestExecution>,
    }
}

record! {
    /// A test and its result.
    TestExecution {
        /// Name of the test.
        name: String,
        /// `pass`, `fail` or `skip`.
        status: String,
    }
    optional {
        /// `error` when a failure stops the run, `warn` otherwise.
        severity: String,
        /// Kind of the test, such as `not_null`.
        #[serde(rename = "type")]
        kind: String,
        /// What it checks.
        description: String,
        /// What was expected.
        expected: String,
        /// What was found.
        actual: String,
        /// The text of the test.
        content: String,
        /// Form of that text.
        content_type: String,
        /// Parameters of the test.
        params: Map<String, Value>,
    }
}

bodies! {
    NominalTime: "nominalTime", "1-0-1", "NominalTimeRunFacet";
    Parent: "parent", "1-2-0", "ParentRunFacet";
    ProcessingEngine: "processing_engine", "1-1-1", "ProcessingEngineRunFacet";
    ErrorMessage: "errorMessage", "1-0-1", "ErrorMessageRunFacet";
    ExecutionParameters: "executionParameters", "1-0-0", "ExecutionParametersRunFacet";
    EnvironmentVariables: "environmentVariables", "1-0-0", "EnvironmentVariablesRunFacet";
    ExternalQuery: "externalQuery", "1-0-2", "ExternalQueryRunFacet";
    ExtractionError: "extractionError", "1-1-2", "ExtractionErrorRunFacet";
    JobDependencies: "jobDependencies", "1-0-1", "JobDependenciesRunFacet";
    RunTags: "tags", "1-0-0", "TagsRunFacet";
    TestResults: "test", "1-0-1", "TestRunFacet";
}
