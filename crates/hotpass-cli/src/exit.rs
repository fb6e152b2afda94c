//! The exit codes, as data: the program exits by this table and the reference page is generated from it.

use std::fmt::Write as _;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked to do.
    Done,
    /// It ran, but the data did not pass; what it found has been written and printed.
    DidNotPass,
}

impl Exit {
    /// Returns the exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::DidNotPass => 3,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Something outside failed, or there is a bug here.
    Failure,
    /// The command was asked for something that cannot be, or its configuration is wrong.
    Usage,
    /// The data did not pass.
    DidNotPass,
    /// The user stopped it.
    Interrupted,
    /// The reader of the output went away, which is not a failure.
    ClosedPipe,
}

impl ErrorKind {
    /// Returns the exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::ClosedPipe => Exit::Done.code(),
            Self::Failure => 1,
            Self::Usage => 2,
            Self::DidNotPass => Exit::DidNotPass.code(),
            Self::Interrupted => 130,
        }
    }
}

/// An exit code, for people.
#[derive(Debug)]
pub(crate) struct ExitCodeRow {
    /// The code.
    pub(crate) code: u8,
    /// What it means, in two or three words.
    pub(crate) name: &'static str,
    /// When a command ends with it.
    pub(crate) meaning: &'static str,
}

/// Every exit code of every command.
pub(crate) const EXIT_CODES: &[ExitCodeRow] = &[
    ExitCodeRow {
        code: 0,
        name: "done",
        meaning: "The command did what it was asked to do. A reader that closes the pipe early (`hotpass query … | head`) is not a failure.",
    },
    ExitCodeRow {
        code: 1,
        name: "could not run",
        meaning: "Something outside the command failed: a file that cannot be written, a full disk, a feature that was not compiled in, a bug.",
    },
    ExitCodeRow {
        code: 2,
        name: "usage or configuration",
        meaning: "An unknown command, flag, key or profile; a wrong value; a path, row, entity or run that does not exist; a filter that matches nothing; an input folder with nothing readable in it. A hint says what to try.",
    },
    ExitCodeRow {
        code: 3,
        name: "did not pass",
        meaning: "The command ran, but the data did not pass: an expectation that fails the run, a table or file that breaks its contract, a version of a contract that breaks its users, a digest that does not verify, a check of `hotpass doctor` with the severity of an error. Outputs and quarantine are still written.",
    },
    ExitCodeRow {
        code: 130,
        name: "interrupted",
        meaning: "Ctrl-C or a request to terminate. No file is left half-written; a second Ctrl-C ends at once.",
    },
];

/// Returns the reference page of the exit codes as Markdown.
pub(crate) fn markdown() -> String {
    let mut page = String::from(
        "# Exit codes\n\nEvery command ends with one of these codes.\n\n| code | name | when |\n| --- | --- | --- |\n",
    );
    for row in EXIT_CODES {
        let _ = writeln!(page, "| {} | {} | {} |", row.code, row.name, row.meaning);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_can_be_returned_is_in_the_table() {
        let kinds = [
            ErrorKind::Failure,
            ErrorKind::Usage,
            ErrorKind::DidNotPass,
            ErrorKind::Interrupted,
            ErrorKind::ClosedPipe,
        ];
        let codes = kinds.map(ErrorKind::code).into_iter().chain([Exit::Done.code(), Exit::DidNotPass.code()]);
        for code in codes {
            assert!(EXIT_CODES.iter().any(|row| row.code == code), "{code} is missing");
        }
    }
}
