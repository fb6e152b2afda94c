//! The graph as a picture: inputs on the left, the job in the middle, outputs on the right.

use std::fmt::Write as _;

use super::{DatasetNode, LineageGraph};

const BOX_WIDTH: usize = 320;
const BOX_HEIGHT: usize = 46;
const GAP: usize = 14;
const ARROW: usize = 110;
const MARGIN: usize = 16;
const HEAD: usize = 54;
/// Characters of a name that fit into a box.
const NAME_LENGTH: usize = 42;
/// Boxes of one side; further datasets are counted in a last one.
const MOST: usize = 40;

struct Side {
    boxes: Vec<(String, String, String)>,
}

/// Draws the graph.
pub(super) fn draw(graph: &LineageGraph) -> String {
    let left = side(&graph.inputs, "input");
    let right = side(&graph.outputs, "output");
    let rows = left.boxes.len().max(right.boxes.len()).max(1);
    let height = HEAD + rows * (BOX_HEIGHT + GAP) + MARGIN;
    let width = 2 * MARGIN + 3 * BOX_WIDTH + 2 * ARROW;
    let columns = [MARGIN, MARGIN + BOX_WIDTH + ARROW, MARGIN + 2 * (BOX_WIDTH + ARROW)];
    let state = graph.state.map_or("no state", |state| state.name());
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"lineage-title lineage-desc\">\n\
         <title id=\"lineage-title\">Lineage of {}</title>\n\
         <desc id=\"lineage-desc\">{}</desc>\n\
         <style>.box{{fill:#fff;stroke:#5b6b7b;stroke-width:1.2}}.job{{fill:#e8f0f8;stroke:#1f4e79;stroke-width:1.6}}\
         .line{{fill:none;stroke:#8796a5;stroke-width:1.4}}.tip{{fill:#8796a5}}\
         text{{font:13px system-ui,sans-serif;fill:#1b2733}}.small{{font-size:11px;fill:#5b6b7b}}.head{{font-weight:600}}\
         </style>\n",
        escape(&graph.job),
        escape(&description(graph)),
    );
    let _ = writeln!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"#fbfcfd\"/>");
    for (x, title) in columns.iter().zip(["Inputs", "Job", "Outputs"]) {
        let _ = writeln!(svg, "<text class=\"head\" x=\"{x}\" y=\"34\">{title}</text>");
    }
    let top = |count: usize, index: usize| {
        let free = (rows - count) * (BOX_HEIGHT + GAP) / 2;
        HEAD + free + index * (BOX_HEIGHT + GAP)
    };
    let job_y = top(1, 0);
    let middle = job_y + BOX_HEIGHT / 2;
    for index in 0..left.boxes.len() {
        let from = (columns[0] + BOX_WIDTH, top(left.boxes.len(), index) + BOX_HEIGHT / 2);
        line(&mut svg, from, (columns[1], middle));
    }
    for index in 0..right.boxes.len() {
        let to = (columns[2], top(right.boxes.len(), index) + BOX_HEIGHT / 2);
        line(&mut svg, (columns[1] + BOX_WIDTH, middle), to);
    }
    for (side, x) in [(&left, columns[0]), (&right, columns[2])] {
        for (index, (name, full, note)) in side.boxes.iter().enumerate() {
            node(&mut svg, "box", x, top(side.boxes.len(), index), [name, full, note]);
        }
    }
    let note = format!("{state}, {} stages", graph.stages.len());
    node(&mut svg, "job", columns[1], job_y, [&shorten(&graph.job), &graph.job, &note]);
    svg.push_str("</svg>\n");
    svg
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
        parts.push(format!("{rows} rows"));
    }
    if node.fields > 0 {
        parts.push(format!("{} fields", node.fields));
    }
    if let Some(version) = &node.version {
        parts.push(version.chars().take(19).collect());
    }
    parts.join(" · ")
}

fn node(svg: &mut String, class: &str, x: usize, y: usize, [name, full, note]: [&str; 3]) {
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" \
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
