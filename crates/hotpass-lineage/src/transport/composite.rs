//! Events to several transports.

use std::sync::{Mutex, PoisonError};

use super::{Headers, Transport};
use crate::error::{SendError, TransportError};

/// Sends each event to several transports, in order.
///
/// It counts as taken when every transport that is tried takes it. When it is sent again, those that have taken it are left
/// out, so that they get it once.
pub struct CompositeTransport {
    transports: Vec<Box<dyn Transport>>,
    continue_on_failure: bool,
    continue_on_success: bool,
    /// The event that was not taken by all, and who has taken it.
    partly: Mutex<(String, Vec<bool>)>,
}

impl CompositeTransport {
    /// Makes a transport of several.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError::Empty`] when there are none.
    pub fn new(
        transports: Vec<Box<dyn Transport>>,
        continue_on_failure: bool,
        continue_on_success: bool,
    ) -> Result<Self, TransportError> {
        if transports.is_empty() {
            return Err(TransportError::Empty);
        }
        Ok(Self { transports, continue_on_failure, continue_on_success, partly: Mutex::default() })
    }
}

impl Transport for CompositeTransport {
    fn send(&self, event: &str, headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken =
            if partly.0 == event { std::mem::take(&mut partly.1) } else { vec![false; self.transports.len()] };
        let mut failure: Option<SendError> = None;
        for (transport, taken) in self.transports.iter().zip(&mut taken) {
            if !*taken {
                match transport.send(event, headers) {
                    Ok(()) => *taken = true,
                    Err(error) => {
                        // What may pass is to be tried again, even where another transport refuses for good.
                        let replace =
                            !failure.as_ref().is_some_and(|before| matches!(before, SendError::Unavailable { .. }));
                        if replace {
                            failure = Some(error);
                        }
                        if !self.continue_on_failure {
                            break;
                        }
                        continue;
                    }
                }
            }
            if !self.continue_on_success {
                failure = None;
                break;
            }
        }
        match failure {
            None => {
                *partly = (String::new(), Vec::new());
                Ok(())
            }
            Some(error) => {
                *partly = (event.to_owned(), taken);
                Err(error)
            }
        }
    }

    fn describe(&self) -> String {
        self.transports.iter().map(|transport| transport.describe()).collect::<Vec<_>>().join(", ")
    }
}
