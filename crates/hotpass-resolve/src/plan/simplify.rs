//! Conditions in their simplest form: constants folded, chains flat, no condition twice.

use super::Condition;

/// Simplifies a condition whose parts are simple already.
pub(super) fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Constant(value) => Condition::Constant(value.map(|value| !value)),
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

pub(super) fn is_unknown(condition: Condition) -> Condition {
    match condition {
        Condition::Constant(value) => Condition::Constant(Some(value.is_none())),
        Condition::IsNull { .. } | Condition::IsUnknown(_) => Condition::Constant(Some(false)),
        // A negation is unknown exactly where its operand is.
        Condition::Not(inner) => is_unknown(*inner),
        other => Condition::IsUnknown(Box::new(other)),
    }
}

pub(super) fn and(conditions: Vec<Condition>) -> Condition {
    chain(conditions, true)
}

pub(super) fn or(conditions: Vec<Condition>) -> Condition {
    chain(conditions, false)
}

/// `neutral` is true for `AND`: it is dropped, and its opposite decides.
fn chain(conditions: Vec<Condition>, neutral: bool) -> Condition {
    let mut flat: Vec<Condition> = Vec::with_capacity(conditions.len());
    let mut add = |condition: Condition| {
        if condition != Condition::Constant(Some(neutral)) && !flat.contains(&condition) {
            flat.push(condition);
        }
    };
    for condition in conditions {
        match condition {
            Condition::And(inner) if neutral => inner.into_iter().for_each(&mut add),
            Condition::Or(inner) if !neutral => inner.into_iter().for_each(&mut add),
            other => add(other),
        }
    }
    if flat.contains(&Condition::Constant(Some(!neutral))) {
        return Condition::Constant(Some(!neutral));
    }
    match flat.len() {
        0 => Condition::Constant(Some(neutral)),
        1 => flat.remove(0),
        _ if neutral => Condition::And(flat),
        _ => Condition::Or(flat),
    }
}
