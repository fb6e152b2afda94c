//! The end of a run that was killed, told by the next one.

use std::path::Path;

use hotpass_core::Clock;
use hotpass_lineage::facet::Facet;
use hotpass_lineage::{Event, event::RunEvent, event::RunState, event::Timestamp};

use super::{LINEAGE_FILE, LineageServices, error};

/// Puts ABORT behind the events of a run that was killed, and sends them.
///
/// What the run had sent itself is not known, so that all of its events are sent again: servers know an event by run, type
/// and time. Nothing happens where the run has no events, or its end is among them.
pub(crate) fn abort(run_dir: &Path, services: &LineageServices, clock: Clock) {
    let path = run_dir.join(LINEAGE_FILE);
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    // A line that was being written when the run was killed is none.
    let mut events: Vec<Event> = text.lines().map_while(|line| Event::from_json(line).ok()).collect();
    let ends = ends_of(&events, &Timestamp::from_milliseconds(clock.now_milliseconds()));
    if ends.is_empty() {
        return;
    }
    events.extend(ends);
    let lines: Vec<String> = events.iter().filter_map(|event| event.to_json().ok()).collect();
    // What cannot be noted would be told again by each further run.
    if hotpass_core::write_atomic(&path, lines.join("\n") + "\n").is_ok() {
        for event in &events {
            services.emitter.emit(event);
        }
    }
}

/// Returns ABORT for each run that has no end among the events, stages before the run itself.
fn ends_of(events: &[Event], now: &Timestamp) -> Vec<Event> {
    let mut open: Vec<&RunEvent> = Vec::new();
    for event in events.iter().filter_map(Event::as_run) {
        let known = open.iter().position(|other| other.run.run_id == event.run.run_id);
        match (known, event.event_type.is_some_and(RunState::is_final)) {
            (Some(position), true) => drop(open.remove(position)),
            (Some(position), false) => open[position] = event,
            (None, true) => {}
            (None, false) => open.push(event),
        }
    }
    let aborted = open.into_iter().rev().map(|event| {
        let mut event = event.clone();
        event.event_type = Some(RunState::Abort);
        event.event_time = now.clone();
        let message = Facet::new(&event.producer, error("The run was interrupted"));
        event.run.facets.get_or_insert_default().error_message = Some(message);
        Event::Run(event)
    });
    aborted.collect()
}

#[cfg(test)]
mod tests {
    use hotpass_lineage::{event::Job, event::Run, event::Uuid};

    use super::*;

    fn event(id: u128, state: RunState) -> Event {
        let run = Run { run_id: Uuid::from_u128(id), facets: None };
        let job = Job { namespace: "n".to_owned(), name: format!("job-{id}"), facets: None };
        Event::Run(RunEvent::new(state, Timestamp::from_milliseconds(1), "https://example.com", run, job))
    }

    #[test]
    fn a_run_that_was_killed_gets_its_end_once() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(LINEAGE_FILE);
        let begun = vec![
            event(1, RunState::Start),
            event(2, RunState::Start),
            event(2, RunState::Complete),
            event(1, RunState::Running),
            event(3, RunState::Start),
        ];
        let lines = begun.iter().map(Event::to_json).collect::<Result<Vec<_>, _>>()?;
        // The last line was being written.
        hotpass_core::write_atomic(&path, format!("{}\n{{\"eventTime\":\"2026", lines.join("\n")))?;
        for _ in 0..2 {
            abort(folder.path(), &LineageServices::default(), Clock::Fixed(5000));
            let events = hotpass_lineage::graph::read_events(&path)?;
            assert_eq!(&events[..5], &begun);
            let ends: Vec<_> = events[5..]
                .iter()
                .filter_map(Event::as_run)
                .map(|event| (event.job.name.as_str(), event.event_type, event.event_time.milliseconds()))
                .collect();
            let aborted = Some(RunState::Abort);
            assert_eq!(ends, [("job-3", aborted, 5000), ("job-1", aborted, 5000)]);
        }
        Ok(())
    }
}
