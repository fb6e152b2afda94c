//! Small plots as SVG text that inherits the page's colours. Each has its title and is described by the table beside it.

use std::fmt::Write as _;

use super::html::escape;

const WIDTH: f64 = 720.0;
const LABEL_WIDTH: f64 = 250.0;
const VALUE_WIDTH: f64 = 96.0;
const ROW_HEIGHT: f64 = 24.0;

/// A bar: its label, its length, the text at its end, and a class that decides its colour.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) class: &'static str,
}

impl Bar {
    pub(super) fn new(label: impl Into<String>, value: f64, text: impl Into<String>) -> Self {
        Self { label: label.into(), value, text: text.into(), class: "bar" }
    }
}

/// Draws horizontal bars from zero, one a row, all on the scale of the longest.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.value).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
    let mut svg = open(title, bars.len() as f64 * ROW_HEIGHT + 4.0);
    for (index, bar) in bars.iter().enumerate() {
        let y = index as f64 * ROW_HEIGHT + 2.0;
        let length = if longest > 0.0 && bar.value > 0.0 { (bar.value / longest * room).max(1.0) } else { 0.0 };
        label(&mut svg, y, &bar.label);
        let _ = write!(
            svg,
            r#"<rect class="{}" x="{LABEL_WIDTH}" y="{}" width="{length:.1}" height="{}" rx="2"/>"#,
            bar.class,
            y + 4.0,
            ROW_HEIGHT - 8.0
        );
        let _ = write!(
            svg,
            r#"<text class="value" x="{:.1}" y="{}">{}</text>"#,
            LABEL_WIDTH + length + 6.0,
            y + 17.0,
            escape(&bar.text)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Draws columns that stand side by side, each with its count above and its range below.
pub(super) fn columns(title: &str, bars: &[Bar]) -> String {
    const HEIGHT: f64 = 190.0;
    const BASE: f64 = 156.0;
    let tallest = bars.iter().map(|bar| bar.value).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let step = (WIDTH - 20.0) / bars.len().max(1) as f64;
    let mut svg = open(title, HEIGHT);
    let _ = write!(svg, r#"<line class="axis" x1="10" y1="{BASE}" x2="{}" y2="{BASE}"/>"#, WIDTH - 10.0);
    for (index, bar) in bars.iter().enumerate() {
        let height = if tallest > 0.0 && bar.value > 0.0 { (bar.value / tallest * 126.0).max(1.0) } else { 0.0 };
        let x = 10.0 + index as f64 * step;
        let middle = x + step / 2.0;
        let _ = write!(
            svg,
            r#"<rect class="{}" x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"/>"#,
            bar.class,
            x + 3.0,
            BASE - height,
            step - 6.0
        );
        let _ = write!(
            svg,
            r#"<text class="value middle" x="{middle:.1}" y="{:.1}">{}</text><text class="tick middle" x="{middle:.1}" y="{}">{}</text>"#,
            BASE - height - 6.0,
            escape(&bar.text),
            BASE + 20.0,
            escape(&bar.label)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Draws for each row where a share was (hollow) and where it is (filled), on a scale from 0 to 100 %.
pub(super) fn dumbbells(title: &str, rows: &[(String, f64, f64)]) -> String {
    let room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
    let top = 22.0;
    let height = top + rows.len() as f64 * ROW_HEIGHT + 6.0;
    let mut svg = open(title, height);
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = LABEL_WIDTH + tick * room;
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{height:.1}"/><text class="tick middle" x="{x:.1}" y="14">{:.0}%</text>"#,
            tick * 100.0
        );
    }
    for (index, (name, before, after)) in rows.iter().enumerate() {
        let y = top + index as f64 * ROW_HEIGHT;
        let middle = y + ROW_HEIGHT / 2.0;
        let at = |share: f64| LABEL_WIDTH + share.clamp(0.0, 1.0) * room;
        label(&mut svg, y, name);
        let _ = write!(
            svg,
            r#"<line class="link" x1="{:.1}" y1="{middle:.1}" x2="{:.1}" y2="{middle:.1}"/><circle class="before" cx="{:.1}" cy="{middle:.1}" r="5"/><circle class="after" cx="{:.1}" cy="{middle:.1}" r="5"/>"#,
            at(*before),
            at(*after),
            at(*before),
            at(*after)
        );
        let _ = write!(
            svg,
            r#"<text class="value" x="{:.1}" y="{:.1}">{:.0}% → {:.0}%</text>"#,
            WIDTH - VALUE_WIDTH + 14.0,
            y + 17.0,
            before * 100.0,
            after * 100.0
        );
    }
    svg.push_str("</svg>");
    svg
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        r#"<svg class="plot" role="img" aria-label="{title}" viewBox="0 0 {WIDTH} {height:.0}" xmlns="http://www.w3.org/2000/svg"><title>{title}</title>"#
    )
}

fn label(svg: &mut String, y: f64, text: &str) {
    const LIMIT: usize = 34;
    let shown: String = if text.chars().count() > LIMIT {
        text.chars().take(LIMIT - 1).chain(['…']).collect()
    } else {
        text.to_owned()
    };
    let _ = write!(svg, r#"<text class="label" x="{}" y="{}">{}</text>"#, LABEL_WIDTH - 8.0, y + 17.0, escape(&shown));
}
