//! Sending an event with retries.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::SendError;
use crate::transport::{Headers, Transport};

/// How often and after which pauses an event is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first.
    pub retries: u32,
    /// First pause; each further one is twice as long.
    pub backoff: Duration,
    /// Longest pause.
    pub longest: Duration,
}

impl Default for Retry {
    /// Returns what the official client does.
    fn default() -> Self {
        Self { retries: 5, backoff: Duration::from_millis(300), longest: Duration::from_secs(30) }
    }
}

/// Sends an event, again after failures that may pass; `wait` pauses and returns whether to go on.
pub(crate) fn deliver(
    transport: &dyn Transport,
    event: &str,
    headers: &dyn Fn() -> Headers,
    retry: &Retry,
    wait: &mut dyn FnMut(Duration) -> bool,
) -> Result<(), SendError> {
    let mut attempt = 0;
    loop {
        let error = match transport.send(event, headers) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let SendError::Unavailable { retry_after, .. } = &error else { return Err(error) };
        if attempt >= retry.retries {
            return Err(error);
        }
        let pause = retry_after.unwrap_or_else(|| pause(retry, attempt));
        attempt += 1;
        if !wait(pause) {
            return Err(error);
        }
        tracing::info!(target: "hotpass::metric", name = "hotpass.lineage.retries", value = 1);
    }
}

/// Returns a pause between half of the full one and the full one, so that many senders do not return at once.
fn pause(retry: &Retry, attempt: u32) -> Duration {
    let full = retry.backoff.saturating_mul(1 << attempt.min(16)).min(retry.longest);
    let share = RandomState::new().hash_one(attempt) as f64 / u64::MAX as f64;
    full.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let retry = Retry { retries: 9, backoff: Duration::from_millis(100), longest: Duration::from_secs(1) };
        for (attempt, full) in [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (40, 1000)] {
            let pause = pause(&retry, attempt).as_millis();
            assert!((full / 2..=full).contains(&pause), "{attempt}: {pause}");
        }
    }
}
