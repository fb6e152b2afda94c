//! The mapping as a file that a person edits and passes back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hotpass_core::fields::{INPUT_FIELDS, input_field};
use hotpass_core::nearest;
use serde::Deserialize;

use crate::{
    mapping::{ColumnMapping, TableMapping},
    table::TableId,
};

/// A mapping file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// Version of the form; 1.
    version: u32,
    /// The tables it speaks of.
    #[serde(default, rename = "table")]
    tables: Vec<MappedTable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappedTable {
    file: String,
    sheet: Option<String>,
    #[serde(default)]
    table: u32,
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

/// Why a mapping file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingFileError {
    /// It is not TOML of the right form; the source says where.
    #[error("The mapping file is not of the right form")]
    Syntax(#[source] Box<toml_edit::de::Error>),
    /// It has another version.
    #[error("The mapping file has version {version}; this program reads version 1")]
    Version {
        /// The version it has.
        version: u32,
    },
    /// A column is mapped to a field that does not exist.
    #[error("Column `{header}` of `{table}` is mapped to `{field}`, which is no canonical field{}", suggestion(.nearest.as_deref()))]
    UnknownField {
        /// The table.
        table: String,
        /// The column's header.
        header: String,
        /// What it is mapped to.
        field: String,
        /// The canonical field with the nearest name.
        nearest: Option<String>,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|field| format!("; did you mean `{field}`?")).unwrap_or_default()
}

impl MappingFile {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// When it is not TOML of the right form, has an unknown key or version, or names a field that does not exist.
    pub fn parse(text: &str) -> Result<Self, MappingFileError> {
        let file: Self = toml_edit::de::from_str(text).map_err(|error| MappingFileError::Syntax(Box::new(error)))?;
        if file.version != 1 {
            return Err(MappingFileError::Version { version: file.version });
        }
        for table in &file.tables {
            for (header, field) in &table.columns {
                if !field.is_empty() && input_field(field).is_none() {
                    return Err(MappingFileError::UnknownField {
                        table: table
                            .sheet
                            .as_ref()
                            .map_or_else(|| table.file.clone(), |sheet| format!("{}#{sheet}", table.file)),
                        header: header.clone(),
                        field: field.clone(),
                        nearest: nearest(field, INPUT_FIELDS.iter().map(|field| field.name)).map(str::to_owned),
                    });
                }
            }
        }
        Ok(file)
    }

    /// Returns the columns it sets for a table, header to field, for [`crate::mapping::MappingRules::explicit`].
    ///
    /// The file's path must be the same, or else its name: a mapping made in another folder still fits.
    pub fn columns_of(&self, id: &TableId) -> Option<&BTreeMap<String, String>> {
        let same_place =
            |table: &&MappedTable| table.sheet.as_deref() == id.sheet.as_deref() && table.table == id.table;
        let tables = || self.tables.iter().filter(same_place);
        tables()
            .find(|table| *table.file == *id.file)
            .or_else(|| tables().find(|table| base_name(&table.file) == base_name(&id.file)))
            .map(|table| &table.columns)
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Writes the mappings of tables as a file for [`MappingFile::parse`].
///
/// Mapped columns are lines of their own, with confidence and reason as a comment; suggestions and columns without a field are comments, ready
/// to be edited.
pub fn write_mapping_file<'a>(tables: impl IntoIterator<Item = (&'a TableId, &'a TableMapping)>) -> String {
    let mut text = String::from(
        "# Which column is which canonical field. Edit it and pass it back with `--mapping FILE`,\n\
         # or name it in the configuration under `ingest.mapping_files`.\n\
         #\n\
         # \"Header\" = \"field\"   maps a column\n\
         # \"Header\" = \"\"        leaves a column alone\n\
         # A column without a line is mapped as if there were no file.\n\
         #\n\
         # Fields: ",
    );
    let mut width = 10;
    for (position, field) in INPUT_FIELDS.iter().enumerate() {
        if width + field.name.len() > 100 {
            text.truncate(text.trim_end().len());
            text.push_str("\n#         ");
            width = 10;
        }
        text.push_str(field.name);
        text.push_str(if position + 1 < INPUT_FIELDS.len() { ", " } else { "\n" });
        width += field.name.len() + 2;
    }
    text.push_str("\nversion = 1\n");
    for (id, mapping) in tables {
        write_table(&mut text, id, mapping);
    }
    text
}

fn write_table(text: &mut String, id: &TableId, mapping: &TableMapping) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n[[table]]\nfile = {}", quoted(&id.file));
    if let Some(sheet) = &id.sheet {
        let _ = writeln!(text, "sheet = {}", quoted(sheet));
    }
    if id.table > 0 {
        let _ = writeln!(text, "table = {}", id.table);
    }
    if !mapping.is_data() {
        let _ =
            writeln!(text, "# Not read as data until a column is `{}`.", mapping.missing_required.join("` and one `"));
    }
    text.push_str("[table.columns]\n");
    let keys: Vec<String> = mapping.columns.iter().map(|column| quoted(&key_of(column, &mapping.columns))).collect();
    let width = keys.iter().map(|key| key.chars().count()).max().unwrap_or_default().min(40);
    for (column, key) in mapping.columns.iter().zip(&keys) {
        let reason = column.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = match (&column.field, &column.suggestion) {
            (Some(field), _) => {
                writeln!(text, "{key:width$} = {:26} # {:.2}: {reason}", quoted(field), column.confidence)
            }
            (None, Some(field)) => {
                writeln!(text, "# {key:width$} = {:26} # suggestion, {:.2}: {reason}", quoted(field), column.confidence)
            }
            (None, None) if column.confidence > 0.0 => writeln!(text, "{key:width$} = {:26} # {reason}", quoted("")),
            (None, None) => writeln!(text, "# {key:width$} = {:26} # {reason}", quoted("")),
        };
    }
}

/// Returns the header, or the repaired name where the header is empty or not unique.
fn key_of(column: &ColumnMapping, columns: &[ColumnMapping]) -> String {
    let unique =
        columns.iter().filter(|other| other.header == column.header || other.name == column.header).count() == 1;
    if column.header.trim().is_empty() || (!unique && column.header != column.name) {
        column.name.clone()
    } else {
        column.header.clone()
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || c == '\u{a0}' => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
