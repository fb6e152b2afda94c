//! Sending events without making a run wait.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::delivery::{Retry, deliver};
use crate::error::SendError;
use crate::event::Event;
use crate::spool::{Spool, next_number};
use crate::transport::{Headers, Transport};

/// Gives the headers of an event when it is sent, such as the trace context; it is called in a span of `tracing` that hangs
/// below the one in which the event was handed in.
pub type HeaderProvider = Arc<dyn Fn() -> Headers + Send + Sync>;

/// How an [`Emitter`] works.
#[derive(Clone)]
pub struct EmitterOptions {
    /// Events that may wait in memory; further ones go to the spool.
    pub queue: usize,
    /// How often an event is sent again.
    pub retry: Retry,
    /// Where events wait that could not be sent; without it they are lost.
    pub spool: Option<Spool>,
    /// Gives the headers of an event.
    pub headers: Option<HeaderProvider>,
}

impl Default for EmitterOptions {
    fn default() -> Self {
        Self { queue: 256, retry: Retry::default(), spool: None, headers: None }
    }
}

/// What became of the events of an emitter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Events that were handed in.
    pub emitted: u64,
    /// Events that were taken by the transport.
    pub delivered: u64,
    /// Events that wait in the spool.
    pub spooled: u64,
    /// Events that could neither be sent nor kept.
    pub lost: u64,
    /// Older events that made way in the spool, since all together would take more than its limit.
    pub displaced: u64,
    /// The last failure.
    pub last_error: Option<String>,
}

/// Sends events on a thread of its own. Clones send through the same thread.
///
/// Handing an event in costs no more than writing it as JSON: it is put into a bounded queue. Where the queue is full, or the
/// server has failed, events go to the spool, in order. The default sends nothing.
#[derive(Clone, Default)]
pub struct Emitter(Option<Arc<Handle>>);

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Emitter").field(&self.0.is_some()).finish()
    }
}

impl Emitter {
    /// Starts the thread that sends.
    ///
    /// # Errors
    ///
    /// Returns the error of starting it.
    pub fn start(transport: Box<dyn Transport>, options: EmitterOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { options, state: Mutex::default(), changed: Condvar::new() });
        let worker = Arc::clone(&shared);
        std::thread::Builder::new().name("hotpass-lineage".to_owned()).spawn(move || worker.run(&*transport))?;
        Ok(Self(Some(Arc::new(Handle(shared)))))
    }

    /// Returns whether events go anywhere.
    pub fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Hands an event in; returns at once.
    pub fn emit(&self, event: &Event) {
        if let Some(handle) = &self.0 {
            handle.0.emit(event);
        }
    }

    /// Waits until all events are sent, at most for `limit`; what is left then goes to the spool.
    ///
    /// It does not wait for a server that has failed twice at the event in turn, or has had that event for as long already.
    ///
    /// Later events go to the spool at once.
    pub fn finish(&self, limit: Duration) -> Delivery {
        self.0.as_ref().map(|handle| handle.0.finish(limit)).unwrap_or_default()
    }
}

/// Ends the thread when the last emitter goes.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.finish(Duration::ZERO);
    }
}

struct Shared {
    options: EmitterOptions,
    state: Mutex<State>,
    changed: Condvar,
}

/// An event that waits in memory.
#[derive(Clone)]
struct Queued {
    /// Its place in the order of all events.
    number: u64,
    event: String,
    /// The span in which it was handed in.
    span: tracing::Span,
}

#[derive(Default)]
struct State {
    /// Events to be sent, the one that is being sent first.
    queue: VecDeque<Queued>,
    /// Set once events must go to the spool to keep their order.
    diverted: bool,
    /// Until when the thread may go on.
    closing: Option<Instant>,
    /// Since when the server has an event that it has not answered.
    sending: Option<Instant>,
    /// Set once the thread's events were taken from it.
    abandoned: bool,
    /// Set once the thread has ended.
    ended: bool,
    delivery: Delivery,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit(&self, event: &Event) {
        let event = match event.to_json() {
            Ok(event) => event,
            Err(error) => {
                let mut state = self.lock();
                state.delivery.emitted += 1;
                state.delivery.lost += 1;
                state.delivery.last_error = Some(error.to_string());
                return;
            }
        };
        let queued = Queued { number: next_number(), event, span: tracing::Span::current() };
        let mut state = self.lock();
        state.delivery.emitted += 1;
        state.diverted |= state.queue.len() >= self.options.queue || state.closing.is_some();
        if state.diverted {
            self.keep(&mut state, &queued);
        } else {
            state.queue.push_back(queued);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Puts an event into the spool.
    fn keep(&self, state: &mut State, queued: &Queued) {
        let kept = self.options.spool.as_ref().map(|spool| spool.push_numbered(queued.number, &queued.event));
        match kept {
            Some(Ok(displaced)) => {
                state.delivery.spooled += 1;
                state.delivery.displaced += displaced;
            }
            Some(Err(error)) => {
                state.delivery.lost += 1;
                state.delivery.last_error = Some(format!("Cannot keep an event: {error}"));
            }
            None => state.delivery.lost += 1,
        }
    }

    /// Puts all events that wait in memory into the spool.
    fn keep_all(&self, state: &mut State) {
        while let Some(queued) = state.queue.pop_front() {
            self.keep(state, &queued);
        }
    }

    fn failed(&self, state: &mut State, error: &SendError) {
        let message = error.to_string();
        if let Some(spool) = &self.options.spool {
            spool.note_error(&message);
        }
        state.delivery.last_error = Some(message);
    }

    fn run(&self, transport: &dyn Transport) {
        while let Some(queued) = self.next() {
            let span = tracing::info_span!(parent: &queued.span, "lineage.deliver");
            let sent = span.in_scope(|| {
                let headers = || self.options.headers.as_ref().map(|provider| provider()).unwrap_or_default();
                let mut failures = 0;
                deliver(transport, &queued.event, &headers, &self.options.retry, &mut |pause| {
                    failures += 1;
                    self.pause(pause, failures)
                })
            });
            let mut state = self.lock();
            state.sending = None;
            if state.abandoned {
                break;
            }
            state.queue.pop_front();
            match sent {
                Ok(()) => state.delivery.delivered += 1,
                Err(error) => {
                    self.failed(&mut state, &error);
                    self.keep(&mut state, &queued);
                    if !error.concerns_the_event() {
                        state.diverted = true;
                        self.keep_all(&mut state);
                    }
                }
            }
        }
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Returns the next event to send, and leaves it in front of the queue; nothing when the emitter is closed.
    fn next(&self) -> Option<Queued> {
        let mut state = self.lock();
        loop {
            if state.abandoned {
                return None;
            }
            if let Some(front) = state.queue.front() {
                let front = front.clone();
                state.sending = Some(Instant::now());
                return Some(front);
            }
            if state.closing.is_some() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Pauses before the next attempt; returns whether there is one. Nobody waits for a server that has failed more than once.
    fn pause(&self, pause: Duration, failures: u32) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        state.sending = None;
        loop {
            let late = |deadline: Instant| deadline <= until || failures > 1;
            if state.abandoned || state.closing.is_some_and(late) {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.sending = Some(Instant::now());
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn finish(&self, limit: Duration) -> Delivery {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        let first = state.closing.is_none();
        state.closing.get_or_insert(deadline);
        self.changed.notify_all();
        while !state.ended {
            // A server that has kept one event for as long does not get more time.
            let until = state.sending.map_or(deadline, |since| deadline.min(since + limit));
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if !state.ended && !state.abandoned {
            state.abandoned = true;
            if !state.queue.is_empty() {
                state.delivery.last_error.get_or_insert_with(|| "The server did not answer in time".to_owned());
                if let (Some(spool), Some(error)) = (&self.options.spool, &state.delivery.last_error) {
                    spool.note_error(error);
                }
            }
            self.changed.notify_all();
        }
        state.diverted = true;
        self.keep_all(&mut state);
        let delivery = state.delivery.clone();
        drop(state);
        // It is finished once more when the last emitter goes.
        if first && tracing::enabled!(target: "hotpass::metric", tracing::Level::INFO) {
            self.measure(&delivery);
        }
        delivery
    }

    /// Tells what became of the events, and how many wait in the spool.
    fn measure(&self, delivery: &Delivery) {
        for (outcome, events) in
            [("delivered", delivery.delivered), ("spooled", delivery.spooled), ("lost", delivery.lost)]
        {
            tracing::info!(
                target: "hotpass::metric",
                name = "hotpass.lineage.events",
                value = events,
                "hotpass.outcome" = outcome
            );
        }
        if let Some(Ok(status)) = self.options.spool.as_ref().map(Spool::status) {
            tracing::info!(target: "hotpass::metric", name = "hotpass.lineage.spool.depth", value = status.pending);
        }
    }
}
