//! Expressions over a pair into conditions and numbers over features.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use super::compile::Compiler;
use super::functions::{is_distance, number_function, text_similarity};
use super::problem::ProblemKind;
use super::{
    Condition, FeatureId, Measure, MeasureId, NumberExpression, NumberFunction, Operator, SqlCondition, TextSimilarity,
    ValueType, simplify,
};
use crate::library;
use crate::sql::expression::{BinaryOperator, CastType, Expression, Literal, Side};
use crate::sql::record::{self, EvaluationError};
use crate::sql::{binary, call, format, operands, text};

/// Why an expression did not become a native condition.
#[derive(Debug)]
pub(super) enum Stop {
    /// It has no native form: the SQL tier runs it.
    NoForm,
    /// It is wrong; the problem is noted.
    Noted,
}

type Lowered<T> = Result<T, Stop>;

/// What a number stands for: decides how it meets others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// A constant with a fraction: takes the precision of its neighbour.
    Decimal,
    Double,
    Float,
    Boolean,
    /// Seconds; a whole number of days.
    Date,
    /// Seconds.
    Timestamp,
    /// Seconds between two timestamps.
    Interval,
}

/// The records that an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    Nothing,
    One(Side),
    Both,
}

/// Tells which records an expression reads.
pub(super) fn reads(expression: &Expression) -> Reads {
    let (mut left, mut right) = (false, false);
    let mut note = |side: Option<Side>| match side {
        Some(Side::Left) => left = true,
        Some(Side::Right) => right = true,
        None => {}
    };
    record::walk(expression, &mut |part| match part {
        Expression::Column { side, .. } => note(*side),
        Expression::Opaque { columns, .. } => columns.iter().for_each(|(side, _)| note(*side)),
        _ => {}
    });
    match (left, right) {
        (false, false) => Reads::Nothing,
        (true, false) => Reads::One(Side::Left),
        (false, true) => Reads::One(Side::Right),
        (true, true) => Reads::Both,
    }
}

/// A hoisted expression: its feature, and the type its values have before they are stored.
#[derive(Debug, Clone)]
pub(super) struct Hoisted {
    side: Side,
    /// Without sides.
    pub(super) expression: Expression,
    pub(super) data_type: DataType,
}

/// The operator with its operands swapped.
fn flipped(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn operator_of(operator: BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::Equal => Operator::Equal,
        BinaryOperator::NotEqual => Operator::NotEqual,
        BinaryOperator::Less => Operator::Less,
        BinaryOperator::LessOrEqual => Operator::LessOrEqual,
        BinaryOperator::Greater => Operator::Greater,
        BinaryOperator::GreaterOrEqual => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn function(function: NumberFunction, arguments: Vec<NumberExpression>) -> NumberExpression {
    NumberExpression::Function { function, arguments }
}

impl Compiler<'_> {
    /// Lowers a condition, part by part: what has no native form goes to the SQL tier.
    pub(super) fn condition(&mut self, expression: &Expression) -> Lowered<Condition> {
        match expression {
            Expression::Binary { operator: operator @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                let mut parts = Vec::new();
                let mut failed = false;
                for operand in operands(*operator, expression) {
                    match self.condition(operand) {
                        Ok(part) => parts.push(part),
                        Err(_) => failed = true,
                    }
                }
                if failed {
                    return Err(Stop::Noted);
                }
                Ok(if *operator == BinaryOperator::And { simplify::and(parts) } else { simplify::or(parts) })
            }
            Expression::Not(operand) => {
                let positive = std::mem::replace(&mut self.positive, false);
                let condition = self.condition(operand);
                self.positive = positive;
                Ok(simplify::not(condition?))
            }
            _ => {
                let mark = self.mark();
                let positive = std::mem::replace(&mut self.positive, false);
                let native = self.native(expression, positive);
                self.positive = positive;
                match native {
                    Err(Stop::NoForm) => {
                        self.forget(mark);
                        self.sql_condition(expression)
                    }
                    done => done,
                }
            }
        }
    }

    fn sql_condition(&mut self, expression: &Expression) -> Lowered<Condition> {
        let sql = format(expression);
        if !self.options.sql_tier {
            return Err(self.note(ProblemKind::NeedsSqlTier { sql }));
        }
        let mut columns = Vec::new();
        record::walk(expression, &mut |part| match part {
            Expression::Column { name, .. } => columns.push(name.clone()),
            Expression::Opaque { columns: read, .. } => {
                columns.extend(read.iter().map(|(_, name)| self.schema_name(name)));
            }
            _ => {}
        });
        columns.sort();
        columns.dedup();
        let condition = SqlCondition { sql, columns };
        let index = self.sql_conditions.iter().position(|known| *known == condition).unwrap_or_else(|| {
            self.sql_conditions.push(condition);
            self.sql_conditions.len() - 1
        });
        Ok(Condition::Sql(index))
    }

    fn native(&mut self, expression: &Expression, positive: bool) -> Lowered<Condition> {
        if let Expression::IsNull { operand, negated } = expression {
            let null = self.is_null(operand)?;
            return Ok(if *negated { simplify::not(null) } else { null });
        }
        match reads(expression) {
            Reads::Nothing => return self.constant_condition(expression),
            Reads::One(side) => {
                let hoisted = self.hoist(expression)?;
                return match hoisted.data_type {
                    DataType::Null => Ok(Condition::Constant(None)),
                    DataType::Boolean => Ok(Condition::Flag { side, feature: self.feature(&hoisted) }),
                    ref found => {
                        let kind = ProblemKind::NoCondition {
                            expression: format(expression),
                            found: record::type_name(found),
                        };
                        Err(self.note(kind))
                    }
                };
            }
            Reads::Both => {}
        }
        match expression {
            Expression::Binary {
                operator: operator @ (BinaryOperator::NotDistinct | BinaryOperator::Distinct),
                left,
                right,
            } => {
                let same = self.not_distinct(left, right)?;
                Ok(if *operator == BinaryOperator::Distinct { simplify::not(same) } else { same })
            }
            Expression::Binary { operator, left, right } => {
                let operator = operator_of(*operator).ok_or(Stop::NoForm)?;
                match self.shared_comparison(operator, left, right, positive)? {
                    Some(condition) => Ok(condition),
                    None => self.comparison(operator, left, right),
                }
            }
            Expression::In { operand, list, negated } => {
                let mut parts = Vec::with_capacity(list.len());
                for item in list {
                    parts.push(self.comparison(Operator::Equal, operand, item)?);
                }
                let found = simplify::or(parts);
                Ok(if *negated { simplify::not(found) } else { found })
            }
            Expression::Case { branches, otherwise } => self.case_condition(branches, otherwise.as_deref()),
            Expression::Cast { operand, to: CastType::Boolean, .. } => self.condition(operand),
            Expression::Call { function, arguments } => match (function.as_str(), arguments.as_slice()) {
                ("list_has_any", [left, right]) => {
                    let measure = self.shared_elements(left, right)?;
                    Ok(Condition::Measure { measure, operator: Operator::GreaterOrEqual, threshold: 1.0 })
                }
                ("list_has_all", [whole, part]) => {
                    let measure = self.shared_elements(whole, part)?;
                    let (count, _) = self.number(&call("length", vec![call("list_distinct", vec![part.clone()])]))?;
                    Ok(Condition::Compare {
                        left: NumberExpression::Measure(measure),
                        operator: Operator::Equal,
                        right: count,
                    })
                }
                ("list_contains", [list, element]) => {
                    let single = Expression::Case {
                        branches: vec![(
                            Expression::IsNull { operand: Box::new(element.clone()), negated: true },
                            call("list_value", vec![element.clone()]),
                        )],
                        otherwise: None,
                    };
                    let measure = self.shared_elements(list, &single)?;
                    Ok(Condition::Measure { measure, operator: Operator::GreaterOrEqual, threshold: 1.0 })
                }
                ("coalesce", parts) => self.coalesced(parts),
                _ => Err(Stop::NoForm),
            },
            _ => Err(Stop::NoForm),
        }
    }

    fn constant_condition(&mut self, expression: &Expression) -> Lowered<Condition> {
        let value = self.constant(expression)?;
        match value.data_type() {
            DataType::Null => Ok(Condition::Constant(None)),
            DataType::Boolean => Ok(Condition::Constant(value.is_valid(0).then(|| value.as_boolean().value(0)))),
            found => {
                let kind = ProblemKind::NoCondition { expression: format(expression), found: record::type_name(found) };
                Err(self.note(kind))
            }
        }
    }

    /// The value of an expression without columns.
    fn constant(&mut self, expression: &Expression) -> Lowered<arrow::array::ArrayRef> {
        record::constant(expression).map_err(|error| self.evaluation(expression, &error))
    }

    /// `CASE` of conditions: the first that is true decides.
    fn case_condition(
        &mut self,
        branches: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) -> Lowered<Condition> {
        let mut alternatives = Vec::with_capacity(branches.len() + 1);
        let mut earlier = Vec::new();
        for (condition, result) in branches {
            let condition = self.condition(condition)?;
            let result = self.condition(result)?;
            let holds = simplify::and(vec![condition.clone(), simplify::not(simplify::is_unknown(condition.clone()))]);
            let mut parts = earlier.clone();
            parts.extend([holds, result]);
            alternatives.push(simplify::and(parts));
            earlier.push(simplify::or(vec![simplify::not(condition.clone()), simplify::is_unknown(condition)]));
        }
        // Of an unknown condition the branch is not taken, so it must not leave the whole unknown.
        for part in &mut earlier {
            *part = definite(std::mem::replace(part, Condition::Constant(None)));
        }
        let last = otherwise.map_or(Ok(Condition::Constant(None)), |otherwise| self.condition(otherwise))?;
        earlier.push(last);
        alternatives.push(simplify::and(earlier));
        Ok(simplify::or(alternatives))
    }

    /// The first of several conditions that is not unknown.
    fn coalesced(&mut self, parts: &[Expression]) -> Lowered<Condition> {
        let mut alternatives = Vec::with_capacity(parts.len());
        let mut unknown = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let condition = self.condition(part)?;
            let mut conjunction = unknown.clone();
            conjunction.push(condition.clone());
            if index + 1 < parts.len() {
                conjunction.push(simplify::not(simplify::is_unknown(condition.clone())));
            }
            alternatives.push(simplify::and(conjunction));
            unknown.push(simplify::is_unknown(condition));
        }
        Ok(simplify::or(alternatives))
    }

    /// `IS NULL`.
    fn is_null(&mut self, operand: &Expression) -> Lowered<Condition> {
        match reads(operand) {
            Reads::Nothing => Ok(Condition::Constant(Some(
                self.constant(operand)?.logical_nulls().is_some_and(|nulls| nulls.is_null(0)),
            ))),
            Reads::One(side) => {
                let hoisted = match self.hoist(operand) {
                    Err(Stop::NoForm) => self.hoist_opaque(operand, side)?,
                    done => done?,
                };
                if hoisted.data_type == DataType::Null {
                    return Ok(Condition::Constant(Some(true)));
                }
                Ok(Condition::IsNull { side, feature: self.feature(&hoisted) })
            }
            Reads::Both => {
                let mark = self.mark();
                match self.number(operand) {
                    Ok((number, _)) => Ok(simplify::is_unknown(Condition::Compare {
                        left: number,
                        operator: Operator::Equal,
                        right: NumberExpression::Constant(Some(0.0)),
                    })),
                    Err(Stop::NoForm) => {
                        self.forget(mark);
                        Ok(simplify::is_unknown(self.native(operand, false)?))
                    }
                    Err(stop) => Err(stop),
                }
            }
        }
    }

    /// `IS NOT DISTINCT FROM`: both null, or neither and equal. Never unknown.
    fn not_distinct(&mut self, left: &Expression, right: &Expression) -> Lowered<Condition> {
        let equal = self.comparison(Operator::Equal, left, right)?;
        let (left_null, right_null) = (self.is_null(left)?, self.is_null(right)?);
        let both_null = simplify::and(vec![left_null.clone(), right_null.clone()]);
        let neither = simplify::and(vec![simplify::not(left_null), simplify::not(right_null), equal]);
        Ok(simplify::or(vec![both_null, neither]))
    }

    /// A number of shared elements against a constant.
    ///
    /// DuckDB counts 0 where only the second list is null; that matters unless unknown is as good as false here.
    fn shared_comparison(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        positive: bool,
    ) -> Lowered<Option<Condition>> {
        let (first, second, operator, constant) = match (intersected(left), intersected(right)) {
            (Some((first, second)), None) => (first, second, operator, right),
            (None, Some((first, second))) => (first, second, flipped(operator), left),
            _ => return Ok(None),
        };
        if reads(constant) != Reads::Nothing || sides(first, second).is_err() {
            return Ok(None);
        }
        let (NumberExpression::Constant(Some(threshold)), _) = self.number(constant)? else { return Ok(None) };
        let measure = self.shared_elements(first, second)?;
        let plain = Condition::Measure { measure, operator, threshold };
        let none_holds = holds(operator, 0.0, threshold + 0.0);
        if positive && !none_holds {
            return Ok(Some(plain));
        }
        let (first_null, second_null) = (self.is_null(first)?, self.is_null(second)?);
        Ok(Some(if none_holds {
            simplify::or(vec![simplify::and(vec![second_null, simplify::not(first_null)]), plain])
        } else {
            simplify::and(vec![simplify::or(vec![simplify::not(second_null), first_null]), plain])
        }))
    }

    /// The number of shared elements, 0 where only the second list is null.
    fn shared_count(&mut self, first: &Expression, second: &Expression) -> Lowered<NumberExpression> {
        let measure = self.shared_elements(first, second)?;
        let (first_null, second_null) = (self.is_null(first)?, self.is_null(second)?);
        let only_second = simplify::and(vec![second_null, simplify::not(first_null)]);
        Ok(NumberExpression::Case {
            branches: vec![(only_second, NumberExpression::Constant(Some(0.0)))],
            otherwise: Box::new(NumberExpression::Measure(measure)),
        })
    }

    pub(super) fn comparison(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
    ) -> Lowered<Condition> {
        if let (Reads::One(left_side), Reads::One(right_side)) = (reads(left), reads(right))
            && left_side != right_side
        {
            return if left_side == Side::Left {
                self.across(operator, left, right)
            } else {
                self.across(flipped(operator), right, left)
            };
        }
        let (left_number, left_kind) = self.number(left)?;
        let (right_number, right_kind) = self.number(right)?;
        compare_numbers(operator, (left_number, left_kind), (right_number, right_kind))
    }

    /// An expression of the left record beside one of the right record.
    fn across(&mut self, operator: Operator, left: &Expression, right: &Expression) -> Lowered<Condition> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let (hoisted_left, hoisted_right) = match (self.hoist(left), self.hoist(right)) {
            (Ok(one), Ok(two)) => (one, two),
            (Err(Stop::Noted), _) | (_, Err(Stop::Noted)) => return Err(Stop::Noted),
            _ if equality => (self.hoist_opaque(left, Side::Left)?, self.hoist_opaque(right, Side::Right)?),
            _ => return Err(Stop::NoForm),
        };
        if hoisted_left.data_type == DataType::Null || hoisted_right.data_type == DataType::Null {
            return Ok(Condition::Constant(None));
        }
        let (mut one, mut two) = (hoisted_left, hoisted_right);
        match (group(&one.data_type), group(&two.data_type)) {
            (Group::List, Group::List) if equality => {
                one = self.changed(one, |expression| call("list_identity", vec![expression]))?;
                two = self.changed(two, |expression| call("list_identity", vec![expression]))?;
            }
            (Group::Number, Group::Number) if equality => {
                let (integer, single) = (DataType::Int64, DataType::Float32);
                let target = |other: &DataType| if *other == single { CastType::Float } else { CastType::Double };
                if one.data_type == integer && two.data_type != integer {
                    let to = target(&two.data_type);
                    one = self.changed(one, |expression| Expression::Cast {
                        operand: Box::new(expression),
                        to,
                        lenient: false,
                    })?;
                } else if two.data_type == integer && one.data_type != integer {
                    let to = target(&one.data_type);
                    two = self.changed(two, |expression| Expression::Cast {
                        operand: Box::new(expression),
                        to,
                        lenient: false,
                    })?;
                }
            }
            (left, right) if left == right && equality => {}
            (Group::Number, Group::Number) | (Group::Time, Group::Time) => {
                let left = (self.side_number(&one), kind_of(&one.data_type));
                let right = (self.side_number(&two), kind_of(&two.data_type));
                return compare_numbers(operator, left, right);
            }
            (left, right) if left == right => return Err(Stop::NoForm),
            _ => {
                let kind = ProblemKind::DifferentTypes {
                    left: format(left),
                    left_type: record::type_name(&one.data_type),
                    right: format(right),
                    right_type: record::type_name(&two.data_type),
                };
                return Err(self.note(kind));
            }
        }
        let (left, right) = (self.feature(&one), self.feature(&two));
        self.join_domains(left, right);
        let equal = Condition::Equal { left, right };
        Ok(if operator == Operator::Equal { equal } else { simplify::not(equal) })
    }

    fn changed(&mut self, hoisted: Hoisted, change: impl Fn(Expression) -> Expression) -> Lowered<Hoisted> {
        let expression = change(hoisted.expression);
        let data_type =
            record::data_type(&expression, self.schema).map_err(|error| self.evaluation(&expression, &error))?;
        Ok(Hoisted { side: hoisted.side, expression, data_type })
    }

    fn side_number(&mut self, hoisted: &Hoisted) -> NumberExpression {
        NumberExpression::Feature { side: hoisted.side, feature: self.feature(hoisted) }
    }

    /// Lowers an expression whose value is a number, a truth value, a date or an interval.
    pub(super) fn number(&mut self, expression: &Expression) -> Lowered<(NumberExpression, Kind)> {
        match expression {
            Expression::Literal(Literal::Integer(value)) => {
                return Ok((NumberExpression::Constant(Some(*value as f64)), Kind::Integer));
            }
            Expression::Literal(Literal::Number(value)) => {
                return Ok((NumberExpression::Constant(Some(*value)), Kind::Decimal));
            }
            Expression::Literal(Literal::Null) => return Ok((NumberExpression::Constant(None), Kind::Decimal)),
            Expression::Call { function, arguments } if function == "interval" => {
                if let [Expression::Literal(Literal::Integer(amount)), Expression::Literal(Literal::Text(unit))] =
                    arguments.as_slice()
                {
                    return Ok((NumberExpression::Constant(Some(*amount as f64 * unit_seconds(unit))), Kind::Interval));
                }
            }
            _ => {}
        }
        match reads(expression) {
            Reads::Nothing => return self.constant_number(expression),
            Reads::One(_) => {
                let hoisted = self.hoist(expression)?;
                return match group(&hoisted.data_type) {
                    Group::Number | Group::Time | Group::Truth => {
                        let kind = kind_of(&hoisted.data_type);
                        Ok((self.side_number(&hoisted), kind))
                    }
                    Group::Null => Ok((NumberExpression::Constant(None), Kind::Decimal)),
                    Group::Text | Group::List => Err(Stop::NoForm),
                };
            }
            Reads::Both => {}
        }
        match expression {
            Expression::Negate(operand) => {
                let (operand, kind) = self.operand("-", operand)?;
                Ok((function(NumberFunction::Negate, vec![operand]), kind))
            }
            Expression::Binary { operator, left, right }
                if operator_of(*operator).is_none() && !is_logical(*operator) =>
            {
                self.arithmetic(*operator, left, right)
            }
            Expression::Cast { operand, to, .. } => self.cast_number(operand, *to),
            Expression::Case { branches, otherwise } => self.case_number(branches, otherwise.as_deref()),
            Expression::Call { function, arguments } => self.call_number(function, arguments),
            _ => {
                let condition = self.native(expression, false)?;
                Ok((truth_number(condition), Kind::Boolean))
            }
        }
    }

    fn constant_number(&mut self, expression: &Expression) -> Lowered<(NumberExpression, Kind)> {
        let value = self.constant(expression)?;
        let known = value.data_type() != &DataType::Null && value.is_valid(0);
        let number = match value.data_type() {
            DataType::Null => None,
            DataType::Int64 => Some(value.as_primitive::<Int64Type>().value(0) as f64),
            DataType::Float64 => Some(value.as_primitive::<Float64Type>().value(0)),
            DataType::Float32 => Some(value.as_primitive::<Float32Type>().value(0).into()),
            DataType::Boolean => Some(f64::from(u8::from(value.as_boolean().value(0)))),
            DataType::Date32 => Some(f64::from(value.as_primitive::<Date32Type>().value(0)) * 86_400.0),
            DataType::Timestamp(..) => Some(value.as_primitive::<TimestampMicrosecondType>().value(0) as f64 / 1e6),
            _ => return Err(Stop::NoForm),
        };
        Ok((NumberExpression::Constant(number.filter(|_| known)), kind_of(value.data_type())))
    }

    /// An operand of arithmetic: text is a mistake there, not a form of its own.
    fn operand(&mut self, function: &str, expression: &Expression) -> Lowered<(NumberExpression, Kind)> {
        if matches!(reads(expression), Reads::One(_)) {
            let hoisted = self.hoist(expression)?;
            if matches!(group(&hoisted.data_type), Group::Text | Group::List) {
                let hint = (hoisted.data_type == DataType::Utf8).then(|| "cast it: TRY_CAST(… AS DOUBLE)".to_owned());
                return Err(self.operand_problem(function, expression, "numbers", &hoisted.data_type, hint));
            }
        }
        self.number(expression)
    }

    fn arithmetic(
        &mut self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
    ) -> Lowered<(NumberExpression, Kind)> {
        let (name, native) = match operator {
            BinaryOperator::Add => ("+", NumberFunction::Add),
            BinaryOperator::Subtract => ("-", NumberFunction::Subtract),
            BinaryOperator::Multiply => ("*", NumberFunction::Multiply),
            BinaryOperator::Divide => ("/", NumberFunction::Divide),
            BinaryOperator::Modulo => ("%", NumberFunction::Modulo),
            _ => return Err(Stop::NoForm),
        };
        let (left_number, left_kind) = self.operand(name, left)?;
        let (right_number, right_kind) = self.operand(name, right)?;
        let plain = function(native, vec![left_number, right_number]);
        match (native, left_kind, right_kind) {
            (NumberFunction::Subtract, Kind::Date, Kind::Date) => Ok((
                function(NumberFunction::Divide, vec![plain, NumberExpression::Constant(Some(86_400.0))]),
                Kind::Integer,
            )),
            (NumberFunction::Subtract, Kind::Date | Kind::Timestamp, Kind::Date | Kind::Timestamp) => {
                Ok((plain, Kind::Interval))
            }
            _ if is_time(left_kind)
                || is_time(right_kind)
                || left_kind == Kind::Interval
                || right_kind == Kind::Interval =>
            {
                Err(Stop::NoForm)
            }
            _ if left_kind == Kind::Double || right_kind == Kind::Double => Ok((plain, Kind::Double)),
            _ if left_kind == Kind::Float || right_kind == Kind::Float => {
                Ok((function(NumberFunction::Float32, vec![plain]), Kind::Float))
            }
            (NumberFunction::Divide, ..) => Ok((plain, Kind::Double)),
            (_, Kind::Integer, Kind::Integer) => Ok((plain, Kind::Integer)),
            _ => Ok((plain, Kind::Double)),
        }
    }

    fn cast_number(&mut self, operand: &Expression, to: CastType) -> Lowered<(NumberExpression, Kind)> {
        let (number, kind) = self.number(operand)?;
        match (to, kind) {
            (_, Kind::Date | Kind::Timestamp | Kind::Interval) => Err(Stop::NoForm),
            (CastType::Double, _) => Ok((number, Kind::Double)),
            (CastType::Float, _) => Ok((function(NumberFunction::Float32, vec![number]), Kind::Float)),
            (CastType::Integer, Kind::Integer | Kind::Boolean) => Ok((number, Kind::Integer)),
            (CastType::Boolean, Kind::Boolean) => Ok((number, Kind::Boolean)),
            _ => Err(Stop::NoForm),
        }
    }

    fn case_number(
        &mut self,
        branches: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) -> Lowered<(NumberExpression, Kind)> {
        let mut kind = None;
        let mut lowered = Vec::with_capacity(branches.len());
        for (condition, result) in branches {
            let condition = self.condition(condition)?;
            let (result, result_kind) = self.number(result)?;
            kind = Some(joined_kind(kind, result_kind)?);
            lowered.push((condition, result));
        }
        let otherwise = match otherwise {
            Some(otherwise) => {
                let (otherwise, otherwise_kind) = self.number(otherwise)?;
                kind = Some(joined_kind(kind, otherwise_kind)?);
                otherwise
            }
            None => NumberExpression::Constant(None),
        };
        let case = NumberExpression::Case { branches: lowered, otherwise: Box::new(otherwise) };
        Ok((case, kind.unwrap_or(Kind::Double)))
    }

    fn call_number(&mut self, name: &str, arguments: &[Expression]) -> Lowered<(NumberExpression, Kind)> {
        if let Some(similarity) = text_similarity(name) {
            let [left, right] = arguments else { return Err(Stop::NoForm) };
            let measure = self.text_measure(name, similarity, left, right)?;
            return Ok((measure, if is_distance(similarity) { Kind::Integer } else { Kind::Double }));
        }
        if let ("qgram_jaccard" | "qgram_dice", [left, right, Expression::Literal(Literal::Integer(q))]) =
            (name, arguments)
        {
            let Some(similarity) = u8::try_from(*q).ok().and_then(|q| library::text_similarity(name, Some(q))) else {
                let kind = ProblemKind::Setting {
                    setting: "Characters of a q-gram",
                    range: "from 1 to 255",
                    found: q.to_string(),
                };
                return Err(self.note(kind));
            };
            return Ok((self.text_measure(name, similarity, left, right)?, Kind::Double));
        }
        if let ("distance_km", [latitude, longitude, other_latitude, other_longitude]) = (name, arguments) {
            let formula = haversine(latitude, longitude, other_latitude, other_longitude);
            for operand in arguments {
                self.operand(name, operand)?;
            }
            return self.number(&formula);
        }
        match (name, arguments) {
            ("length", [Expression::Call { function, arguments }]) if function == "list_intersect" => {
                let [left, right] = arguments.as_slice() else { return Err(Stop::NoForm) };
                return Ok((self.shared_count(left, right)?, Kind::Integer));
            }
            (
                "list_pairwise_min" | "list_pairwise_max",
                [left, right, Expression::Literal(Literal::Text(similarity))],
            ) => {
                return self.pairwise(name, left, right, similarity);
            }
            ("list_cosine_similarity", [left, right]) => return self.cosine(left, right),
            ("date_diff", [Expression::Literal(Literal::Text(part)), from, to]) => {
                let period = |operand: &Expression| call("date_period", vec![text(part), operand.clone()]);
                return self.arithmetic(BinaryOperator::Subtract, &period(to), &period(from));
            }
            ("integer_divide", [left, right]) => {
                let (quotient, kind) = self.arithmetic(BinaryOperator::Divide, left, right)?;
                let whole = self.number(left)?.1 == Kind::Integer && self.number(right)?.1 == Kind::Integer;
                return Ok(if whole {
                    (function(NumberFunction::Truncate, vec![quotient]), Kind::Integer)
                } else {
                    (quotient, kind)
                });
            }
            ("round", [value, Expression::Literal(Literal::Integer(digits @ 0..=15))]) => {
                let (value, kind) = self.operand("round", value)?;
                let scale = NumberExpression::Constant(Some(10f64.powi(*digits as i32)));
                let scaled = function(NumberFunction::Multiply, vec![value, scale.clone()]);
                let rounded = function(NumberFunction::Round, vec![scaled]);
                return Ok((function(NumberFunction::Divide, vec![rounded, scale]), kind));
            }
            _ => {}
        }
        let native = number_function(name, arguments.len()).ok_or(Stop::NoForm)?;
        let mut lowered = Vec::with_capacity(arguments.len());
        let mut kind = None;
        for argument in arguments {
            let (argument, argument_kind) = self.operand(name, argument)?;
            kind = Some(joined_kind(kind, argument_kind)?);
            lowered.push(argument);
        }
        let kind = kind.unwrap_or(Kind::Double);
        let keeps = matches!(
            native,
            NumberFunction::Abs
                | NumberFunction::Greatest
                | NumberFunction::Least
                | NumberFunction::Coalesce
                | NumberFunction::NullIf
                | NumberFunction::Floor
                | NumberFunction::Ceil
                | NumberFunction::Round
                | NumberFunction::Truncate
        );
        let extreme = matches!(
            native,
            NumberFunction::Greatest | NumberFunction::Least | NumberFunction::Coalesce | NumberFunction::NullIf
        );
        if !extreme && (is_time(kind) || kind == Kind::Interval) {
            return Err(Stop::NoForm);
        }
        Ok((function(native, lowered), if keeps { kind } else { Kind::Double }))
    }

    fn text_measure(
        &mut self,
        name: &str,
        similarity: TextSimilarity,
        left: &Expression,
        right: &Expression,
    ) -> Lowered<NumberExpression> {
        let (left, right) = sides(left, right)?;
        let mut features = [0; 2];
        for (feature, operand) in features.iter_mut().zip([left, right]) {
            let hoisted = self.hoist(operand)?;
            match hoisted.data_type {
                DataType::Utf8 => *feature = self.feature(&hoisted),
                DataType::Null => return Ok(NumberExpression::Constant(None)),
                ref found => {
                    let hint = (!matches!(found, DataType::List(_)))
                        .then(|| format!("cast it: CAST({} AS TEXT)", format(operand)));
                    return Err(self.operand_problem(name, operand, "text", found, hint));
                }
            }
        }
        let [left, right] = features;
        self.join_domains(left, right);
        Ok(NumberExpression::Measure(self.measure(Measure::Text { similarity, left, right })))
    }

    /// Features of two lists, as text unless `numbers`.
    fn lists(
        &mut self,
        name: &str,
        left: &Expression,
        right: &Expression,
        numbers: bool,
    ) -> Lowered<(FeatureId, FeatureId, DataType)> {
        let (left, right) = sides(left, right)?;
        let mut found = Vec::with_capacity(2);
        for operand in [left, right] {
            let hoisted = self.hoist(operand)?;
            let DataType::List(item) = &hoisted.data_type else {
                let data_type = hoisted.data_type.clone();
                return Err(self.operand_problem(name, operand, "lists", &data_type, None));
            };
            let item = item.data_type().clone();
            let usable = !numbers || matches!(item, DataType::Int64 | DataType::Float32 | DataType::Float64);
            if !usable {
                let data_type = hoisted.data_type.clone();
                return Err(self.operand_problem(name, operand, "lists of numbers", &data_type, None));
            }
            found.push((hoisted, item));
        }
        let (one, two) = (found.remove(0), found.remove(0));
        if !numbers && one.1 != two.1 && one.1 != DataType::Null && two.1 != DataType::Null {
            let kind = ProblemKind::DifferentTypes {
                left: format(left),
                left_type: record::type_name(&one.0.data_type),
                right: format(right),
                right_type: record::type_name(&two.0.data_type),
            };
            return Err(self.note(kind));
        }
        let item = one.1.clone();
        let as_text = |expression: Expression| call("list_text", vec![expression]);
        let one = if numbers || one.1 == DataType::Utf8 { one.0 } else { self.changed(one.0, as_text)? };
        let two = if numbers || two.1 == DataType::Utf8 { two.0 } else { self.changed(two.0, as_text)? };
        let (left, right) = (self.feature(&one), self.feature(&two));
        self.join_domains(left, right);
        Ok((left, right, item))
    }

    fn shared_elements(&mut self, left: &Expression, right: &Expression) -> Lowered<MeasureId> {
        let (left, right, _) = self.lists("list_intersect", left, right, false)?;
        Ok(self.measure(Measure::SharedElements { left, right }))
    }

    fn pairwise(
        &mut self,
        name: &str,
        left: &Expression,
        right: &Expression,
        similarity: &str,
    ) -> Lowered<(NumberExpression, Kind)> {
        let similarity = text_similarity(similarity).ok_or(Stop::NoForm)?;
        // The best is the smallest distance or the largest similarity; the worst has no measure.
        if is_distance(similarity) != (name == "list_pairwise_min") {
            return Err(Stop::NoForm);
        }
        let (left, right, item) = self.lists("list_transform", left, right, false)?;
        if item != DataType::Utf8 {
            return Err(Stop::NoForm);
        }
        let measure = self.measure(Measure::PairwiseText { similarity, left, right });
        Ok((NumberExpression::Measure(measure), if is_distance(similarity) { Kind::Integer } else { Kind::Double }))
    }

    fn cosine(&mut self, left: &Expression, right: &Expression) -> Lowered<(NumberExpression, Kind)> {
        let (left, right, item) = self.lists("list_cosine_similarity", left, right, true)?;
        let measure = NumberExpression::Measure(self.measure(Measure::VectorCosine { left, right }));
        if item == DataType::Float32 {
            return Ok((function(NumberFunction::Float32, vec![measure]), Kind::Float));
        }
        Ok((measure, Kind::Double))
    }

    fn measure(&mut self, measure: Measure) -> MeasureId {
        self.measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
            self.measures.push(measure);
            self.measures.len() - 1
        })
    }

    /// Prepares an expression over one record as a feature, with its type.
    pub(super) fn hoist(&mut self, expression: &Expression) -> Lowered<Hoisted> {
        let Reads::One(side) = reads(expression) else { return Err(Stop::NoForm) };
        let stripped = strip(expression);
        match record::data_type(&stripped, self.schema) {
            Ok(data_type) => Ok(Hoisted { side, expression: stripped, data_type }),
            Err(error) => Err(self.evaluation(expression, &error)),
        }
    }

    /// A feature that the SQL tier computes, as text.
    pub(super) fn hoist_opaque(&mut self, expression: &Expression, side: Side) -> Lowered<Hoisted> {
        let stripped = strip(expression);
        if record::data_type(&stripped, self.schema).is_ok() {
            let cast = Expression::Cast { operand: Box::new(stripped), to: CastType::Text, lenient: false };
            return Ok(Hoisted { side, expression: cast, data_type: DataType::Utf8 });
        }
        let mut opaque_inside = false;
        record::walk(expression, &mut |part| opaque_inside |= matches!(part, Expression::Opaque { .. }));
        if opaque_inside {
            return Err(Stop::NoForm);
        }
        if !self.options.sql_tier {
            return Err(self.note(ProblemKind::NeedsSqlTier { sql: format(expression) }));
        }
        Ok(Hoisted { side, expression: opaque_text(&stripped), data_type: DataType::Utf8 })
    }

    /// Sorts an evaluation error into "no native form" and real problems.
    pub(super) fn evaluation(&mut self, expression: &Expression, error: &EvaluationError) -> Stop {
        match error {
            EvaluationError::UnknownFunction { .. }
            | EvaluationError::Opaque { .. }
            | EvaluationError::NotConstant { .. }
            | EvaluationError::Argument { .. } => Stop::NoForm,
            EvaluationError::OperandType { function, expected, found } => self.note(ProblemKind::OperandType {
                function: function.clone(),
                operand: format(expression),
                expected: expected.clone(),
                found: found.clone(),
                hint: None,
            }),
            other => self.note(ProblemKind::Expression { expression: format(expression), message: other.to_string() }),
        }
    }

    fn operand_problem(
        &mut self,
        function: &str,
        operand: &Expression,
        expected: &str,
        found: &DataType,
        hint: Option<String>,
    ) -> Stop {
        self.note(ProblemKind::OperandType {
            function: function.to_owned(),
            operand: format(operand),
            expected: expected.to_owned(),
            found: record::type_name(found),
            hint,
        })
    }
}

/// The text value of an expression that only the SQL tier knows.
pub(super) fn opaque_text(stripped: &Expression) -> Expression {
    let cast = Expression::Cast { operand: Box::new(stripped.clone()), to: CastType::Text, lenient: false };
    let mut columns = Vec::new();
    record::walk(stripped, &mut |part| match part {
        Expression::Column { name, .. } => columns.push((None, name.clone())),
        Expression::Opaque { columns: read, .. } => columns.extend(read.iter().cloned()),
        _ => {}
    });
    columns.sort();
    columns.dedup();
    Expression::Opaque { sql: format(&cast), columns }
}

/// The expression without sides.
pub(super) fn strip(expression: &Expression) -> Expression {
    let mut stripped = expression.clone();
    map_columns(&mut stripped, &mut |side, _| *side = None);
    stripped
}

/// Changes every column of an expression in place.
pub(super) fn map_columns(expression: &mut Expression, change: &mut impl FnMut(&mut Option<Side>, &mut String)) {
    match expression {
        Expression::Column { side, name } => change(side, name),
        Expression::Literal(_) | Expression::Opaque { .. } => {}
        Expression::Call { arguments, .. } => {
            for argument in arguments {
                map_columns(argument, change);
            }
        }
        Expression::Not(operand)
        | Expression::Negate(operand)
        | Expression::IsNull { operand, .. }
        | Expression::Cast { operand, .. } => {
            map_columns(operand, change);
        }
        Expression::Binary { left, right, .. } => {
            map_columns(left, change);
            map_columns(right, change);
        }
        Expression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                map_columns(condition, change);
                map_columns(result, change);
            }
            if let Some(otherwise) = otherwise {
                map_columns(otherwise, change);
            }
        }
        Expression::In { operand, list, .. } => {
            map_columns(operand, change);
            for item in list {
                map_columns(item, change);
            }
        }
    }
}

/// Types that can stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Null,
    Text,
    Number,
    Truth,
    Time,
    List,
}

fn group(data_type: &DataType) -> Group {
    match data_type {
        DataType::Null => Group::Null,
        DataType::Utf8 => Group::Text,
        DataType::Boolean => Group::Truth,
        DataType::Date32 | DataType::Timestamp(..) => Group::Time,
        DataType::List(_) => Group::List,
        _ => Group::Number,
    }
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Int64 => Kind::Integer,
        DataType::Float32 => Kind::Float,
        DataType::Boolean => Kind::Boolean,
        DataType::Date32 => Kind::Date,
        DataType::Timestamp(..) => Kind::Timestamp,
        _ => Kind::Double,
    }
}

fn is_time(kind: Kind) -> bool {
    matches!(kind, Kind::Date | Kind::Timestamp)
}

fn is_logical(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::NotDistinct | BinaryOperator::Distinct
    )
}

/// The kind of a value that is one of two.
fn joined_kind(earlier: Option<Kind>, kind: Kind) -> Lowered<Kind> {
    let Some(earlier) = earlier else { return Ok(kind) };
    match (earlier, kind) {
        (one, two) if one == two => Ok(one),
        (one, two) if is_time(one) != is_time(two) || one == Kind::Interval || two == Kind::Interval => {
            Err(Stop::NoForm)
        }
        (one, two) if is_time(one) && is_time(two) => Ok(Kind::Timestamp),
        (Kind::Double, _) | (_, Kind::Double) => Ok(Kind::Double),
        (Kind::Float, _) | (_, Kind::Float) => Ok(Kind::Float),
        (Kind::Decimal, _) | (_, Kind::Decimal) => Ok(Kind::Decimal),
        _ => Ok(Kind::Integer),
    }
}

/// The type of a feature's values.
pub(super) fn stored_type(data_type: &DataType) -> ValueType {
    match data_type {
        DataType::Utf8 => ValueType::Text,
        DataType::Int64 => ValueType::Integer,
        DataType::Boolean => ValueType::Boolean,
        DataType::List(item) if *item.data_type() == DataType::Utf8 => ValueType::TextList,
        DataType::List(_) => ValueType::NumberList,
        _ => ValueType::Number,
    }
}

/// A condition as 1, 0 or null.
fn truth_number(condition: Condition) -> NumberExpression {
    let opposite = simplify::not(condition.clone());
    NumberExpression::Case {
        branches: vec![
            (condition, NumberExpression::Constant(Some(1.0))),
            (opposite, NumberExpression::Constant(Some(0.0))),
        ],
        otherwise: Box::new(NumberExpression::Constant(None)),
    }
}

/// A condition that is false where it would be unknown.
fn definite(condition: Condition) -> Condition {
    match condition {
        Condition::Or(parts) => simplify::or(parts.into_iter().map(definite).collect()),
        known @ (Condition::Constant(Some(_)) | Condition::IsNull { .. } | Condition::IsUnknown(_)) => known,
        other => simplify::and(vec![simplify::not(simplify::is_unknown(other.clone())), other]),
    }
}

fn single_constant(number: &mut NumberExpression) {
    if let NumberExpression::Constant(Some(value)) = number {
        *value = f64::from(*value as f32);
    }
}

/// Seconds of a unit of an interval; a month counts 30 days, as where DuckDB orders intervals.
fn unit_seconds(unit: &str) -> f64 {
    match unit {
        "year" => 360.0 * 86_400.0,
        "quarter" => 90.0 * 86_400.0,
        "month" => 30.0 * 86_400.0,
        "week" => 7.0 * 86_400.0,
        "day" => 86_400.0,
        "hour" => 3_600.0,
        "minute" => 60.0,
        _ => 1.0,
    }
}

/// Whether an equality key or residual came of a shared element.
pub(super) fn shares_an_element(condition: &Condition, measures: &[Measure]) -> Option<(FeatureId, FeatureId)> {
    let Condition::Measure { measure, operator, threshold } = condition else { return None };
    let at_least_one = match operator {
        Operator::GreaterOrEqual => *threshold > 0.0 && *threshold <= 1.0,
        Operator::Greater => *threshold >= 0.0 && *threshold < 1.0,
        _ => false,
    };
    match measures[*measure] {
        Measure::SharedElements { left, right } if at_least_one => Some((left, right)),
        _ => None,
    }
}

/// The two operands of `=`.
pub(super) fn equality(expression: &Expression) -> Option<(&Expression, &Expression)> {
    match expression {
        Expression::Binary { operator: BinaryOperator::Equal, left, right } => Some((left, right)),
        _ => None,
    }
}

fn compare_numbers(
    operator: Operator,
    left: (NumberExpression, Kind),
    right: (NumberExpression, Kind),
) -> Lowered<Condition> {
    let ((mut left, left_kind), (mut right, right_kind)) = (left, right);
    if is_time(left_kind) != is_time(right_kind) || (left_kind == Kind::Interval) != (right_kind == Kind::Interval) {
        return Err(Stop::NoForm);
    }
    if left_kind == Kind::Float {
        single_constant(&mut right);
    }
    if right_kind == Kind::Float {
        single_constant(&mut left);
    }
    Ok(match (left, right) {
        (NumberExpression::Constant(None), _) | (_, NumberExpression::Constant(None)) => Condition::Constant(None),
        (NumberExpression::Measure(measure), NumberExpression::Constant(Some(threshold))) => {
            Condition::Measure { measure, operator, threshold }
        }
        (NumberExpression::Constant(Some(threshold)), NumberExpression::Measure(measure)) => {
            Condition::Measure { measure, operator: flipped(operator), threshold }
        }
        (left, right) => Condition::Compare { left, operator, right },
    })
}

/// The two operands of a measure: one of each record, the left record's first.
fn sides<'e>(left: &'e Expression, right: &'e Expression) -> Lowered<(&'e Expression, &'e Expression)> {
    match (reads(left), reads(right)) {
        (Reads::One(Side::Left), Reads::One(Side::Right)) => Ok((left, right)),
        (Reads::One(Side::Right), Reads::One(Side::Left)) => Ok((right, left)),
        _ => Err(Stop::NoForm),
    }
}

/// The operands of `length(list_intersect(a, b))`.
fn intersected(expression: &Expression) -> Option<(&Expression, &Expression)> {
    let Expression::Call { function, arguments } = expression else { return None };
    let ("length", [Expression::Call { function: inner, arguments }]) = (function.as_str(), arguments.as_slice())
    else {
        return None;
    };
    match (inner.as_str(), arguments.as_slice()) {
        ("list_intersect", [first, second]) => Some((first, second)),
        _ => None,
    }
}

fn holds(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Equal => left.total_cmp(&right).is_eq(),
        Operator::NotEqual => left.total_cmp(&right).is_ne(),
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
    }
}

/// The great-circle distance of [`crate::kernels::geography::distance_km`] as an expression, so that what reads one record is
/// computed once per record.
fn haversine(
    latitude: &Expression,
    longitude: &Expression,
    other_latitude: &Expression,
    other_longitude: &Expression,
) -> Expression {
    let number = |value: f64| Expression::Literal(Literal::Number(value));
    let radians = |degrees: Expression| call("radians", vec![degrees]);
    let two = |operator: BinaryOperator, left: Expression, right: Expression| binary(operator, left, right);
    let half_sine = |from: &Expression, to: &Expression| {
        let turn = radians(two(BinaryOperator::Subtract, to.clone(), from.clone()));
        let sine = call("sin", vec![two(BinaryOperator::Divide, turn, number(2.0))]);
        two(BinaryOperator::Multiply, sine.clone(), sine)
    };
    let cosine = |latitude: &Expression| call("cos", vec![radians(latitude.clone())]);
    let cosines = two(BinaryOperator::Multiply, cosine(latitude), cosine(other_latitude));
    let turned = two(BinaryOperator::Multiply, cosines, half_sine(longitude, other_longitude));
    let share = two(BinaryOperator::Add, half_sine(latitude, other_latitude), turned);
    // Rounding may leave the share just above 1, where the arc sine has no value.
    let capped = Expression::Case {
        branches: vec![(two(BinaryOperator::Greater, share.clone(), number(1.0)), number(1.0))],
        otherwise: Some(Box::new(share)),
    };
    let arc = call("asin", vec![call("sqrt", vec![capped])]);
    two(BinaryOperator::Multiply, number(2.0 * crate::kernels::geography::EARTH_RADIUS_KM), arc)
}
