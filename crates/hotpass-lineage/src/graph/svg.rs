//! The graph as a picture: inputs on the left, the job in the middle, outputs on the right.

use std::fmt::Write as _;

use super::{DatasetNode, LineageGraph};
use crate::event::RunState;

const BOX_WIDTH: usize = 320;
const BOX_HEIGHT: usize = 46;
const GAP: usize = 14;
const ARROW: usize = 84;
const MARGIN: usize = 16;
const HEAD: usize = 54;
/// Height of a stage's line in the box of the job.
const STAGE_HEIGHT: usize = 17;
/// Characters of a name that fit into a box.
const NAME_LENGTH: usize = 42;
/// Boxes of one side; further datasets are counted in a last one.
const MOST: usize = 40;

struct Side {
    boxes: Vec<(String, String, String)>,
}

/// Colours for a light and a dark page; every rule is bound to the picture, so that it may stand inside a page.
const STYLE: &str = "\
.hotpass-lineage{--page:#fbfcfd;--box:#fff;--edge:#5b6b7b;--job:#e8f0f8;--job-edge:#1f4e79;--line:#8796a5;--ink:#1b2733;\
--soft:#52616f;--good:#1d6b3a;--bad:#b3261e}\
@media(prefers-color-scheme:dark){.hotpass-lineage{--page:#18212a;--box:#1e2934;--edge:#8796a5;--job:#20364c;\
--job-edge:#78b4f0;--line:#6b7c8c;--ink:#e8edf2;--soft:#a8b5c2;--good:#6fcf97;--bad:#ff8a80}}\
.hotpass-lineage .page{fill:var(--page)}.hotpass-lineage .box{fill:var(--box);stroke:var(--edge);stroke-width:1.2}\
.hotpass-lineage .job{fill:var(--job);stroke:var(--job-edge);stroke-width:1.6}\
.hotpass-lineage .line{fill:none;stroke:var(--line);stroke-width:1.4}.hotpass-lineage .tip{fill:var(--line)}\
.hotpass-lineage text{font:13px system-ui,sans-serif;fill:var(--ink)}\
.hotpass-lineage .small{font-size:11px;fill:var(--soft)}.hotpass-lineage .head{font-weight:600}\
.hotpass-lineage .end{text-anchor:end}.hotpass-lineage .good{fill:var(--good)}.hotpass-lineage .bad{fill:var(--bad)}";

/// Draws the graph.
pub(super) fn draw(graph: &LineageGraph) -> String {
    let left = side(&graph.inputs, "input");
    let right = side(&graph.outputs, "output");
    let step = BOX_HEIGHT + GAP;
    let job_height = BOX_HEIGHT + graph.stages.len() * STAGE_HEIGHT + if graph.stages.is_empty() { 0 } else { 8 };
    let body = (left.boxes.len().max(right.boxes.len()).max(1) * step).max(job_height + GAP);
    let height = HEAD + body + MARGIN;
    let width = 2 * MARGIN + 3 * BOX_WIDTH + 2 * ARROW;
    let columns = [MARGIN, MARGIN + BOX_WIDTH + ARROW, MARGIN + 2 * (BOX_WIDTH + ARROW)];
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg class=\"hotpass-lineage\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"lineage-title lineage-desc\">\n\
         <title id=\"lineage-title\">Lineage of {}</title>\n\
         <desc id=\"lineage-desc\">{}</desc>\n\
         <style>{STYLE}</style>\n",
        escape(&graph.job),
        escape(&description(graph)),
    );
    let _ = writeln!(svg, "<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>");
    for (x, title) in columns.iter().zip(["Inputs", "Job", "Outputs"]) {
        let _ = writeln!(svg, "<text class=\"head\" x=\"{x}\" y=\"34\">{title}</text>");
    }
    let top = |count: usize, index: usize| HEAD + (body - count * step) / 2 + index * step;
    let job_y = HEAD + (body - GAP - job_height) / 2;
    let middle = job_y + job_height / 2;
    // Arrows end beside each other, so that many of them can be told apart.
    let port = |count: usize, index: usize| {
        let span = (job_height - 16).min(count.saturating_sub(1) * 10);
        middle - span / 2 + if count > 1 { index * span / (count - 1) } else { 0 }
    };
    for index in 0..left.boxes.len() {
        let from = (columns[0] + BOX_WIDTH, top(left.boxes.len(), index) + BOX_HEIGHT / 2);
        line(&mut svg, from, (columns[1], port(left.boxes.len(), index)));
    }
    for index in 0..right.boxes.len() {
        let to = (columns[2], top(right.boxes.len(), index) + BOX_HEIGHT / 2);
        line(&mut svg, (columns[1] + BOX_WIDTH, port(right.boxes.len(), index)), to);
    }
    for (side, x) in [(&left, columns[0]), (&right, columns[2])] {
        for (index, (name, full, note)) in side.boxes.iter().enumerate() {
            node(&mut svg, x, top(side.boxes.len(), index), [name, full, note]);
        }
    }
    job(&mut svg, graph, columns[1], job_y, job_height);
    svg.push_str("</svg>\n");
    svg
}

/// Draws the job with its state and its stages.
fn job(svg: &mut String, graph: &LineageGraph, x: usize, y: usize, height: usize) {
    let class = |state: Option<RunState>| match state {
        Some(RunState::Complete) => "small good",
        Some(RunState::Fail | RunState::Abort) => "small bad",
        _ => "small",
    };
    let name = |state: Option<RunState>| state.map_or("no state", RunState::name);
    let took = match (&graph.started, &graph.ended) {
        (Some(start), Some(end)) => format!(" after {}", seconds(end.milliseconds() - start.milliseconds())),
        _ => String::new(),
    };
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"job\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"6\"/>\
         <text class=\"head\" x=\"{}\" y=\"{}\">{}</text><text class=\"{}\" x=\"{}\" y=\"{}\">{}{took}</text>",
        escape(&graph.job),
        x + 12,
        y + 20,
        escape(&shorten(&graph.job)),
        class(graph.state),
        x + 12,
        y + 37,
        name(graph.state),
    );
    for (index, stage) in graph.stages.iter().enumerate() {
        let y = y + BOX_HEIGHT + 12 + index * STAGE_HEIGHT;
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{}\" y=\"{y}\">{}</text><text class=\"{}\" x=\"{}\" y=\"{y}\">{}</text>\
             <text class=\"small end\" x=\"{}\" y=\"{y}\">{}</text>",
            x + 12,
            escape(&shorten(graph.stage_name(stage))),
            class(stage.state),
            x + BOX_WIDTH / 2 - 20,
            name(stage.state),
            x + BOX_WIDTH - 12,
            seconds(stage.milliseconds),
        );
    }
    svg.push_str("</g>\n");
}

fn seconds(milliseconds: i64) -> String {
    format!("{:.3} s", milliseconds as f64 / 1000.0)
}

fn description(graph: &LineageGraph) -> String {
    let names = |nodes: &[DatasetNode]| {
        let names: Vec<&str> = nodes.iter().take(MOST).map(|node| node.name.as_str()).collect();
        let more = nodes.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if names.is_empty() { "nothing".to_owned() } else { format!("{}{more}", names.join(", ")) }
    };
    format!(
        "Run {} of {} in {} read {} and wrote {}.",
        graph.run_id,
        graph.job,
        graph.namespace,
        names(&graph.inputs),
        names(&graph.outputs)
    )
}

fn side(nodes: &[DatasetNode], kind: &str) -> Side {
    let shown = if nodes.len() > MOST { MOST - 1 } else { nodes.len() };
    let mut boxes: Vec<_> =
        nodes[..shown].iter().map(|node| (shorten(&node.name), node.name.clone(), note(node))).collect();
    if shown < nodes.len() {
        let more = format!("{} more {kind}s", nodes.len() - shown);
        boxes.push((more.clone(), more, String::new()));
    }
    Side { boxes }
}

fn note(node: &DatasetNode) -> String {
    let mut parts = Vec::new();
    if let Some(rows) = node.rows {
        parts.push(format!("{rows} {}", if rows == 1 { "row" } else { "rows" }));
    }
    if node.fields > 0 {
        parts.push(format!("{} {}", node.fields, if node.fields == 1 { "field" } else { "fields" }));
    }
    if let Some(version) = &node.version {
        parts.push(version.chars().take(19).collect());
    }
    parts.join(" · ")
}

fn node(svg: &mut String, x: usize, y: usize, [name, full, note]: [&str; 3]) {
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" \
         rx=\"6\"/><text x=\"{}\" y=\"{}\">{}</text><text class=\"small\" x=\"{}\" y=\"{}\">{}</text></g>",
        escape(full),
        x + 12,
        y + 20,
        escape(name),
        x + 12,
        y + 37,
        escape(note)
    );
}

fn line(svg: &mut String, from: (usize, usize), to: (usize, usize)) {
    let bend = ARROW / 2;
    let end = to.0 - 7;
    let _ = writeln!(
        svg,
        "<path class=\"line\" d=\"M{} {} C{} {} {} {} {end} {}\"/><path class=\"tip\" d=\"M{end} {} L{} {} L{end} {} Z\"/>",
        from.0,
        from.1,
        from.0 + bend,
        from.1,
        to.0 - bend,
        to.1,
        to.1,
        to.1 - 4,
        to.0,
        to.1,
        to.1 + 4
    );
}

fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_LENGTH {
        return name.to_owned();
    }
    let front: String = name.chars().take(NAME_LENGTH / 2 - 1).collect();
    let back: String = name.chars().skip(length - NAME_LENGTH / 2).collect();
    format!("{front}…{back}")
}

/// Writes text so that it stays text; characters that XML does not allow become a mark.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
