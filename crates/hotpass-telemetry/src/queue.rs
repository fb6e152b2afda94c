//! A bounded queue with a thread that empties it: what is put in never waits, and what finds no place is counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How a thread learns that the end has come, and when it must be done.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    deadline: Mutex<Option<Instant>>,
    wake: Condvar,
}

impl Closing {
    /// Asks for the end, until `deadline`.
    pub(crate) fn close(&self, deadline: Instant) {
        *lock(&self.deadline) = Some(deadline);
        self.wake.notify_all();
    }

    /// Returns when everything must be done, once the end was asked for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        *lock(&self.deadline)
    }

    /// Waits, at most until the end is asked for; returns whether it was.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        let guard = lock(&self.deadline);
        let (guard, _) = self
            .wake
            .wait_timeout_while(guard, duration, |deadline| deadline.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        guard.is_some()
    }
}

/// What became of the items of a signal.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Items that were exported.
    pub(crate) exported: AtomicU64,
    /// Items that found no place in the queue.
    pub(crate) dropped: AtomicU64,
    /// Items that no exporter could deliver, or that the collector rejected.
    pub(crate) failed: AtomicU64,
    /// Requests that were sent again.
    pub(crate) retries: AtomicU64,
    /// The newest reason why something was not delivered.
    pub(crate) reason: Mutex<Option<String>>,
}

impl Tally {
    pub(crate) fn failure(&self, items: u64, reason: &str) {
        self.failed.fetch_add(items, Ordering::Relaxed);
        *lock(&self.reason) = Some(reason.to_owned());
    }
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    flush: bool,
    /// Items that the thread holds.
    in_work: usize,
    finished: bool,
}

/// The queue of one signal.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    idle: Condvar,
    capacity: usize,
    batch: usize,
    pub(crate) tally: Arc<Tally>,
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Queue").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, batch: usize, tally: Arc<Tally>) -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                closed: false,
                flush: false,
                in_work: 0,
                finished: false,
            }),
            changed: Condvar::new(),
            idle: Condvar::new(),
            capacity,
            batch,
            tally,
        }
    }

    /// Puts an item in, or counts it as dropped when there is no place.
    pub(crate) fn push(&self, item: T) {
        let mut state = lock(&self.state);
        if state.closed || state.items.len() >= self.capacity {
            self.tally.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.items.push_back(item);
        if state.items.len() == self.batch {
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Waits for a batch: as many as fit, those that have waited long enough, or the rest at the end; `None` after it.
    pub(crate) fn next(&self, delay: Duration) -> Option<Vec<T>> {
        let mut state = lock(&self.state);
        state.in_work = 0;
        let mut waited = Instant::now();
        loop {
            if state.items.is_empty() {
                state.flush = false;
                self.idle.notify_all();
                if state.closed {
                    return None;
                }
                waited = Instant::now();
            }
            let due = state.items.len() >= self.batch || state.flush || state.closed || waited.elapsed() >= delay;
            if due && !state.items.is_empty() {
                let size = state.items.len().min(self.batch);
                state.in_work = size;
                return Some(state.items.drain(..size).collect());
            }
            // An empty queue is looked at again after the delay; nothing is lost by that.
            let rest = delay.saturating_sub(waited.elapsed()).max(Duration::from_millis(1));
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says that the thread works on so many items of its own.
    pub(crate) fn begin(&self, items: usize) {
        lock(&self.state).in_work = items;
    }

    /// Says that it works on nothing.
    pub(crate) fn end(&self) {
        lock(&self.state).in_work = 0;
    }

    /// Says that the thread has ended.
    pub(crate) fn finish(&self) {
        lock(&self.state).finished = true;
        self.idle.notify_all();
    }

    /// Takes nothing more; the thread exports what is left.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// Waits until the thread has ended, at most until `deadline`; returns the number of items that are left behind.
    pub(crate) fn join(&self, deadline: Instant) -> usize {
        let state = lock(&self.state);
        let rest = deadline.saturating_duration_since(Instant::now());
        let (state, _) =
            self.idle.wait_timeout_while(state, rest, |state| !state.finished).unwrap_or_else(PoisonError::into_inner);
        if state.finished { 0 } else { state.items.len() + state.in_work }
    }

    /// Exports what is there now, at most until `deadline`; returns whether that was done.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        state.flush = true;
        self.changed.notify_all();
        let rest = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .idle
            .wait_timeout_while(state, rest, |state| !state.finished && (state.flush || state.in_work > 0))
            .unwrap_or_else(PoisonError::into_inner);
        state.finished || !state.flush
    }
}

/// Locks, also when another thread panicked: the data here are counts and queues, whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(capacity: usize, batch: usize) -> Queue<u32> {
        Queue::new(capacity, batch, Arc::new(Tally::default()))
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let queue = queue(3, 2);
        (0..5).for_each(|item| queue.push(item));
        assert_eq!(queue.tally.dropped.load(Ordering::Relaxed), 2);
        assert_eq!(queue.next(Duration::from_secs(9)), Some(vec![0, 1]));
        queue.close();
        assert_eq!(queue.next(Duration::from_secs(9)), Some(vec![2]));
        assert_eq!(queue.next(Duration::from_secs(9)), None);
    }

    #[test]
    fn what_waits_long_enough_goes_without_company() {
        let queue = queue(10, 5);
        queue.push(7);
        assert_eq!(queue.next(Duration::from_millis(5)), Some(vec![7]));
    }

    #[test]
    fn joining_a_thread_that_hangs_ends_at_the_deadline() {
        let queue = queue(10, 1);
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.next(Duration::ZERO), Some(vec![1]));
        queue.close();
        let started = Instant::now();
        assert_eq!(queue.join(started + Duration::from_millis(30)), 2);
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn flushing_waits_for_what_is_there() {
        let queue = Arc::new(queue(10, 5));
        queue.push(1);
        let other = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let mut seen = 0;
            while let Some(batch) = other.next(Duration::from_mins(1)) {
                seen += batch.len();
            }
            other.finish();
            seen
        });
        assert!(queue.flush(Instant::now() + Duration::from_secs(5)));
        queue.close();
        assert_eq!(queue.join(Instant::now() + Duration::from_secs(5)), 0);
        assert_eq!(thread.join().expect("the thread does not panic"), 1);
    }
}
