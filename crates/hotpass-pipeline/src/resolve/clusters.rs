//! Clusters from a file of scored pairs.

use std::path::PathBuf;

use hotpass_core::Clock;
use hotpass_resolve::clustering::{
    ClusterStatistics, SingleBestOptions, Ties, cluster_statistics, clusters_at_thresholds, single_best_links,
};

use super::error::ResolveError;
use super::keys::{PairValue, RecordKeys, cluster_table, read_keys, read_pairs, weight_of};
use crate::publish::{TableFormat, TableWriter};

/// What is joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterMethod {
    /// Connected components.
    Components,
    /// Best links first, while no duplicate-free source would occur twice in a cluster.
    SingleBest {
        /// Sources in which no two records are one entity.
        duplicate_free: Vec<String>,
        /// Leaves out links of equal weight to several records of such a source.
        drop_ties: bool,
    },
}

/// What [`cluster_pairs`] is asked to do.
#[derive(Debug, Clone)]
pub struct ClusterRequest {
    /// File of scored pairs.
    pub pairs: PathBuf,
    /// File to write.
    pub output_file: PathBuf,
    /// Match probabilities from which on pairs join.
    pub thresholds: Vec<f64>,
    /// Files of all records; without them the records are those of the pairs.
    pub input_files: Vec<PathBuf>,
    /// Column of the ids, which the columns of the pairs are named after.
    pub unique_id_column: String,
    /// What is joined.
    pub method: ClusterMethod,
    /// Gives the dates of workbooks.
    pub clock: Clock,
}

/// Clusters pairs and writes a row for each record: `cluster_id` (with several thresholds `cluster_id_THRESHOLD`), the source where
/// there are several, and the id. A cluster's id is the key of its first record; ids compare as numbers if all are whole.
///
/// Returns the sizes of the clusters by threshold, in the order asked for.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or written, or a source does not exist.
pub fn cluster_pairs(request: &ClusterRequest) -> Result<Vec<(f64, ClusterStatistics)>, ResolveError> {
    TableFormat::from_path(&request.output_file)?;
    ResolveError::unless_apart([&request.output_file], request.input_files.iter().chain([&request.pairs]))?;
    let id = request.unique_id_column.as_str();
    let mut keys = RecordKeys::default();
    if !request.input_files.is_empty() {
        read_keys(&request.input_files, id, None, None, &mut keys)?;
    }
    let known = keys.len();
    let pairs = read_pairs(&request.pairs, id, "source_dataset", PairValue::Weight, &mut keys)?;
    if known > 0 && keys.len() > known {
        return Err(ResolveError::request(
            format!(
                "`{}` names {} records that the input files do not have",
                request.pairs.display(),
                keys.len() - known
            ),
            "Give the files that the pairs were made of, with the same `--unique-id-column`",
        ));
    }
    let (order, place) = keys.order();
    let mut edges: Vec<(u32, u32, f64)> = (0..pairs.left.len())
        .map(|row| {
            let weight = pairs.value.as_ref().map_or(f64::INFINITY, |weights| weights[row]);
            (place[pairs.left[row] as usize], place[pairs.right[row] as usize], weight)
        })
        .collect();
    let mut found: Vec<(f64, Vec<u32>, ClusterStatistics)> = Vec::new();
    match &request.method {
        ClusterMethod::Components => {
            let weights: Vec<f64> = request.thresholds.iter().map(|&threshold| weight_of(threshold)).collect();
            for clusters in clusters_at_thresholds(order.len(), &mut edges, &weights, true) {
                let is_this = |threshold: &&f64| weight_of(**threshold).to_bits() == clusters.threshold.to_bits();
                let asked = request.thresholds.iter().find(is_this);
                found.push((*asked.unwrap_or(&f64::NAN), clusters.labels, clusters.statistics));
            }
        }
        ClusterMethod::SingleBest { duplicate_free, drop_ties } => {
            let sources = duplicate_free
                .iter()
                .map(|name| {
                    let number = keys.sources().iter().position(|source| source == name);
                    number.map(|number| number as u16).ok_or_else(|| {
                        let known: Vec<String> = keys.sources().iter().map(|source| format!("`{source}`")).collect();
                        ResolveError::request(
                            format!("No record is of source `{name}`"),
                            format!("The sources are {}", known.join(", ")),
                        )
                    })
                })
                .collect::<Result<Vec<u16>, _>>()?;
            let by_number = keys.source_numbers();
            let of_place: Vec<u16> = order.iter().map(|&number| by_number[number as usize]).collect();
            for &threshold in &request.thresholds {
                let options = SingleBestOptions {
                    threshold: Some(weight_of(threshold)),
                    duplicate_free_sources: sources.clone(),
                    ties: if *drop_ties { Ties::Drop } else { Ties::LowestId },
                };
                let labels = single_best_links(order.len(), &mut edges, &of_place, &options);
                let statistics = cluster_statistics(&labels);
                found.push((threshold, labels, statistics));
            }
        }
    }
    found.sort_by_key(|(threshold, ..)| {
        request.thresholds.iter().position(|asked| asked.to_bits() == threshold.to_bits())
    });
    let columns: Vec<(String, Vec<u32>)> = found
        .iter()
        .map(|(threshold, labels, _)| {
            let name = if found.len() == 1 { "cluster_id".to_owned() } else { format!("cluster_id_{threshold}") };
            let of_number = place.iter().map(|&at| order[labels[at as usize] as usize]).collect();
            (name, of_number)
        })
        .collect();
    let table = cluster_table(&keys, id, "source_dataset", &columns)?;
    let mut writer = TableWriter::create(&request.output_file, &table.schema(), request.clock)?;
    writer.write(&table)?;
    writer.finish()?;
    Ok(found.into_iter().map(|(threshold, _, statistics)| (threshold, statistics)).collect())
}
