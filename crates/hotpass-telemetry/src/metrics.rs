//! Instruments by the table: values come as events of `tracing`, are added up here, and leave as metrics with exemplars.
//!
//! The aggregation is our own, since that of the SDK keeps no exemplars.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use hotpass_core::{Instrument, InstrumentKind};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, exemplar,
    metric, number_data_point,
};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::queue::lock;
use crate::redaction::{REDACTED, looks_personal};
use crate::settings::{ExemplarFilter, Temporality};

/// Target of the events that carry measured values.
pub const METRIC_TARGET: &str = "hotpass::metric";

/// Combinations of attributes that an instrument keeps apart; further ones are added up together.
const CARDINALITY_LIMIT: usize = 2000;
/// Names without an instrument that are remembered.
const UNKNOWN_LIMIT: usize = 64;
/// Bounds of histograms that name none: those of the specification.
const DEFAULT_BOUNDARIES: &[f64] =
    &[0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0];

/// A value as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Self::Integer(a.saturating_add(b)),
            (a, b) => Self::Float(a.float() + b.float()),
        }
    }

    fn point(self) -> number_data_point::Value {
        match self {
            Self::Integer(value) => number_data_point::Value::AsInt(value),
            Self::Float(value) => number_data_point::Value::AsDouble(value),
        }
    }
}

/// A value of an attribute, in a form that can be a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Label {
    Text(String),
    Integer(i64),
    Float(u64),
    Boolean(bool),
}

type Labels = Vec<(&'static str, Label)>;

#[derive(Debug, Clone)]
enum Total {
    Number(Number),
    Histogram { counts: Vec<u64>, count: u64, sum: f64, minimum: f64, maximum: f64 },
}

#[derive(Debug, Clone)]
struct Point {
    total: Total,
    started: u64,
    changed: u64,
    /// The newest example of each bucket; of the whole where there are no buckets.
    exemplars: BTreeMap<usize, Exemplar>,
}

impl Point {
    fn new(instrument: &Instrument, now: u64) -> Self {
        let total = match instrument.kind {
            InstrumentKind::Histogram => Total::Histogram {
                counts: vec![0; boundaries(instrument).len() + 1],
                count: 0,
                sum: 0.0,
                minimum: f64::INFINITY,
                maximum: f64::NEG_INFINITY,
            },
            _ => Total::Number(Number::Integer(0)),
        };
        Self { total, started: now, changed: now, exemplars: BTreeMap::new() }
    }

    /// Takes a value in; returns the bucket it fell into.
    fn add(&mut self, instrument: &Instrument, value: Number, now: u64) -> usize {
        self.changed = now;
        match &mut self.total {
            Total::Number(total) => {
                *total = if instrument.kind == InstrumentKind::Gauge { value } else { total.plus(value) };
                0
            }
            Total::Histogram { counts, count, sum, minimum, maximum } => {
                let value = value.float();
                let bucket = boundaries(instrument).partition_point(|bound| *bound < value);
                counts[bucket] += 1;
                *count += 1;
                *sum += value;
                *minimum = minimum.min(value);
                *maximum = maximum.max(value);
                bucket
            }
        }
    }

    /// Puts back what was taken and could not be delivered.
    fn merge(&mut self, instrument: &Instrument, taken: &Self) {
        self.started = self.started.min(taken.started);
        match (&mut self.total, &taken.total) {
            (Total::Number(total), Total::Number(other)) if instrument.kind != InstrumentKind::Gauge => {
                *total = total.plus(*other);
            }
            (
                Total::Histogram { counts, count, sum, minimum, maximum },
                Total::Histogram { counts: others, count: more, sum: rest, minimum: low, maximum: high },
            ) => {
                counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
                *count += more;
                *sum += rest;
                *minimum = minimum.min(*low);
                *maximum = maximum.max(*high);
            }
            _ => {}
        }
    }
}

fn boundaries(instrument: &Instrument) -> &'static [f64] {
    if instrument.boundaries.is_empty() { DEFAULT_BOUNDARIES } else { instrument.boundaries }
}

#[derive(Debug, Default)]
struct Totals {
    points: HashMap<(usize, Labels), Point>,
    sizes: HashMap<usize, usize>,
    unknown: BTreeMap<String, u64>,
}

/// What the instruments hold.
#[derive(Debug)]
pub(crate) struct Store {
    instruments: Vec<Instrument>,
    by_name: HashMap<&'static str, usize>,
    exemplars: ExemplarFilter,
    temporality: Temporality,
    totals: Mutex<Totals>,
}

/// What was taken out of a store with delta temporality, until it is delivered.
#[derive(Debug, Default)]
pub(crate) struct Taken(Vec<((usize, Labels), Point)>);

impl Store {
    pub(crate) fn new(instruments: &[Instrument], exemplars: ExemplarFilter, temporality: Temporality) -> Self {
        Self {
            by_name: instruments.iter().enumerate().map(|(index, instrument)| (instrument.name, index)).collect(),
            instruments: instruments.to_vec(),
            exemplars,
            temporality,
            totals: Mutex::new(Totals::default()),
        }
    }

    /// Adds a measured value.
    fn record(&self, name: &str, value: Number, mut labels: Labels) {
        let Some(&index) = self.by_name.get(name) else {
            let unknown = &mut lock(&self.totals).unknown;
            if unknown.len() < UNKNOWN_LIMIT || unknown.contains_key(name) {
                *unknown.entry(name.to_owned()).or_default() += 1;
            }
            return;
        };
        let instrument = &self.instruments[index];
        if instrument.kind == InstrumentKind::Counter && value.float() < 0.0 || value.float().is_nan() {
            return;
        }
        // A name that the table does not list does not leave.
        labels.retain(|(name, _)| instrument.attributes.contains(name));
        labels.sort_unstable_by_key(|(name, _)| *name);
        let now = now();
        let exemplar = self.exemplar(value, now);
        let mut totals = lock(&self.totals);
        let Totals { points, sizes, .. } = &mut *totals;
        let mut key = (index, labels);
        if !points.contains_key(&key) {
            let size = sizes.entry(index).or_default();
            if *size >= CARDINALITY_LIMIT {
                key.1 = vec![("otel.metric.overflow", Label::Boolean(true))];
            } else {
                *size += 1;
            }
        }
        let point = points.entry(key).or_insert_with(|| Point::new(instrument, now));
        let bucket = point.add(instrument, value, now);
        if let Some(exemplar) = exemplar {
            point.exemplars.insert(bucket, exemplar);
        }
    }

    fn exemplar(&self, value: Number, now: u64) -> Option<Exemplar> {
        if self.exemplars == ExemplarFilter::AlwaysOff {
            return None;
        }
        let context = opentelemetry::Context::current();
        let span = context.span();
        let span = span.span_context();
        if self.exemplars == ExemplarFilter::TraceBased && !span.is_sampled() {
            return None;
        }
        let (trace_id, span_id) = if span.is_valid() {
            (span.trace_id().to_bytes().to_vec(), span.span_id().to_bytes().to_vec())
        } else {
            Default::default()
        };
        let value = match value {
            Number::Integer(value) => exemplar::Value::AsInt(value),
            Number::Float(value) => exemplar::Value::AsDouble(value),
        };
        Some(Exemplar { time_unix_nano: now, trace_id, span_id, value: Some(value), ..Exemplar::default() })
    }

    /// Returns the metrics, in the order of the table; with delta temporality they begin anew.
    pub(crate) fn collect(&self) -> (Vec<Metric>, Taken) {
        let now = now();
        let mut totals = lock(&self.totals);
        let delta = self.temporality == Temporality::Delta;
        let mut points: Vec<((usize, Labels), Point)> =
            totals.points.iter().map(|(key, point)| (key.clone(), point.clone())).collect();
        for point in totals.points.values_mut() {
            point.exemplars.clear();
        }
        let mut taken = Taken::default();
        if delta {
            // What may fall is told as a total, whatever is preferred.
            let resets = |index: usize| {
                matches!(self.instruments[index].kind, InstrumentKind::Counter | InstrumentKind::Histogram)
            };
            totals.points.retain(|(index, _), _| !resets(*index));
            totals.sizes.clear();
            for (index, _) in totals.points.keys().cloned().collect::<Vec<_>>() {
                *totals.sizes.entry(index).or_default() += 1;
            }
            taken.0 = points.iter().filter(|((index, _), _)| resets(*index)).cloned().collect();
        }
        drop(totals);
        points.sort_by(|(left, _), (right, _)| left.cmp(right));
        let mut metrics: Vec<(usize, Metric)> = Vec::new();
        for ((index, labels), point) in points {
            if metrics.last().is_none_or(|(last, _)| *last != index) {
                metrics.push((index, self.metric(index)));
            }
            if let Some((_, metric)) = metrics.last_mut() {
                push_point(metric, &self.instruments[index], labels, point, now);
            }
        }
        (metrics.into_iter().map(|(_, metric)| metric).collect(), taken)
    }

    /// Puts back what could not be delivered, so that it goes with the next export.
    pub(crate) fn put_back(&self, taken: Taken) {
        let mut totals = lock(&self.totals);
        for (key, point) in taken.0 {
            let instrument = &self.instruments[key.0];
            match totals.points.get_mut(&key) {
                Some(newer) => newer.merge(instrument, &point),
                None => {
                    totals.points.insert(key, point);
                }
            }
        }
    }

    /// Returns the names of events that no instrument has, with how often each came.
    pub(crate) fn unknown(&self) -> BTreeMap<String, u64> {
        lock(&self.totals).unknown.clone()
    }

    /// Returns whether nothing was measured yet.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.totals).points.is_empty()
    }

    /// Adds to an instrument from inside the crate.
    pub(crate) fn add(&self, name: &str, value: u64, attribute: (&'static str, &str)) {
        let value = Number::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        self.record(name, value, vec![(attribute.0, Label::Text(attribute.1.to_owned()))]);
    }

    fn metric(&self, index: usize) -> Metric {
        let instrument = &self.instruments[index];
        let delta = match self.temporality {
            Temporality::Cumulative => AggregationTemporality::Cumulative,
            Temporality::Delta => AggregationTemporality::Delta,
        };
        let data = match instrument.kind {
            InstrumentKind::Counter => metric::Data::Sum(Sum {
                data_points: Vec::new(),
                aggregation_temporality: delta.into(),
                is_monotonic: true,
            }),
            InstrumentKind::UpDownCounter => metric::Data::Sum(Sum {
                data_points: Vec::new(),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: false,
            }),
            InstrumentKind::Gauge => metric::Data::Gauge(Gauge::default()),
            InstrumentKind::Histogram => {
                metric::Data::Histogram(Histogram { data_points: Vec::new(), aggregation_temporality: delta.into() })
            }
        };
        Metric {
            name: instrument.name.to_owned(),
            description: instrument.description.to_owned(),
            unit: instrument.unit.to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }
}

fn push_point(metric: &mut Metric, instrument: &Instrument, labels: Labels, point: Point, now: u64) {
    let attributes: Vec<KeyValue> = labels
        .into_iter()
        .map(|(name, label)| {
            let value = match label {
                Label::Text(text) => Value::StringValue(text),
                Label::Integer(value) => Value::IntValue(value),
                Label::Float(bits) => Value::DoubleValue(f64::from_bits(bits)),
                Label::Boolean(value) => Value::BoolValue(value),
            };
            KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
        })
        .collect();
    let exemplars = point.exemplars.into_values().collect();
    match (&mut metric.data, point.total) {
        (Some(metric::Data::Histogram(histogram)), Total::Histogram { counts, count, sum, minimum, maximum }) => {
            histogram.data_points.push(HistogramDataPoint {
                attributes,
                start_time_unix_nano: point.started,
                time_unix_nano: now,
                count,
                sum: Some(sum),
                bucket_counts: counts,
                explicit_bounds: boundaries(instrument).to_vec(),
                exemplars,
                min: (count > 0).then_some(minimum),
                max: (count > 0).then_some(maximum),
                flags: 0,
            });
        }
        (Some(metric::Data::Sum(sum)), Total::Number(number)) => sum.data_points.push(NumberDataPoint {
            attributes,
            start_time_unix_nano: point.started,
            time_unix_nano: now,
            exemplars,
            flags: 0,
            value: Some(number.point()),
        }),
        (Some(metric::Data::Gauge(gauge)), Total::Number(number)) => gauge.data_points.push(NumberDataPoint {
            attributes,
            start_time_unix_nano: 0,
            time_unix_nano: point.changed,
            exemplars,
            flags: 0,
            value: Some(number.point()),
        }),
        _ => {}
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Takes the events that carry measured values.
pub(crate) struct MetricLayer(pub(crate) Arc<Store>);

impl<S: Subscriber> Layer<S> for MetricLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut measured = Measured::default();
        event.record(&mut measured);
        if let (Some(name), Some(value)) = (measured.name, measured.value) {
            self.0.record(&name, value, measured.labels);
        }
    }
}

/// An event's fields: `name`, `value`, and the attributes.
#[derive(Default)]
struct Measured {
    name: Option<String>,
    value: Option<Number>,
    labels: Labels,
}

impl Measured {
    fn number(&mut self, field: &Field, number: Number, label: Label) {
        if field.name() == "value" {
            self.value = Some(number);
        } else {
            self.labels.push((field.name(), label));
        }
    }
}

impl Visit for Measured {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "name" => self.name = Some(value.to_owned()),
            "message" => {}
            name => {
                // Here and not right before export, so that what is told as one is added up as one.
                let told = if looks_personal(value) { REDACTED } else { value };
                self.labels.push((name, Label::Text(told.to_owned())));
            }
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, Number::Integer(value), Label::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, Number::Float(value), Label::Float(value.to_bits()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.labels.push((field.name(), Label::Boolean(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const ROWS: Instrument = Instrument {
        name: "test.rows",
        kind: InstrumentKind::Counter,
        unit: "{row}",
        description: "Rows",
        boundaries: &[],
        attributes: &["file.format"],
    };
    const SCORE: Instrument = Instrument { name: "test.score", kind: InstrumentKind::Gauge, unit: "1", ..ROWS };
    const DEPTH: Instrument = Instrument { name: "test.depth", kind: InstrumentKind::UpDownCounter, ..ROWS };
    const SECONDS: Instrument = Instrument {
        name: "test.duration",
        kind: InstrumentKind::Histogram,
        unit: "s",
        boundaries: &[1.0, 10.0],
        ..ROWS
    };

    fn store(exemplars: ExemplarFilter, temporality: Temporality) -> Arc<Store> {
        Arc::new(Store::new(&[ROWS, SCORE, DEPTH, SECONDS], exemplars, temporality))
    }

    fn with(store: &Arc<Store>, work: impl FnOnce()) {
        let subscriber = tracing_subscriber::registry().with(MetricLayer(Arc::clone(store)));
        tracing::subscriber::with_default(subscriber, work);
    }

    fn numbers(metric: &Metric) -> Vec<number_data_point::Value> {
        let points = match &metric.data {
            Some(metric::Data::Sum(sum)) => &sum.data_points,
            Some(metric::Data::Gauge(gauge)) => &gauge.data_points,
            _ => panic!("no numbers in {metric:?}"),
        };
        points.iter().filter_map(|point| point.value).collect()
    }

    #[test]
    fn events_become_metrics_by_the_table() {
        let store = store(ExemplarFilter::TraceBased, Temporality::Cumulative);
        with(&store, || {
            for rows in [3u64, 4] {
                tracing::info!(target: "hotpass::metric", name = "test.rows", value = rows, "file.format" = "csv", secret = "x");
            }
            tracing::info!(target: "hotpass::metric", name = "test.rows", value = 5, "file.format" = "xlsx");
            tracing::info!(target: "hotpass::metric", name = "test.score", value = 0.25);
            tracing::info!(target: "hotpass::metric", name = "test.score", value = 0.5);
            tracing::info!(target: "hotpass::metric", name = "test.depth", value = 5);
            tracing::info!(target: "hotpass::metric", name = "test.depth", value = -2);
            for seconds in [0.5, 1.0, 2.0, 99.0] {
                tracing::info!(target: "hotpass::metric", name = "test.duration", value = seconds);
            }
            tracing::info!(target: "hotpass::metric", name = "test.unlisted", value = 1);
        });
        let (metrics, _) = store.collect();
        let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["test.rows", "test.score", "test.depth", "test.duration"]);
        use number_data_point::Value::{AsDouble, AsInt};
        assert_eq!(numbers(&metrics[0]), [AsInt(7), AsInt(5)]);
        assert_eq!(numbers(&metrics[1]), [AsDouble(0.5)]);
        assert_eq!(numbers(&metrics[2]), [AsInt(3)]);
        let Some(metric::Data::Sum(rows)) = &metrics[0].data else { panic!("no sum") };
        assert!(rows.is_monotonic);
        let keys: Vec<&str> = rows.data_points[0].attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["file.format"], "an attribute that the table does not list stays here");
        let Some(metric::Data::Histogram(seconds)) = &metrics[3].data else { panic!("no histogram") };
        let point = &seconds.data_points[0];
        assert_eq!(point.bucket_counts, [2, 1, 1]);
        assert_eq!((point.count, point.sum, point.min, point.max), (4, Some(102.5), Some(0.5), Some(99.0)));
        assert_eq!(store.unknown(), BTreeMap::from([("test.unlisted".to_owned(), 1)]));
    }

    #[test]
    fn cumulative_totals_go_on_and_deltas_begin_anew() {
        for (temporality, second) in [(Temporality::Cumulative, 5), (Temporality::Delta, 2)] {
            let store = store(ExemplarFilter::AlwaysOff, temporality);
            store.add("test.rows", 3, ("file.format", "csv"));
            assert_eq!(numbers(&store.collect().0[0]), [number_data_point::Value::AsInt(3)]);
            store.add("test.rows", 2, ("file.format", "csv"));
            assert_eq!(numbers(&store.collect().0[0]), [number_data_point::Value::AsInt(second)]);
        }
    }

    #[test]
    fn a_delta_that_was_not_delivered_goes_with_the_next() {
        let store = store(ExemplarFilter::AlwaysOff, Temporality::Delta);
        store.add("test.rows", 3, ("file.format", "csv"));
        store.put_back(store.collect().1);
        store.add("test.rows", 2, ("file.format", "csv"));
        let (metrics, taken) = store.collect();
        assert_eq!(numbers(&metrics[0]), [number_data_point::Value::AsInt(5)]);
        store.put_back(taken);
        assert_eq!(numbers(&store.collect().0[0]), [number_data_point::Value::AsInt(5)]);
        assert!(store.is_empty());
    }

    #[test]
    fn too_many_attributes_are_added_up_together() {
        let store = store(ExemplarFilter::AlwaysOff, Temporality::Cumulative);
        for number in 0..CARDINALITY_LIMIT + 10 {
            store.add("test.rows", 1, ("file.format", &number.to_string()));
        }
        let (metrics, _) = store.collect();
        let Some(metric::Data::Sum(sum)) = &metrics[0].data else { panic!("no sum") };
        assert_eq!(sum.data_points.len(), CARDINALITY_LIMIT + 1);
        let overflow = sum.data_points.iter().find(|point| point.attributes[0].key == "otel.metric.overflow");
        assert_eq!(overflow.and_then(|point| point.value), Some(number_data_point::Value::AsInt(10)));
    }

    #[test]
    fn personal_texts_are_redacted_and_added_up_as_one() {
        let store = store(ExemplarFilter::AlwaysOff, Temporality::Cumulative);
        with(&store, || {
            for source in ["zodwa@example.org", "Xolani 0825550142", "csv"] {
                tracing::info!(target: "hotpass::metric", name = "test.rows", value = 2, "file.format" = source);
            }
        });
        let (metrics, _) = store.collect();
        let Some(metric::Data::Sum(sum)) = &metrics[0].data else { panic!("no sum") };
        let mut points: Vec<String> =
            sum.data_points.iter().map(|point| format!("{:?} {:?}", point.attributes[0].value, point.value)).collect();
        points.sort_unstable();
        assert_eq!(points.len(), 2, "{points:?}");
        assert!(points[0].contains("\"[redacted]\"") && points[0].contains("AsInt(4)"), "{points:?}");
        assert!(points[1].contains("\"csv\"") && points[1].contains("AsInt(2)"), "{points:?}");
    }

    #[test]
    fn a_counter_never_falls() {
        let store = store(ExemplarFilter::AlwaysOff, Temporality::Cumulative);
        with(&store, || tracing::info!(target: "hotpass::metric", name = "test.rows", value = -4));
        assert!(store.is_empty());
    }
}
