//! Disjoint sets of rows.

/// Disjoint sets over the rows `0..n`, the smallest row of a set being its root.
///
/// Finding halves paths (Tarjan and van Leeuwen, *Worst-case Analysis of Set Union Algorithms*, 1984). Joining links to
/// the smaller row instead of the larger set, so that the root needs no second array and is the cluster's id; with
/// halving a sequence of `m` operations still takes `O(m log n)`.
#[derive(Debug, Clone)]
pub struct UnionFind {
    parents: Vec<u32>,
    n_sets: usize,
}

impl UnionFind {
    /// Starts with every row on its own.
    pub fn new(n_rows: usize) -> Self {
        Self { parents: (0..n_rows as u32).collect(), n_sets: n_rows }
    }

    /// Gives the smallest row of a row's set.
    pub fn find(&mut self, row: u32) -> u32 {
        let mut row = row;
        loop {
            let parent = self.parents[row as usize];
            let grandparent = self.parents[parent as usize];
            if parent == grandparent {
                return parent;
            }
            self.parents[row as usize] = grandparent;
            row = grandparent;
        }
    }

    /// Joins the sets of two rows; gives the two roots, smaller first, if they were different sets.
    pub fn join(&mut self, left: u32, right: u32) -> Option<(u32, u32)> {
        let (left, right) = (self.find(left), self.find(right));
        if left == right {
            return None;
        }
        let (low, high) = (left.min(right), left.max(right));
        self.parents[high as usize] = low;
        self.n_sets -= 1;
        Some((low, high))
    }

    /// Gives the number of sets.
    pub fn n_sets(&self) -> usize {
        self.n_sets
    }

    /// Gives for every row the smallest row of its set.
    pub fn labels(&self) -> Vec<u32> {
        // A parent is never larger than its child, so its label is known before.
        let mut labels = vec![0_u32; self.parents.len()];
        for (row, parent) in self.parents.iter().enumerate() {
            labels[row] = if *parent as usize == row { *parent } else { labels[*parent as usize] };
        }
        labels
    }
}
