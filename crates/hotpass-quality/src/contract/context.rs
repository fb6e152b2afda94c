//! A broken contract told as one finding: what is missing, what is too much, what is wrong, and what to do.

use serde::{Deserialize, Serialize};

use super::check::{ContractResult, Rule};

/// What is wrong with a table, for programs that act on it. Names columns, rules and counts, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractContext {
    /// Kind of finding, `data_contract`.
    pub category: String,
    /// `error` when the table as a whole breaks the contract, `warning` when only rows do.
    pub severity: String,
    /// What has happened, for people.
    pub message: String,
    /// Where: `file#sheet`, or the file.
    pub source: String,
    /// Columns and rules.
    pub details: ContractDetails,
    /// What to do about it.
    pub suggested_fix: String,
    /// Whether the other rows can be used.
    pub recoverable: bool,
}

/// Columns and rules of a broken contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractDetails {
    /// Columns that must be there and are not.
    pub missing: Vec<String>,
    /// Columns that may not be there and are.
    pub extra: Vec<String>,
    /// Everything else, a sentence each.
    pub issues: Vec<String>,
}

impl ContractResult {
    /// Tells what is wrong with the table at `source`; nothing when it keeps the contract.
    pub fn context(&self, source: impl Into<String>) -> Option<ContractContext> {
        if self.passed {
            return None;
        }
        let columns = |rule: Rule| -> Vec<String> {
            self.table.iter().filter(|breach| breach.rule == rule).filter_map(|breach| breach.column.clone()).collect()
        };
        let (missing, extra) = (columns(Rule::MissingColumn), columns(Rule::ExtraColumn));
        let listed = |rule: Rule| matches!(rule, Rule::MissingColumn | Rule::ExtraColumn);
        let mut issues: Vec<String> = self
            .table
            .iter()
            .filter(|breach| !listed(breach.rule) || breach.column.is_none())
            .map(|breach| breach.message.clone())
            .collect();
        issues.extend(self.counts.iter().map(|count| {
            let rows = if count.rows == 1 { "1 row".to_owned() } else { format!("{} rows", count.rows) };
            format!("In {rows} the value of `{}` {}", count.columns.join("`, `"), count.message)
        }));
        let suggested_fix = self
            .table
            .iter()
            .find_map(|breach| breach.suggested_fix.clone())
            .unwrap_or_else(|| "Correct the rows at their source, or change the contract".to_owned());
        let message = match (self.table.len(), self.failed_rows) {
            (0, 1) => format!("1 row breaks the contract `{}`", self.contract),
            (0, rows) => format!("{rows} rows break the contract `{}`", self.contract),
            _ => format!("The table breaks the contract `{}`", self.contract),
        };
        Some(ContractContext {
            category: "data_contract".to_owned(),
            severity: if self.table.is_empty() { "warning" } else { "error" }.to_owned(),
            message,
            source: source.into(),
            details: ContractDetails { missing, extra, issues },
            suggested_fix,
            recoverable: self.table.is_empty(),
        })
    }
}
