//! The context of a trace across processes: read from variables, sent as headers, handed to children.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::{Context, ContextGuard};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// Names of the headers; the variables are the same in capitals.
const FIELDS: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// Sends the context of the current span on, as W3C trace context and baggage.
///
/// The default sends nothing, as a program without telemetry does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Propagation {
    trace: bool,
    baggage: bool,
}

impl Propagation {
    /// Says whether `traceparent` and `tracestate`, and whether `baggage`, are read and sent.
    pub const fn new(trace: bool, baggage: bool) -> Self {
        Self { trace, baggage }
    }

    /// Returns the headers that an outbound request carries, so that what it causes elsewhere hangs below the current
    /// span; none outside of a span.
    pub fn headers(&self) -> Vec<(String, String)> {
        let context = Context::current();
        let mut carrier = HashMap::new();
        if self.trace {
            TraceContextPropagator::new().inject_context(&context, &mut carrier);
        }
        if self.baggage {
            BaggagePropagator::new().inject_context(&context, &mut carrier);
        }
        let mut headers: Vec<(String, String)> = carrier.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        headers.sort_unstable();
        headers
    }

    /// Returns the variables that a child process is started with: `TRACEPARENT`, `TRACESTATE`, `BAGGAGE`.
    pub fn child_environment(&self) -> Vec<(String, String)> {
        self.headers().into_iter().map(|(name, value)| (name.to_ascii_uppercase(), value)).collect()
    }

    /// Makes the context of a caller the parent of spans that begin on this thread while the guard lives; `lookup` finds
    /// `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`.
    pub fn attach_parent(&self, lookup: &dyn Fn(&str) -> Option<String>) -> ParentGuard {
        let carrier: HashMap<String, String> = FIELDS
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), lookup(&name.to_ascii_uppercase())?.trim().to_owned())))
            .collect();
        let mut context = Context::current();
        if self.trace {
            context = TraceContextPropagator::new().extract_with_context(&context, &carrier);
        }
        if self.baggage {
            context = BaggagePropagator::new().extract_with_context(&context, &carrier);
        }
        ParentGuard(context.attach())
    }
}

/// The context of one thread, for another.
#[derive(Debug, Clone)]
pub struct ThreadContext(Context);

impl ThreadContext {
    /// Returns the context of this thread.
    pub fn current() -> Self {
        Self(Context::current())
    }

    /// Puts the context in force on this thread while the guard lives.
    pub fn attach(self) -> ParentGuard {
        ParentGuard(self.0.attach())
    }
}

/// Keeps the context of a caller in force on a thread.
#[derive(Debug)]
#[must_use = "the parent holds only while the guard lives"]
pub struct ParentGuard(#[expect(dead_code, reason = "lives to be dropped")] ContextGuard);

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Option<String> {
        match name {
            "TRACEPARENT" => Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            "TRACESTATE" => Some("vendor=1".to_owned()),
            "BAGGAGE" => Some("team=data%20office".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_callers_context_goes_on_to_children_and_requests() {
        let propagation = Propagation::new(true, true);
        assert_eq!(propagation.headers(), []);
        let guard = propagation.attach_parent(&caller);
        let variables = propagation.child_environment();
        assert_eq!(
            variables,
            [
                ("BAGGAGE", "team=data%20office"),
                ("TRACEPARENT", caller("TRACEPARENT").as_deref().unwrap_or("")),
                ("TRACESTATE", "vendor=1")
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        drop(guard);
        assert_eq!(propagation.headers(), []);
    }

    #[test]
    fn a_broken_parent_is_none() {
        let propagation = Propagation::new(true, true);
        let _guard = propagation.attach_parent(&|name| (name == "TRACEPARENT").then(|| "00-zz".to_owned()));
        assert_eq!(propagation.headers(), []);
    }

    #[test]
    fn what_is_switched_off_is_not_sent() {
        let propagation = Propagation::new(true, true);
        let _guard = propagation.attach_parent(&caller);
        assert_eq!(Propagation::default().headers(), []);
        let names: Vec<String> = Propagation::new(false, true).headers().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["baggage"]);
    }
}
