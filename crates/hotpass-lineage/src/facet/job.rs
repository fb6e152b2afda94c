//! Facets of jobs.

use super::{bodies, record};

record! {
    /// What kind of job it is.
    JobType {
        /// `BATCH` or `STREAMING`.
        processing_type: String,
        /// The program, in capitals.
        integration: String,
    }
    optional {
        /// Kind within that program, such as `JOB` or `TASK`.
        job_type: String,
        /// When events are sent and what they hold.
        emission_pattern: EmissionPattern,
    }
}

record! {
    /// When events are sent and what they hold.
    EmissionPattern {
        /// What makes an event.
        event_trigger: String,
        /// What an event holds.
        event_content_mode: String,
    }
    optional {
        /// Length of the window, in seconds.
        window_duration: i64,
    }
}

record! {
    /// What a job does, for people.
    JobDocumentation {
        /// The text.
        description: String,
    }
    optional {
        /// Media type of the text.
        content_type: String,
    }
}

record! {
    /// Who answers for a job.
    JobOwnership {}
    optional {
        /// The owners.
        owners: Vec<Owner>,
    }
}

record! {
    /// An owner.
    Owner {
        /// Name.
        name: String,
    }
    optional {
        /// Role.
        #[serde(rename = "type")]
        kind: String,
    }
}

record! {
    /// The source code of a job.
    SourceCode {
        /// Language.
        language: String,
        /// The code.
        source_code: String,
    }
}

record! {
    /// Where the source code of a job is.
    SourceCodeLocation {
        /// The version control system.
        #[serde(rename = "type")]
        kind: String,
        /// URL of the file.
        url: String,
    }
    optional {
        /// URL of the repository.
        repo_url: String,
        /// Path in the repository.
        path: String,
        /// Version that runs.
        version: String,
        /// Tag.
        tag: String,
        /// Branch.
        branch: String,
        /// Number of the pull request.
        pull_request_number: String,
    }
}

record! {
    /// The query of a job.
    Sql {
        /// The query.
        query: String,
    }
    optional {
        /// Its dialect.
        dialect: String,
    }
}

record! {
    /// Tags of a job.
    JobTags {}
    optional {
        /// The tags.
        tags: Vec<Tag>,
    }
}

record! {
    /// A tag.
    Tag {
        /// Key.
        key: String,
        /// Value.
        value: String,
    }
    optional {
        /// Who set it.
        source: String,
    }
}

bodies! {
    JobType: "jobType", "2-0-4", "JobTypeJobFacet";
    JobDocumentation: "documentation", "1-1-0", "DocumentationJobFacet";
    JobOwnership: "ownership", "1-0-1", "OwnershipJobFacet";
    SourceCode: "sourceCode", "1-0-1", "SourceCodeJobFacet";
    SourceCodeLocation: "sourceCodeLocation", "1-1-0", "SourceCodeLocationJobFacet";
    Sql: "sql", "1-1-0", "SQLJobFacet";
    JobTags: "tags", "1-0-0", "TagsJobFacet";
}
