//! The only code that knows DataFusion.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use datafusion::common::SchemaError;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use hotpass_core::nearest;
use hotpass_pipeline::resolve::{is_trained, read_model_file};
use hotpass_resolve::LinkError;
use hotpass_resolve::datafusion::{register_functions, register_predict};
use hotpass_resolve::model::{LinkageModel, TextSemantics};

use crate::error::CommandError;

/// A table that a query can name.
#[derive(Debug)]
pub(super) struct QueryTable {
    /// Its name.
    pub(super) name: String,
    /// Where its rows are.
    pub(super) source: TableSource,
}

/// Where the rows of a table are.
#[derive(Debug)]
pub(super) enum TableSource {
    /// In a Parquet file, which is read as far as the query needs.
    Parquet(PathBuf),
    /// In memory.
    Batches(SchemaRef, Vec<RecordBatch>),
}

/// The rows that a query gives.
#[derive(Debug)]
pub(super) struct QueryResult {
    /// Their schema.
    pub(super) schema: SchemaRef,
    /// The rows.
    pub(super) batches: Vec<RecordBatch>,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum QueryError {
    /// The query cannot be understood, or names what does not exist.
    Wrong { message: String, hint: Option<String> },
    /// The query was understood and then failed.
    Failed { message: String },
    /// The user stopped it.
    Interrupted,
}

impl QueryError {
    /// Returns the error that ends the command.
    pub(super) fn into_command_error(self) -> CommandError {
        match self {
            Self::Wrong { message, hint } => {
                let mut error = CommandError::usage("Cannot run the query").hint_if_some(hint);
                error.causes.push(message);
                error
            }
            Self::Failed { message } => {
                let mut error = CommandError::failure("The query failed");
                error.causes.push(message);
                error
            }
            Self::Interrupted => CommandError::interrupted(),
        }
    }
}

/// Runs one query over the tables; statements that change or write anything are refused.
///
/// # Errors
///
/// Returns why there is no result.
pub(super) fn query(
    tables: &[QueryTable],
    sql: &str,
    is_cancelled: impl Fn() -> bool,
) -> Result<QueryResult, QueryError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .map_err(|error| QueryError::Failed { message: error.to_string() })?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = run(tables, sql) => result,
            () = cancelled(is_cancelled) => Err(QueryError::Interrupted),
        }
    });
    // What a stopped query still computes is not waited for.
    runtime.shutdown_background();
    result
}

async fn cancelled(is_cancelled: impl Fn() -> bool) {
    while !is_cancelled() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(tables: &[QueryTable], sql: &str) -> Result<QueryResult, QueryError> {
    let session = SessionContext::new();
    for table in tables {
        register(&session, table).await.map_err(|error| QueryError::Failed {
            message: format!("Table `{}` cannot be read: {}", table.name, error.find_root()),
        })?;
    }
    register_functions(&session, TextSemantics::Characters);
    // DataFusion hands on the text of an error only, so what is wrong with a model is kept here.
    let refused = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&refused);
    register_predict(&session, move |path| {
        read_model(Path::new(path)).map_err(|(message, hint)| {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(QueryError::Wrong { message: message.clone(), hint });
            message
        })
    });
    let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = session.sql_with_options(sql, only_queries).await.map_err(|error| {
        let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.unwrap_or_else(|| explain(&error, tables))
    })?;
    let schema = Arc::clone(frame.schema().inner());
    let batches = frame.collect().await.map_err(|error| explain(&error, tables))?;
    Ok(QueryResult { schema, batches })
}

/// Reads the model of `predict`; a refusal has its hint.
fn read_model(path: &Path) -> Result<LinkageModel, (String, Option<String>)> {
    let (model, _) = read_model_file(path).map_err(|error| {
        let mut lines = vec![error.to_string()];
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            lines.push(error.to_string());
            cause = error.source();
        }
        lines.extend(error.problems().iter().cloned());
        (lines.join("; "), error.hint())
    })?;
    if !is_trained(&model) {
        let path = path.display();
        return Err((
            format!("Model `{path}` is not trained: a comparison has no m or no u"),
            Some(format!("Train it with `hotpass resolve train --model {path} --input-file FILE --output-model FILE`")),
        ));
    }
    Ok(model)
}

async fn register(session: &SessionContext, table: &QueryTable) -> Result<(), DataFusionError> {
    match &table.source {
        TableSource::Parquet(path) => {
            let mut options = ParquetReadOptions::default();
            let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
            options.file_extension = &ending;
            session.register_parquet(table.name.as_str(), path.to_string_lossy(), options).await
        }
        TableSource::Batches(schema, batches) => {
            let provider = MemTable::try_new(Arc::clone(schema), vec![batches.clone()])?;
            session.register_table(table.name.as_str(), Arc::new(provider)).map(drop)
        }
    }
}

/// Says in our words what went wrong, with the nearest name that exists.
fn explain(error: &DataFusionError, tables: &[QueryTable]) -> QueryError {
    match error.find_root() {
        DataFusionError::SchemaError(schema_error, _) => match schema_error.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let names: Vec<&str> = valid_fields.iter().map(datafusion::common::Column::name).collect();
                QueryError::Wrong {
                    message: format!("No column `{}` in the tables of the query", field.name()),
                    hint: column_hint(field.name(), &names),
                }
            }
            other => QueryError::Wrong { message: other.to_string(), hint: None },
        },
        DataFusionError::SQL(parser_error, _) => QueryError::Wrong {
            message: parser_error.to_string(),
            hint: Some("A query looks like `SELECT organization_name FROM golden LIMIT 10`".to_owned()),
        },
        DataFusionError::Plan(message) => plan_error(message, tables),
        DataFusionError::External(error) if error.is::<LinkError>() => {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                message = format!("{message}: {error}");
                cause = error.source();
            }
            QueryError::Wrong { message, hint: None }
        }
        DataFusionError::ArrowError(arrow_error, _)
            if matches!(
                arrow_error.as_ref(),
                ArrowError::DivideByZero
                    | ArrowError::CastError(_)
                    | ArrowError::ParseError(_)
                    | ArrowError::InvalidArgumentError(_)
                    | ArrowError::ArithmeticOverflow(_)
            ) =>
        {
            QueryError::Wrong { message: arrow_error.to_string(), hint: None }
        }
        other @ (DataFusionError::NotImplemented(_) | DataFusionError::Configuration(_)) => {
            QueryError::Wrong { message: other.to_string(), hint: None }
        }
        other => QueryError::Failed { message: other.to_string() },
    }
}

fn column_hint(wanted: &str, names: &[&str]) -> Option<String> {
    match nearest(wanted, names.iter().copied()) {
        Some(name) => Some(format!("Did you mean `{}`?", quoted(name))),
        None if names.is_empty() => None,
        None => {
            let listed: Vec<String> = names.iter().take(12).map(|name| quoted(name)).collect();
            let rest = if names.len() > 12 { ", …" } else { "" };
            Some(format!("The columns: {}{rest}", listed.join(", ")))
        }
    }
}

/// Writes a name as SQL needs it: quoted when it has more than small letters, digits and `_`.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn plan_error(message: &str, tables: &[QueryTable]) -> QueryError {
    // DataFusion's wording for a table that is not registered: "table 'catalog.schema.name' not found".
    let missing = message.strip_prefix("table '").and_then(|rest| rest.split_once("' not found"));
    if let Some((path, _)) = missing {
        let wanted = path.rsplit('.').next().unwrap_or(path);
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let hint = nearest(wanted, names.iter().copied())
            .map_or_else(|| format!("The tables: {}", names.join(", ")), |name| format!("Did you mean `{name}`?"));
        return QueryError::Wrong { message: format!("No table `{wanted}`"), hint: Some(hint) };
    }
    let refused = ["DDL not supported", "DML not supported", "Statement not supported"];
    if refused.iter().any(|start| message.starts_with(start)) {
        return QueryError::Wrong {
            message: "Only queries are run; nothing can be changed or written by SQL".to_owned(),
            hint: Some("Write the result of a `SELECT` with `--output FILE`".to_owned()),
        };
    }
    QueryError::Wrong { message: message.to_owned(), hint: None }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn clubs() -> Vec<QueryTable> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("Member Count", DataType::Int64, true),
        ]));
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(StringArray::from(vec!["Tern", "Gannet"])), Arc::new(Int64Array::from(vec![3, 4]))];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns fit the schema");
        vec![QueryTable { name: "clubs".into(), source: TableSource::Batches(schema, vec![batch]) }]
    }

    fn check_wrong(sql: &str, expected_message: &str, expected_hint: Option<&str>) {
        match query(&clubs(), sql, || false) {
            Err(QueryError::Wrong { message, hint }) => {
                assert!(message.contains(expected_message), "{message}");
                assert_eq!(hint.as_deref(), expected_hint, "{sql}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counts_and_sums() {
        let result = query(&clubs(), "SELECT count(*) AS n, sum(\"Member Count\") FROM clubs", || false).expect("runs");
        let sum = result.batches[0].column(1).as_any().downcast_ref::<Int64Array>().expect("a sum of integers");
        assert_eq!(sum.value(0), 7);
    }

    #[test]
    fn wrong_queries_say_what_is_near() {
        check_wrong("SELECT nam FROM clubs", "No column `nam`", Some("Did you mean `name`?"));
        check_wrong("SELECT member_count FROM clubs", "No column", Some("Did you mean `\"Member Count\"`?"));
        check_wrong("SELECT * FROM club", "No table `club`", Some("Did you mean `clubs`?"));
        check_wrong("SELEC 1", "Expected", Some("A query looks like `SELECT organization_name FROM golden LIMIT 10`"));
    }

    #[test]
    fn nothing_can_be_written_by_sql() {
        let hint = Some("Write the result of a `SELECT` with `--output FILE`");
        check_wrong("CREATE TABLE t AS SELECT 1", "Only queries", hint);
        check_wrong("COPY clubs TO 'clubs.csv'", "Only queries", hint);
        check_wrong("SET datafusion.execution.batch_size = 1", "Only queries", hint);
    }

    #[test]
    fn a_stopped_query_is_interrupted() {
        assert!(matches!(query(&clubs(), "SELECT 1", || true), Err(QueryError::Interrupted) | Ok(_)));
    }
}
