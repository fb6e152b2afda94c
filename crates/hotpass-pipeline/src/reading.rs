//! How the configuration has a file read and its columns mapped; the same for a run and for those who look at files before one.

use std::path::PathBuf;

use hotpass_config::HotpassConfig;
use hotpass_config::model::Source;
use hotpass_core::fields::input_field;
use hotpass_ingest::{
    ReadOptions, default_memory_limit,
    mapping::{MappingFile, MappingRules},
    table::TableId,
};

/// A mapping file could not be used.
#[derive(Debug, thiserror::Error)]
#[error("Cannot use mapping file `{}`", path.display())]
pub struct MappingFileError {
    /// The file.
    pub path: PathBuf,
    /// What happened.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl MappingFileError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        let kind = self.source.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        match (kind, self.source.downcast_ref()) {
            (Some(std::io::ErrorKind::NotFound), _) => {
                "Check the path, or write a mapping file with `hotpass map PATH --output FILE`".to_owned()
            }
            (_, Some(hotpass_ingest::mapping::MappingFileError::UnknownField { .. })) => {
                "Give one of the fields that a file of `hotpass map PATH` lists at its head, or `\"\"` to leave the column alone".to_owned()
            }
            _ => "Write a new one with `hotpass map PATH --output FILE`".to_owned(),
        }
    }
}

/// Reads the mapping files that the configuration names, in order.
///
/// # Errors
/// When one of them cannot be read, or is not of the right form.
pub fn mapping_files(config: &HotpassConfig) -> Result<Vec<MappingFile>, MappingFileError> {
    let read = |path: &PathBuf| -> Result<MappingFile, Box<dyn std::error::Error + Send + Sync>> {
        Ok(MappingFile::parse(&std::fs::read_to_string(path)?)?)
    };
    let paths = config.ingest.mapping_files.iter();
    paths.map(|path| read(path).map_err(|source| MappingFileError { path: path.clone(), source })).collect()
}

/// What the configuration says about reading one file.
#[derive(Debug, Clone, Copy)]
pub struct FileRules<'a> {
    config: &'a HotpassConfig,
    source: Option<&'a Source>,
}

impl<'a> FileRules<'a> {
    /// Finds the profile's source for a file by the last part of its name.
    pub fn of(config: &'a HotpassConfig, file_name: &str) -> Self {
        let base = file_name.rsplit('/').next().unwrap_or(file_name);
        Self { config, source: config.profile.sources.iter().find(|source| source.matches(base)) }
    }

    /// Returns the profile's source that the file belongs to.
    pub fn source(&self) -> Option<&'a Source> {
        self.source
    }

    /// Returns how the file is to be read.
    pub fn read_options(&self) -> ReadOptions {
        let profile = self.config.profile.column_synonyms.iter().flat_map(|(field, names)| names.iter().chain([field]));
        let own = self.source.into_iter().flat_map(|source| source.columns.keys());
        let ingest = &self.config.ingest;
        ReadOptions {
            memory_limit_bytes: ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit),
            header_hints: profile.chain(own).cloned().collect(),
            null_values: ingest.null_values.clone(),
            sheets: self.source.filter(|source| !source.sheets.is_empty()).map(|source| source.sheets.clone()),
            ..ReadOptions::default()
        }
    }

    /// Returns how the columns of a table of the file are mapped: the profile's rules, its source's, and those of the mapping files, later
    /// ones first.
    pub fn mapping_rules(&self, files: &[MappingFile], id: &TableId) -> MappingRules {
        let mut explicit = self.source.map(|source| source.columns.clone()).unwrap_or_default();
        for columns in files.iter().filter_map(|file| file.columns_of(id)) {
            explicit.extend(columns.iter().map(|(header, field)| (header.clone(), field.clone())));
        }
        MappingRules {
            explicit,
            synonyms: self.config.profile.column_synonyms.clone(),
            mapping_threshold: self.config.ingest.mapping_threshold,
            suggestion_threshold: self.config.ingest.suggestion_threshold,
            required_fields: required_fields(self.config),
            null_values: self.config.ingest.null_values.clone(),
        }
    }

    /// Says whether the profile's source lists the table's sheet.
    ///
    /// Such a sheet is data, whatever it lacks: its rows go to quarantine rather than out of sight.
    pub fn lists(&self, id: &TableId) -> bool {
        self.source.is_some_and(|source| lists_sheet(source, id))
    }
}

/// Says whether a source lists the sheet of a table.
pub(crate) fn lists_sheet(source: &Source, id: &TableId) -> bool {
    id.sheet.as_ref().is_some_and(|sheet| source.sheets.iter().any(|name| name.eq_ignore_ascii_case(sheet)))
}

/// Returns the fields a row must have: the profile's, and the name, without which nothing can be published.
pub(crate) fn required_fields(config: &HotpassConfig) -> Vec<String> {
    let mut fields = vec!["organization_name".to_owned()];
    for name in &config.profile.required_fields {
        let name = input_field(name).map_or(name.as_str(), |field| field.name);
        if !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    fields
}
