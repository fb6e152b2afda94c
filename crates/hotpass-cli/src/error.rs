//! The one error of every command: what it was, why, and what to do next.

use std::error::Error;
use std::io;

use crate::exit::ErrorKind;

/// An error that ends a command.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// Decides the exit code.
    pub(crate) kind: ErrorKind,
    /// What could not be done: a capital first, no final period.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    /// Makes an error of a kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Makes an error for what failed outside: exit code 1.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// Makes an error for a wrong request or configuration: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Makes the error of a command that the user stopped: exit code 130.
    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "Interrupted")
    }

    /// Adds an error and the chain of its sources as causes; a closed pipe anywhere in it makes this no failure.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(io_error) = cause.downcast_ref::<io::Error>()
                && io_error.kind() == io::ErrorKind::BrokenPipe
            {
                self.kind = ErrorKind::ClosedPipe;
            }
            let text = cause.to_string();
            // Transparent wrappers say the same thing twice.
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to do next, where that is known.
    #[must_use]
    pub(crate) fn hint_if_some(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hints.extend(hint.map(Into::into));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_in_the_chain_is_no_failure() {
        let error = CommandError::failure("Cannot write").caused_by(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.kind.code(), 0);
    }

    #[test]
    fn causes_follow_the_chain_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] io::Error);
        let error = CommandError::usage("x").caused_by(&Outer(io::Error::other("inner")));
        assert_eq!(error.causes, ["outer", "inner"]);
    }
}
