//! A merge costs what its overlay holds: counted in values set and in bytes allocated, not timed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write;

use hotpass_config::{Format, HotpassConfig, Overlay};

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator that counts is the only way to see copies that the types hide")]
// SAFETY: every call is passed on to the system's allocator unchanged; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATED.try_with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Returns what merging an overlay takes: values set, bytes allocated.
fn cost(config: &mut HotpassConfig, overlay: &Overlay) -> (usize, usize) {
    let before = ALLOCATED.with(Cell::get);
    let values = config.merge(overlay);
    (values, ALLOCATED.with(Cell::get) - before)
}

fn agents(count: usize) -> Overlay {
    let mut text = String::from("pipeline:\n  acquisition:\n    agents:");
    text += if count == 0 { " []\n" } else { "\n" };
    for agent in 0..count {
        let _ = writeln!(text, "      - name: agent {agent}\n        targets:");
        for target in 0..10 {
            let _ =
                writeln!(text, "          - {{identifier: organisation {target}, metadata: {{notes: some words}}}}");
        }
    }
    Overlay::parse(&text, Format::Yaml, "agents.yaml").unwrap()
}

#[test]
fn a_small_overlay_costs_the_same_on_a_large_base_as_on_a_small_one() {
    let small = Overlay::parse(
        "pipeline: {archive: true, dist_dir: elsewhere}\nsurvivorship: {fields: {website: recency}}\n",
        Format::Yaml,
        "small.yaml",
    )
    .unwrap();
    let costs = [0, 10, 1_000].map(|count| {
        let mut config = HotpassConfig::default();
        config.merge(&agents(count));
        assert_eq!(config.pipeline.acquisition.agents.len(), count);
        cost(&mut config, &small)
    });
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
    assert_eq!(costs[0].0, 7, "three values and the four maps around them");
    assert!(costs[0].1 < 2_048, "{} bytes", costs[0].1);
}

#[test]
fn the_cost_grows_with_the_overlay() {
    let [(few_values, few_bytes), (many_values, many_bytes)] =
        [100, 1_000].map(|count| cost(&mut HotpassConfig::default(), &agents(count)));
    assert!((9..=11).contains(&(many_values / few_values)), "{few_values} {many_values}");
    assert!((9..=11).contains(&(many_bytes / few_bytes)), "{few_bytes} {many_bytes}");
}
