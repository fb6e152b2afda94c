//! Blocking rules.

use super::transforms::ColumnExpression;
use crate::model::{BlockingKind, BlockingRule, LargeBlockRefinement};

/// A blocking rule in SQL in the making.
///
/// ```
/// use hotpass_resolve::library::block_on;
/// use hotpass_resolve::model::{BlockingKind, BlockingRule};
///
/// let rule = BlockingRule::from(block_on(["surname", "substr(first_name, 1, 1)"]));
/// let sql = r#"(l."surname" = r."surname") AND (SUBSTRING(l.first_name, 1, 1) = SUBSTRING(r.first_name, 1, 1))"#;
/// assert_eq!(rule.kind, BlockingKind::Sql(sql.to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBuilder {
    sql: String,
    arrays_to_explode: Vec<String>,
    refine_large_blocks: Option<LargeBlockRefinement>,
}

impl RuleBuilder {
    /// Names arrays whose elements become records of their own before the rule is applied.
    #[must_use]
    pub fn arrays_to_explode<Column: Into<String>>(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.arrays_to_explode = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Asks for a second rule, SQL over `l` and `r`, inside blocks of more than so many records.
    #[must_use]
    pub fn refine_large_blocks(mut self, more_records_than: u64, rule: impl Into<RuleBuilder>) -> Self {
        self.refine_large_blocks = Some(LargeBlockRefinement { more_records_than, sql: rule.into().sql });
        self
    }

    /// Gives the SQL over `l` and `r`.
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

impl From<RuleBuilder> for BlockingRule {
    fn from(builder: RuleBuilder) -> Self {
        Self {
            kind: BlockingKind::Sql(builder.sql),
            arrays_to_explode: builder.arrays_to_explode,
            refine_large_blocks: builder.refine_large_blocks,
        }
    }
}

impl From<&str> for RuleBuilder {
    /// Takes SQL over `l` and `r`, see [`custom_rule`].
    fn from(sql: &str) -> Self {
        custom_rule(sql)
    }
}

/// Records that agree on every one of some columns or expressions; on none of them every pair of records.
pub fn block_on<Column: Into<ColumnExpression>>(columns: impl IntoIterator<Item = Column>) -> RuleBuilder {
    let mut equalities: Vec<RuleBuilder> = columns
        .into_iter()
        .map(|column| {
            let column = column.into();
            custom_rule(format!("{} = {}", column.l_name(), column.r_name()))
        })
        .collect();
    if equalities.len() == 1 { equalities.remove(0) } else { and(equalities) }
}

/// A rule from SQL over `l` and `r`.
pub fn custom_rule(sql: impl Into<String>) -> RuleBuilder {
    RuleBuilder { sql: sql.into(), arrays_to_explode: Vec::new(), refine_large_blocks: None }
}

/// All of some rules; none at all propose every pair. The arrays that a part explodes are exploded for the whole.
///
/// Refinements of the parts do not carry over: refine the whole.
pub fn and<Rule: Into<RuleBuilder>>(rules: impl IntoIterator<Item = Rule>) -> RuleBuilder {
    merge(rules, " AND ", "TRUE")
}

/// One of some rules; none at all propose no pair. The arrays that a part explodes are exploded for the whole.
///
/// An alternative of equalities is no equality: two rules find the same pairs without looking at every pair.
pub fn or<Rule: Into<RuleBuilder>>(rules: impl IntoIterator<Item = Rule>) -> RuleBuilder {
    merge(rules, " OR ", "FALSE")
}

/// The pairs that a rule does not propose.
pub fn not(rule: impl Into<RuleBuilder>) -> RuleBuilder {
    let rule = rule.into();
    custom_rule(format!("NOT ({})", rule.sql)).arrays_to_explode(rule.arrays_to_explode)
}

/// Records that are neighbours when sorted by an expression: each with its next `window - 1` (Hernández and Stolfo 1995, *The Merge/Purge Problem*).
pub fn sorted_neighbourhood(key: impl Into<ColumnExpression>, window: u32) -> BlockingRule {
    of_kind(BlockingKind::SortedNeighbourhood { key: key.into().name(), window })
}

/// Records whose texts share a MinHash band over q-grams (Broder 1997, *On the Resemblance and Containment of Documents*).
pub fn qgram_lsh(text: impl Into<ColumnExpression>, q: u32, bands: u32, rows_per_band: u32) -> BlockingRule {
    of_kind(BlockingKind::QGramLsh { text: text.into().name(), q, bands, rows_per_band })
}

/// Records whose texts share tokens that are in no more than so many records.
pub fn shared_tokens(text: impl Into<ColumnExpression>, minimum_shared: u32, maximum_records: u64) -> BlockingRule {
    of_kind(BlockingKind::Tokens { text: text.into().name(), minimum_shared, maximum_records })
}

fn of_kind(kind: BlockingKind) -> BlockingRule {
    BlockingRule { kind, arrays_to_explode: Vec::new(), refine_large_blocks: None }
}

fn merge<Rule: Into<RuleBuilder>>(rules: impl IntoIterator<Item = Rule>, clause: &str, empty: &str) -> RuleBuilder {
    let rules: Vec<RuleBuilder> = rules.into_iter().map(Into::into).collect();
    if rules.is_empty() {
        return custom_rule(empty);
    }
    let sql: Vec<String> = rules.iter().map(|rule| format!("({})", rule.sql)).collect();
    let mut arrays: Vec<String> = Vec::new();
    for column in rules.into_iter().flat_map(|rule| rule.arrays_to_explode) {
        if !arrays.contains(&column) {
            arrays.push(column);
        }
    }
    custom_rule(sql.join(clause)).arrays_to_explode(arrays)
}
