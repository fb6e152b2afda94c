//! The graph as text.

use std::fmt::Write as _;

use super::{DatasetNode, LineageGraph};

/// Draws inputs, job and outputs in three columns.
pub(super) fn draw(graph: &LineageGraph, width: usize) -> String {
    let mut text = String::new();
    let state = graph.state.map_or("no state", |state| state.name());
    let _ = writeln!(text, "{} in {}: {state}{}", graph.job, graph.namespace, duration(graph));
    let _ = writeln!(text, "run {}", graph.run_id);
    if let Some((namespace, name, run)) = &graph.parent {
        let _ = writeln!(text, "started by {name} in {namespace}, run {run}");
    }
    if let Some(error) = &graph.error {
        let _ = writeln!(text, "error: {error}");
    }
    text.push('\n');
    let job = format!("[{}]", graph.job);
    // Six characters for each arrow.
    let room = width.saturating_sub(job.chars().count() + 12) / 2;
    let room = room.max(24);
    let left: Vec<String> = graph.inputs.iter().map(|node| shorten(&label(node), room)).collect();
    let right: Vec<String> = graph.outputs.iter().map(|node| shorten(&label(node), room)).collect();
    let left_width = left.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let lines = left.len().max(right.len()).max(1);
    let middle = (lines - 1) / 2;
    for line in 0..lines {
        let name = left.get(line).map_or("", String::as_str);
        let pad = " ".repeat(left_width - name.chars().count());
        let joint_in = joint(line, left.len(), middle, true);
        let joint_out = joint(line, right.len(), middle, false);
        let centre = if line == middle { job.clone() } else { " ".repeat(job.chars().count()) };
        let out = right.get(line).map_or("", String::as_str);
        let row = format!("{name}{pad} {joint_in}{centre}{joint_out} {out}");
        let _ = writeln!(text, "{}", row.trim_end());
    }
    if !graph.stages.is_empty() {
        text.push_str("\nstages\n");
        let stem = format!("{}.", graph.job);
        let names: Vec<&str> =
            graph.stages.iter().map(|stage| stage.job.strip_prefix(&stem).unwrap_or(&stage.job)).collect();
        let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (stage, name) in graph.stages.iter().zip(names) {
            let state = stage.state.map_or("", |state| state.name());
            let took = format!("{:.3} s", stage.milliseconds as f64 / 1000.0);
            let row = format!(
                "  {name:wide$}  {state:8}  {took:>10}  {} in, {} out",
                stage.inputs.len(),
                stage.outputs.len()
            );
            let _ = writeln!(text, "{row}");
        }
    }
    text
}

/// Lists the sources of each published field.
pub(super) fn columns(graph: &LineageGraph) -> String {
    let mut text = String::new();
    for output in graph.outputs.iter().filter(|output| !output.columns.is_empty()) {
        let _ = writeln!(text, "{}", output.name);
        for (field, sources) in &output.columns {
            let _ = writeln!(text, "  {field}");
            for source in sources {
                let masked = if source.masked { ", masked" } else { "" };
                let _ = writeln!(
                    text,
                    "    <- {} of {} ({}{masked})",
                    source.field,
                    source.dataset,
                    source.transformations.join(", ")
                );
            }
        }
    }
    text
}

fn label(node: &DatasetNode) -> String {
    match node.rows {
        Some(rows) => format!("{} ({rows} rows)", node.name),
        None => node.name.clone(),
    }
}

fn duration(graph: &LineageGraph) -> String {
    match (&graph.started, &graph.ended) {
        (Some(start), Some(end)) => {
            format!(" after {:.3} s", (end.milliseconds() - start.milliseconds()) as f64 / 1000.0)
        }
        _ => String::new(),
    }
}

/// Returns the piece of line beside the job for a row of one side; `count` datasets stand in rows from 0.
fn joint(line: usize, count: usize, middle: usize, incoming: bool) -> String {
    let last = count.saturating_sub(1).max(middle);
    if count == 0 || line > last {
        return "     ".to_owned();
    }
    let dataset = line < count;
    let job = line == middle;
    let up = line > 0;
    let down = line < last;
    // A dataset's arm is on the outer side, the job's on the inner one.
    let (left, right) = if incoming { (dataset, job) } else { (job, dataset) };
    let corner = match (left, right, up, down) {
        (true, true, false, false) => '─',
        (true, true, false, true) => '┬',
        (true, true, true, false) => '┴',
        (true, true, true, true) => '┼',
        (true, false, false, _) => '┐',
        (true, false, true, true) => '┤',
        (true, false, true, false) => '┘',
        (false, true, false, _) => '┌',
        (false, true, true, true) => '├',
        (false, true, true, false) => '└',
        (false, false, _, _) => '│',
    };
    let before = if left { "──" } else { "  " };
    let after = if right { "─▶" } else { "  " };
    format!("{before}{corner}{after}")
}

/// Leaves out the middle of a name that is too long.
fn shorten(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_owned();
    }
    let keep = room.saturating_sub(1);
    let front: String = name.chars().take(keep / 2).collect();
    let back: String = name.chars().skip(length - (keep - keep / 2)).collect();
    format!("{front}…{back}")
}
