//! Clusters against true entities.

use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapOptions, Interval, intervals};
use super::measures::{f_measure, ratio};
use super::{Confusion, PairMeasures, Population, UNLABELLED};
use crate::clustering::{ClusterStatistics, cluster_statistics, clusters_at_thresholds};

/// Precision, recall and their harmonic mean, each from 0 to 1; absent without records.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Precision.
    pub precision: Option<f64>,
    /// Recall.
    pub recall: Option<f64>,
    /// Harmonic mean.
    pub f1: Option<f64>,
}

/// Clusters that are right to the record.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ExactClusters {
    /// Number of clusters that hold exactly the records of one entity.
    pub exact: u64,
    /// Number of clusters.
    pub predicted: u64,
    /// Number of entities.
    pub truth: u64,
    /// Their shares.
    #[serde(flatten)]
    pub scores: Scores,
}

/// Variation of information (Meilă 2007), in bits: 0 for equal clusterings, at most log2 of the number of records.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct VariationOfInformation {
    /// H(cluster | entity): what is lost by splitting entities.
    pub split: f64,
    /// H(entity | cluster): what is lost by merging entities.
    pub merged: f64,
    /// Their sum.
    pub total: f64,
}

/// How clusters compare with true entities.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClusterEvaluation {
    /// Number of records with a label; only they count.
    pub n_records: u64,
    /// Measures of the pairs that clusters imply.
    pub pairwise: PairMeasures,
    /// B-cubed (Bagga and Baldwin 1998): the mean over records of the share of its cluster that belongs to its entity, and
    /// of the share of its entity that is in its cluster.
    pub b_cubed: Scores,
    /// Clusters right to the record, singletons included.
    pub clusters: ExactClusters,
    /// The same among clusters and entities of two records and more.
    pub clusters_of_several: ExactClusters,
    /// Variation of information.
    pub variation_of_information: VariationOfInformation,
    /// Bootstrap intervals, if asked for.
    pub intervals: Option<ClusterIntervals>,
}

/// Intervals of the measures of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClusterIntervals {
    /// Pairwise precision.
    pub pairwise_precision: Option<Interval>,
    /// Pairwise recall.
    pub pairwise_recall: Option<Interval>,
    /// Pairwise F1.
    pub pairwise_f1: Option<Interval>,
    /// B-cubed precision.
    pub b_cubed_precision: Option<Interval>,
    /// B-cubed recall.
    pub b_cubed_recall: Option<Interval>,
    /// B-cubed F1.
    pub b_cubed_f1: Option<Interval>,
    /// Precision of exact clusters.
    pub cluster_precision: Option<Interval>,
    /// Recall of exact clusters.
    pub cluster_recall: Option<Interval>,
    /// F1 of exact clusters.
    pub cluster_f1: Option<Interval>,
    /// Variation of information.
    pub variation_of_information: Option<Interval>,
}

/// Clusters at one threshold against true entities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdClusterEvaluation {
    /// Pairs of at least this weight were joined.
    pub threshold: f64,
    /// Sizes of the clusters, records without a label included.
    pub statistics: ClusterStatistics,
    /// The measures.
    pub evaluation: ClusterEvaluation,
}

/// Measures clusters against true entities.
///
/// `clusters` and `truth` hold a label per record; any numbers will do, [`UNLABELLED`] in `truth` leaves the record out.
/// Everything comes from counts of (cluster, entity) cells, in O(n log n) whatever the sizes. Pairs of a link type that
/// cannot be are left out of the pairwise measures; B-cubed, exact clusters and variation of information look at
/// all records.
pub fn evaluate_clusters(
    clusters: &[u32],
    truth: &[u32],
    population: Population<'_>,
    bootstrap: Option<&BootstrapOptions>,
) -> ClusterEvaluation {
    let mut records: Vec<Record> = clusters
        .iter()
        .zip(truth)
        .enumerate()
        .filter(|(_, (_, entity))| **entity != UNLABELLED)
        .map(|(row, (cluster, entity))| ((*cluster, *entity), population.source(row)))
        .collect();
    records.par_sort_unstable();
    let table = Table::new(&records, population);
    let mut evaluation = table.evaluation();
    evaluation.intervals = bootstrap.filter(|options| options.replicates > 0).map(|options| table.intervals(options));
    evaluation
}

/// Clusters scored pairs at many thresholds and measures each, in the order of falling thresholds.
///
/// `pairs` are left row, right row and weight; they are sorted in place. Intervals are left out.
pub fn evaluate_clusters_at_thresholds(
    pairs: &mut [(u32, u32, f64)],
    thresholds: &[f64],
    truth: &[u32],
    population: Population<'_>,
) -> Vec<ThresholdClusterEvaluation> {
    clusters_at_thresholds(truth.len(), pairs, thresholds, true)
        .into_iter()
        .map(|at| ThresholdClusterEvaluation {
            threshold: at.threshold,
            evaluation: evaluate_clusters(&at.labels, truth, population, None),
            statistics: cluster_statistics(&at.labels),
        })
        .collect()
}

/// Cluster and entity of a record, and its source.
type Record = ((u32, u32), u16);

/// Records of one cluster and one entity.
struct Cell {
    cluster: usize,
    entity: usize,
    size: f64,
    pairs: u64,
}

/// The cells, with cluster and entity numbered from 0.
struct Table {
    cells: Vec<Cell>,
    cluster_sizes: Vec<f64>,
    entity_sizes: Vec<f64>,
    /// Possible pairs within clusters and within entities, by number.
    cluster_pairs: Vec<u64>,
    entity_pairs: Vec<u64>,
    n_records: f64,
    possible_pairs: u64,
}

/// What an entity adds to each sum. All measures are functions of these sums.
const SUMS: usize = 9;

impl Table {
    /// Takes records sorted by cluster, entity and source.
    fn new(records: &[Record], population: Population<'_>) -> Self {
        let mut by_entity: Vec<(u32, u16)> = records.iter().map(|((_, entity), source)| (*entity, *source)).collect();
        by_entity.par_sort_unstable();
        let mut numbers: HashMap<u32, usize> = HashMap::new();
        let (mut entity_sizes, mut entity_pairs) = (Vec::new(), Vec::new());
        for group in by_entity.chunk_by(|left, right| left.0 == right.0) {
            numbers.insert(group[0].0, entity_sizes.len());
            entity_sizes.push(group.len() as f64);
            entity_pairs.push(population.pairs_of_group(group));
        }
        let (mut cells, mut cluster_sizes, mut cluster_pairs) = (Vec::new(), Vec::new(), Vec::new());
        for cluster in records.chunk_by(|left, right| left.0.0 == right.0.0) {
            for cell in cluster.chunk_by(|left, right| left.0.1 == right.0.1) {
                cells.push(Cell {
                    cluster: cluster_sizes.len(),
                    entity: numbers[&cell[0].0.1],
                    size: cell.len() as f64,
                    pairs: population.pairs_of_group(cell),
                });
            }
            let mut by_source: Vec<((), u16)> = cluster.iter().map(|(_, source)| ((), *source)).collect();
            by_source.sort_unstable();
            cluster_sizes.push(cluster.len() as f64);
            cluster_pairs.push(population.pairs_of_group(&by_source));
        }
        let mut sources: Vec<((), u16)> = records.iter().map(|(_, source)| ((), *source)).collect();
        sources.sort_unstable();
        Self {
            cells,
            cluster_sizes,
            entity_sizes,
            cluster_pairs,
            entity_pairs,
            n_records: records.len() as f64,
            possible_pairs: if records.is_empty() { 0 } else { population.pairs_within(&sources) },
        }
    }

    fn evaluation(&self) -> ClusterEvaluation {
        let true_positives: u64 = self.cells.iter().map(|cell| cell.pairs).sum();
        let predicted: u64 = self.cluster_pairs.iter().sum();
        let truth: u64 = self.entity_pairs.iter().sum();
        let counts = Confusion {
            true_positives,
            false_positives: predicted - true_positives,
            false_negatives: truth - true_positives,
            true_negatives: self.possible_pairs - predicted - truth + true_positives,
        };
        let sums = self.by_entity().iter().fold([0.0; SUMS], |mut sums, entity| {
            sums.iter_mut().zip(entity).for_each(|(sum, value)| *sum += value);
            sums
        });
        let [_, _, _, b_precision, b_recall, ..] = sums;
        let several = |sizes: &[f64]| sizes.iter().filter(|size| **size > 1.0).count() as u64;
        let exact = self.cells.iter().filter(|cell| self.is_exact(cell));
        let exact_of_several = exact.clone().filter(|cell| cell.size > 1.0).count() as u64;
        ClusterEvaluation {
            n_records: self.n_records as u64,
            pairwise: counts.measures(),
            b_cubed: scores(b_precision, self.n_records, b_recall, self.n_records),
            clusters: exact_clusters(
                exact.count() as u64,
                self.cluster_sizes.len() as u64,
                self.entity_sizes.len() as u64,
            ),
            clusters_of_several: exact_clusters(
                exact_of_several,
                several(&self.cluster_sizes),
                several(&self.entity_sizes),
            ),
            variation_of_information: self.variation_of_information(),
            intervals: None,
        }
    }

    fn is_exact(&self, cell: &Cell) -> bool {
        cell.size >= self.cluster_sizes[cell.cluster] && cell.size >= self.entity_sizes[cell.entity]
    }

    fn variation_of_information(&self) -> VariationOfInformation {
        let conditional = |sizes: &[f64], number: fn(&Cell) -> usize| -> f64 {
            let terms = self.cells.iter().map(|cell| -cell.size * (cell.size / sizes[number(cell)]).log2());
            terms.sum::<f64>() / self.n_records.max(1.0)
        };
        let split = conditional(&self.entity_sizes, |cell| cell.entity);
        let merged = conditional(&self.cluster_sizes, |cell| cell.cluster);
        VariationOfInformation { split: split + 0.0, merged: merged + 0.0, total: split + merged + 0.0 }
    }

    /// Gives what each entity adds to the sums: right pairs, wrong pairs (halved with the other entity), missed pairs,
    /// B-cubed precision and recall, records, exact clusters, clusters (by the share of its records), information.
    fn by_entity(&self) -> Vec<[f64; SUMS]> {
        let mut entities = vec![[0.0; SUMS]; self.entity_sizes.len()];
        // Wrong pairs of a cluster are shared among its cells by the number of wrong pairs they would have without regard
        // to sources, which is exact for one source and keeps the sum for several.
        let mut wrong: Vec<(f64, f64)> = self.cluster_pairs.iter().map(|pairs| (*pairs as f64, 0.0)).collect();
        for cell in &self.cells {
            wrong[cell.cluster].0 -= cell.pairs as f64;
            wrong[cell.cluster].1 += cell.size * (self.cluster_sizes[cell.cluster] - cell.size);
        }
        for cell in &self.cells {
            let (cluster_size, entity_size) = (self.cluster_sizes[cell.cluster], self.entity_sizes[cell.entity]);
            let (wrong, shares) = wrong[cell.cluster];
            let share = if shares > 0.0 { cell.size * (cluster_size - cell.size) / shares } else { 0.0 };
            let entity = &mut entities[cell.entity];
            entity[0] += cell.pairs as f64;
            entity[1] += wrong * share;
            entity[3] += cell.size * cell.size / cluster_size;
            entity[4] += cell.size * cell.size / entity_size;
            entity[5] += cell.size;
            entity[6] += f64::from(self.is_exact(cell));
            entity[7] += cell.size / cluster_size;
            entity[8] -= cell.size * ((cell.size / cluster_size).log2() + (cell.size / entity_size).log2());
        }
        for (entity, pairs) in entities.iter_mut().zip(&self.entity_pairs) {
            entity[2] = *pairs as f64 - entity[0];
        }
        entities
    }

    fn intervals(&self, options: &BootstrapOptions) -> ClusterIntervals {
        // Each entity also counts as one, for the recall of exact clusters.
        let entities: Vec<[f64; SUMS + 1]> = self
            .by_entity()
            .iter()
            .map(|entity| std::array::from_fn(|sum| entity.get(sum).copied().unwrap_or(1.0)))
            .collect();
        let [
            pairwise_precision,
            pairwise_recall,
            pairwise_f1,
            b_cubed_precision,
            b_cubed_recall,
            b_cubed_f1,
            cluster_precision,
            cluster_recall,
            cluster_f1,
            variation_of_information,
        ] = intervals(&entities, options, |sums| {
            let [right, wrong, missed, b_precision, b_recall, records, exact, clusters, information, truth] = *sums;
            let b_cubed = scores(b_precision, records, b_recall, records);
            let exact = scores(exact, clusters, exact, truth);
            [
                ratio(right, right + wrong),
                ratio(right, right + missed),
                f_measure(right, wrong, missed, 1.0),
                b_cubed.precision,
                b_cubed.recall,
                b_cubed.f1,
                exact.precision,
                exact.recall,
                exact.f1,
                ratio(information, records),
            ]
        });
        ClusterIntervals {
            pairwise_precision,
            pairwise_recall,
            pairwise_f1,
            b_cubed_precision,
            b_cubed_recall,
            b_cubed_f1,
            cluster_precision,
            cluster_recall,
            cluster_f1,
            variation_of_information,
        }
    }
}

fn exact_clusters(exact: u64, predicted: u64, truth: u64) -> ExactClusters {
    let scores = scores(exact as f64, predicted as f64, exact as f64, truth as f64);
    ExactClusters { exact, predicted, truth, scores }
}

fn scores(precise: f64, predicted: f64, recalled: f64, truth: f64) -> Scores {
    let (precision, recall) = (ratio(precise, predicted), ratio(recalled, truth));
    let f1 = match (precision, recall) {
        (Some(precision), Some(recall)) if precision + recall > 0.0 => {
            Some(2.0 * precision * recall / (precision + recall))
        }
        (Some(_), Some(_)) => Some(0.0),
        _ => None,
    };
    Scores { precision, recall, f1 }
}
