//! Units of work in parallel, results in order.

use std::sync::{Mutex, PoisonError};

use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use crate::error::LinkError;

/// Buffers that threads take for a unit and give back.
pub(crate) struct Buffers<S>(Mutex<Vec<S>>);

impl<S: Default> Buffers<S> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Gives what all threads left behind.
    pub(crate) fn into_all(self) -> Vec<S> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut S) -> T) -> T {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let result = work(&mut buffers);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
        result
    }
}

/// Units in flight: what one window found is handed on, in order, before the next begins.
const WINDOW: usize = 64;

/// Works on all units and hands the results on in the order of units, whatever the threads.
pub(crate) fn in_order<U: Sync, S: Default + Send, T: Send>(
    units: &[U],
    buffers: &Buffers<S>,
    work: impl Fn(&mut S, &U) -> Result<T, LinkError> + Sync,
    mut consume: impl FnMut(T) -> Result<(), LinkError>,
) -> Result<(), LinkError> {
    for window in units.chunks(WINDOW) {
        let results: Vec<Result<T, LinkError>> =
            window.par_iter().with_max_len(1).map(|unit| buffers.with(|buffers| work(buffers, unit))).collect();
        for result in results {
            consume(result?)?;
        }
    }
    Ok(())
}
