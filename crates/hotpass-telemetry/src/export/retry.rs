//! Sends again what may succeed later, with growing pauses, until the time is up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Exporter, Payload, Receipt, Refusal, Transport};
use crate::queue::{Closing, Tally};

/// First pause; each next one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An exporter that sends again.
pub(crate) struct Retrying {
    transport: Box<dyn Transport>,
    closing: Arc<Closing>,
    tally: Arc<Tally>,
}

impl Retrying {
    pub(crate) fn new(transport: Box<dyn Transport>, closing: Arc<Closing>, tally: Arc<Tally>) -> Self {
        Self { transport, closing, tally }
    }
}

impl Exporter for Retrying {
    fn export(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal> {
        let mut pause = FIRST_PAUSE;
        loop {
            let limit = self.closing.deadline().map_or(deadline, |end| end.min(deadline));
            let refusal = match self.transport.send(payload, limit) {
                Ok(receipt) => return Ok(receipt),
                Err(refusal) => refusal,
            };
            let ending = self.closing.deadline();
            let limit = ending.map_or(deadline, |end| end.min(deadline));
            let wait = refusal.wait.unwrap_or_else(|| jittered(pause));
            // At the end of the program nobody waits for a collector that is not there.
            let hopeless = ending.is_some() && refusal.unreachable;
            if !refusal.retryable || hopeless || Instant::now() + wait >= limit {
                return Err(refusal);
            }
            self.tally.retries.fetch_add(1, Ordering::Relaxed);
            if ending.is_some() {
                std::thread::sleep(wait);
            } else {
                // When the end comes during the pause, one more try is made at once.
                self.closing.wait(wait);
            }
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

/// Changes a pause by up to a fifth, so that many programs do not come back together.
fn jittered(pause: Duration) -> Duration {
    let noise = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_micros() % 1000);
    pause.mul_f64(0.8 + 0.4 * f64::from(noise) / 1000.0)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Answers as told, one answer a request.
    struct Scripted(VecDeque<Result<Receipt, Refusal>>);

    impl Transport for Scripted {
        fn send(&mut self, _: &Payload, _: Instant) -> Result<Receipt, Refusal> {
            self.0.pop_front().expect("no more requests than answers")
        }
    }

    fn refusal(retryable: bool, unreachable: bool) -> Result<Receipt, Refusal> {
        Err(Refusal { unreachable, retryable, wait: Some(Duration::from_millis(1)), reason: "no".into() })
    }

    fn export(answers: Vec<Result<Receipt, Refusal>>, ended: bool) -> (bool, u64) {
        let closing = Arc::new(Closing::default());
        if ended {
            closing.close(Instant::now() + Duration::from_secs(5));
        }
        let tally = Arc::new(Tally::default());
        let mut exporter = Retrying::new(Box::new(Scripted(answers.into())), closing, Arc::clone(&tally));
        let payload =
            Payload::Logs(opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest::default());
        let done = exporter.export(&payload, Instant::now() + Duration::from_secs(5)).is_ok();
        (done, tally.retries.load(Ordering::Relaxed))
    }

    #[test]
    fn what_may_succeed_later_is_sent_again() {
        assert_eq!(export(vec![refusal(true, false), refusal(true, true), Ok(Receipt::default())], false), (true, 2));
    }

    #[test]
    fn what_is_refused_for_good_is_not() {
        assert_eq!(export(vec![refusal(false, false)], false), (false, 0));
    }

    #[test]
    fn at_the_end_nobody_waits_for_a_collector_that_is_not_there() {
        assert_eq!(export(vec![refusal(true, true)], true), (false, 0));
        assert_eq!(export(vec![refusal(true, false), Ok(Receipt::default())], true), (true, 1));
    }
}
