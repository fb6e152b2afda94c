//! Where values come from.

use std::fmt;
use std::path::PathBuf;

use crate::node::{Node, Value};
use crate::overlay::Overlay;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A profile.
    Profile {
        /// Its name.
        name: String,
        /// Its file; none for a profile that ships with the program.
        file: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// A configuration file.
    File {
        /// Its path.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// Key path it sets.
        key: String,
    },
    /// Another setting, from which this one follows.
    Setting {
        /// Key path of the other.
        key: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile { name, file: None, line, .. } => write!(f, "profile {name}, line {line}"),
            Self::Profile { name, file: Some(file), line, column } => {
                write!(f, "profile {name}, {}:{line}:{column}", file.display())
            }
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Flag { key } => write!(f, "flag for {key}"),
            Self::Setting { key } => write!(f, "follows from {key}"),
        }
    }
}

/// What a layer says of a key path.
pub(crate) enum Found<'a> {
    /// It gives the value at this path.
    Given(&'a Node),
    /// It replaced a list above the path and left this value of the item at its default.
    Replaced,
    /// It does not speak of the path.
    Silent,
}

/// Looks a key path up in a layer.
pub(crate) fn look_up<'a>(root: &'a Node, steps: &[(String, bool)]) -> Found<'a> {
    let mut node = root;
    let mut within_list = false;
    for (step, is_index) in steps {
        let next = match &node.value {
            Value::Map(_) if !is_index => node.get(step),
            Value::List(items) if *is_index => {
                within_list = true;
                step.parse::<usize>().ok().and_then(|index| items.get(index))
            }
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None if within_list => return Found::Replaced,
            None => return Found::Silent,
        }
    }
    Found::Given(node)
}

/// Returns the origin that an overlay gives a node.
pub(crate) fn origin_of(overlay: &Overlay, node: &Node) -> Origin {
    overlay.origin_at(node.offset)
}
