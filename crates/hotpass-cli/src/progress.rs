//! How a run shows that it goes on: bars on a terminal, events in JSON, nothing in a pipe.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hotpass_config::model::LogFormat;
use hotpass_pipeline::{Progress, Stage};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::printer::{self, Printer};

/// Shows the stages of a run.
#[derive(Debug)]
pub(crate) struct StageProgress {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Bars(Mutex<ProgressBar>),
    Events(Mutex<Pace>),
    Silent,
}

/// How far a stage is, for events that come at most once a second.
#[derive(Debug)]
struct Pace {
    total: Option<u64>,
    done: u64,
    started: Instant,
    told: Instant,
}

impl Pace {
    fn new(total: Option<u64>) -> Self {
        let now = Instant::now();
        Self { total, done: 0, started: now, told: now }
    }

    /// Counts steps; says how far it is when a second has gone by.
    fn advance(&mut self, steps: u64) -> Option<Value> {
        self.done += steps;
        if self.told.elapsed() < Duration::from_secs(1) {
            return None;
        }
        self.told = Instant::now();
        let rate = self.done as f64 / self.started.elapsed().as_secs_f64();
        let left = self.total.map(|total| total.saturating_sub(self.done) as f64 / rate);
        Some(
            json!({"done": self.done, "total": self.total, "per_second": rate.round(), "seconds_left": left.map(f64::round)}),
        )
    }
}

impl StageProgress {
    /// Makes the form of progress that fits the printer.
    pub(crate) fn new(printer: &Printer) -> Self {
        let form = if printer.shows_progress() {
            Form::Bars(Mutex::new(ProgressBar::hidden()))
        } else if printer.log_format() == LogFormat::Json {
            Form::Events(Mutex::new(Pace::new(None)))
        } else {
            Form::Silent
        };
        Self { form }
    }
}

impl Progress for StageProgress {
    fn started(&self, stage: Stage, total: Option<u64>) {
        match &self.form {
            Form::Bars(bar) => {
                if let Ok(mut bar) = bar.lock() {
                    bar.finish_and_clear();
                    *bar = new_bar(stage, total);
                }
            }
            Form::Events(pace) => {
                if let Ok(mut pace) = pace.lock() {
                    *pace = Pace::new(total);
                }
                printer::write_event("stage.started", &json!({ "stage": stage.name(), "total": total }));
            }
            Form::Silent => {}
        }
    }

    fn advanced(&self, stage: Stage, steps: u64) {
        match &self.form {
            Form::Bars(bar) => {
                if let Ok(bar) = bar.lock() {
                    bar.inc(steps);
                }
            }
            // Events of single steps would drown the rest; only scoring is long enough to say more than its end.
            Form::Events(pace) if stage == Stage::Score => {
                let told = pace.lock().ok().and_then(|mut pace| pace.advance(steps));
                if let Some(mut data) = told {
                    data["stage"] = stage.name().into();
                    printer::write_event("stage.progress", &data);
                }
            }
            Form::Events(_) | Form::Silent => {}
        }
    }

    fn finished(&self, stage: Stage, seconds: f64) {
        match &self.form {
            Form::Bars(bar) => {
                if let Ok(bar) = bar.lock() {
                    bar.finish_and_clear();
                }
            }
            Form::Events(_) => {
                printer::write_event("stage.finished", &json!({ "stage": stage.name(), "seconds": seconds }));
            }
            Form::Silent => {}
        }
    }
}

impl Drop for StageProgress {
    fn drop(&mut self) {
        if let Form::Bars(bar) = &self.form
            && let Ok(bar) = bar.lock()
        {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(stage: Stage, total: Option<u64>) -> ProgressBar {
    let unit = unit(stage);
    // How fast it goes matters where the number of steps is the whole cost.
    let rate = if unit == "pairs" { " {rate}" } else { "" };
    let template = match total {
        Some(_) => format!("{{prefix:9}} [{{bar:30}}] {{human_pos}}/{{human_len}} {{unit}}{rate} {{eta}}"),
        None => format!("{{prefix:9}} {{spinner}} {{human_pos}} {{unit}}{rate} {{elapsed}}"),
    };
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("unit", move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(unit);
        })
        .with_key("rate", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
        })
        .with_key("human_len", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}", HumanCount(state.len().unwrap_or_default()));
        })
        .progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10)).with_style(style);
    bar.set_prefix(stage.name());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Returns what the steps of a stage are.
fn unit(stage: Stage) -> &'static str {
    match stage {
        Stage::Discover | Stage::Publish => "files",
        Stage::Read | Stage::Group => "rows",
        Stage::Survive | Stage::Expect => "entities",
        Stage::Train => "steps",
        Stage::Score | Stage::Cluster => "pairs",
    }
}
