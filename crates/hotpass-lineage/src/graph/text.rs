//! The graph as text.

use std::fmt::Write as _;

use super::{DatasetNode, LineageGraph};

/// Characters of a name that may be shown at the least beside the job; where there is less room, names stand below each other.
const LEAST_ROOM: usize = 26;

/// Draws inputs, job and outputs in three columns, or in lists where these have no room.
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
    let longest = graph.inputs.iter().chain(&graph.outputs).map(|node| label(node).chars().count()).max().unwrap_or(0);
    if room < LEAST_ROOM.min(longest) {
        lists(&mut text, graph, width);
    } else {
        columns_of_boxes(&mut text, graph, &job, width.saturating_sub(job.chars().count() + 12));
    }
    stages(&mut text, graph);
    text
}

/// Draws inputs, job and outputs side by side; `room` is what both sides together may take.
fn columns_of_boxes(text: &mut String, graph: &LineageGraph, job: &str, room: usize) {
    let widest = |nodes: &[DatasetNode]| nodes.iter().map(|node| label(node).chars().count()).max().unwrap_or(0);
    // What one side does not need the other may have.
    let left_room = widest(&graph.inputs).min((room / 2).max(room.saturating_sub(widest(&graph.outputs))));
    let right_room = room.saturating_sub(left_room);
    let left: Vec<String> = graph.inputs.iter().map(|node| fit(node, left_room)).collect();
    let right: Vec<String> = graph.outputs.iter().map(|node| fit(node, right_room)).collect();
    let left_width = left.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let lines = left.len().max(right.len()).max(1);
    let middle = (lines - 1) / 2;
    for line in 0..lines {
        let name = left.get(line).map_or("", String::as_str);
        let pad = " ".repeat(left_width - name.chars().count());
        let joint_in = joint(line, left.len(), middle, true);
        let joint_out = joint(line, right.len(), middle, false);
        let centre = if line == middle { job.to_owned() } else { " ".repeat(job.chars().count()) };
        let out = right.get(line).map_or("", String::as_str);
        let row = format!("{name}{pad} {joint_in}{centre}{joint_out} {out}");
        let _ = writeln!(text, "{}", row.trim_end());
    }
}

/// Lists inputs and outputs, each in a line of its own.
fn lists(text: &mut String, graph: &LineageGraph, width: usize) {
    for (title, mark, nodes) in [("reads", "─▶", &graph.inputs), ("writes", "◀─", &graph.outputs)] {
        if !nodes.is_empty() {
            let _ = writeln!(text, "{title}");
        }
        for node in nodes {
            let _ = writeln!(text, "  {mark} {}", fit(node, width.saturating_sub(5)));
        }
    }
}

fn stages(text: &mut String, graph: &LineageGraph) {
    if graph.stages.is_empty() {
        return;
    }
    text.push_str("\nstages\n");
    let names: Vec<&str> = graph.stages.iter().map(|stage| graph.stage_name(stage)).collect();
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (stage, name) in graph.stages.iter().zip(names) {
        let state = stage.state.map_or("", |state| state.name());
        let took = format!("{:.3} s", stage.milliseconds as f64 / 1000.0);
        let mut row = format!("  {name:wide$}  {state:8}  {took:>10}");
        let datasets = [(stage.inputs.len(), "read"), (stage.outputs.len(), "written")];
        let datasets: Vec<String> = datasets
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {} {what}", if *count == 1 { "dataset" } else { "datasets" }))
            .collect();
        if !datasets.is_empty() {
            let _ = write!(row, "  {}", datasets.join(", "));
        }
        let _ = writeln!(text, "{row}");
    }
}

/// Lists the sources of each published field; files with the same columns, such as a workbook and its twin, stand together.
pub(super) fn columns(graph: &LineageGraph) -> String {
    let mut groups: Vec<(Vec<&str>, &DatasetNode)> = Vec::new();
    for output in graph.outputs.iter().filter(|output| !output.columns.is_empty()) {
        match groups.iter_mut().find(|(_, first)| first.columns == output.columns) {
            Some((names, _)) => names.push(&output.name),
            None => groups.push((vec![&output.name], output)),
        }
    }
    let mut text = String::new();
    for (names, output) in groups {
        let _ = writeln!(text, "{}", names.join(", "));
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
    format!("{}{}", node.name, rows(node))
}

fn rows(node: &DatasetNode) -> String {
    match node.rows {
        Some(1) => " (1 row)".to_owned(),
        Some(rows) => format!(" ({rows} rows)"),
        None => String::new(),
    }
}

/// Returns the name of a dataset with its rows, in at most `room` characters; the name gives way.
fn fit(node: &DatasetNode, room: usize) -> String {
    let rows = rows(node);
    format!("{}{rows}", shorten(&node.name, room.saturating_sub(rows.chars().count())))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunState;
    use crate::graph::StageNode;

    fn graph() -> LineageGraph {
        let node = |name: &str, rows| DatasetNode { name: name.to_owned(), rows, ..DatasetNode::default() };
        let stage = StageNode {
            job: "job.read".into(),
            state: Some(RunState::Complete),
            milliseconds: 1500,
            inputs: vec!["a".into()],
            ..StageNode::default()
        };
        LineageGraph {
            namespace: "n".into(),
            job: "job".into(),
            run_id: "id".into(),
            state: Some(RunState::Fail),
            error: Some("The data did not pass".into()),
            inputs: vec![node("data/a long workbook of members.xlsx#Register", Some(1)), node("b.csv", Some(20))],
            outputs: vec![node("out.xlsx", None)],
            stages: vec![stage],
            ..LineageGraph::default()
        }
    }

    #[test]
    fn a_wide_terminal_has_three_columns() {
        let expected = "\
job in n: FAIL
run id
error: The data did not pass

data/a long workbook of members.xlsx#Register (1 row) ──┬─▶[job]────▶ out.xlsx
b.csv (20 rows)                                       ──┘

stages
  read  COMPLETE     1.500 s  1 dataset read
";
        assert_eq!(draw(&graph(), 100), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [40, 60, 72, 80, 120] {
            let text = draw(&graph(), width);
            let datasets = text.split("\n\n").nth(1).unwrap_or_default();
            assert!(datasets.contains("out.xlsx"), "{text}");
            for line in datasets.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
        assert!(draw(&graph(), 40).contains("writes\n  ◀─ out.xlsx\n"));
        assert!(draw(&graph(), 40).contains("#Register (1 row)\n"), "what a name ends with is kept");
    }
}
