//! How a run shows that it goes on: bars on a terminal, events in JSON, nothing in a pipe.

use std::sync::Mutex;
use std::time::Duration;

use hotpass_config::model::LogFormat;
use hotpass_pipeline::{Progress, Stage};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::printer::{self, Printer};

/// Shows the stages of a run.
#[derive(Debug)]
pub(crate) struct StageProgress {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Bars(Mutex<ProgressBar>),
    Events,
    Silent,
}

impl StageProgress {
    /// Makes the form of progress that fits the printer.
    pub(crate) fn new(printer: &Printer) -> Self {
        let form = if printer.shows_progress() {
            Form::Bars(Mutex::new(ProgressBar::hidden()))
        } else if printer.log_format() == LogFormat::Json {
            Form::Events
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
            Form::Events => printer::write_event("stage.started", &json!({ "stage": stage.name(), "total": total })),
            Form::Silent => {}
        }
    }

    fn advanced(&self, _stage: Stage, steps: u64) {
        // Events of single steps would drown the rest; the end of a stage says enough.
        if let Form::Bars(bar) = &self.form
            && let Ok(bar) = bar.lock()
        {
            bar.inc(steps);
        }
    }

    fn finished(&self, stage: Stage, seconds: f64) {
        match &self.form {
            Form::Bars(bar) => {
                if let Ok(bar) = bar.lock() {
                    bar.finish_and_clear();
                }
            }
            Form::Events => {
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
    let template = match total {
        Some(_) => "{prefix:9} [{bar:30}] {human_pos}/{human_len} {unit} {eta}",
        None => "{prefix:9} {spinner} {human_pos} {unit} {elapsed}",
    };
    let unit = unit(stage);
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("unit", move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(unit);
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
    }
}
