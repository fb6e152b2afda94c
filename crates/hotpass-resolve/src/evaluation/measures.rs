//! Measures of a two-by-two table of pairs.

use serde::{Deserialize, Serialize};

/// Pairs by prediction and truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// Predicted and true.
    pub true_positives: u64,
    /// Predicted, not true.
    pub false_positives: u64,
    /// True, not predicted.
    pub false_negatives: u64,
    /// Neither.
    pub true_negatives: u64,
}

/// Measures of pairs, each from 0 to 1 but φ, which is from −1 to 1; absent where a denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PairMeasures {
    /// The counts behind them.
    #[serde(flatten)]
    pub counts: Confusion,
    /// Share of the predicted pairs that are true.
    pub precision: Option<f64>,
    /// Share of the true pairs that are predicted.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// The same with recall counting twice as much (van Rijsbergen 1979, β = 2).
    pub f2: Option<f64>,
    /// The same with precision counting twice as much (β = ½).
    pub f0_5: Option<f64>,
    /// Share of the pairs that are not true that are not predicted.
    pub specificity: Option<f64>,
    /// Negative predictive value: share of the pairs not predicted that are not true.
    pub npv: Option<f64>,
    /// Share of all pairs that are right.
    pub accuracy: Option<f64>,
    /// Harmonic mean of precision, recall, specificity and negative predictive value (Sitarz 2022).
    pub p4: Option<f64>,
    /// φ, also Matthews correlation (Matthews 1975).
    pub phi: Option<f64>,
}

impl Confusion {
    /// Gives all measures.
    pub fn measures(self) -> PairMeasures {
        let [tp, fp, fneg, tn] =
            [self.true_positives, self.false_positives, self.false_negatives, self.true_negatives].map(|n| n as f64);
        let p4_denominator = 4.0 * tp * tn + (tp + tn) * (fp + fneg);
        let phi_denominator = (tp + fp).sqrt() * (tp + fneg).sqrt() * (tn + fp).sqrt() * (tn + fneg).sqrt();
        PairMeasures {
            counts: self,
            precision: ratio(tp, tp + fp),
            recall: ratio(tp, tp + fneg),
            f1: f_measure(tp, fp, fneg, 1.0),
            f2: f_measure(tp, fp, fneg, 2.0),
            f0_5: f_measure(tp, fp, fneg, 0.5),
            specificity: ratio(tn, tn + fp),
            npv: ratio(tn, tn + fneg),
            accuracy: ratio(tp + tn, tp + fp + fneg + tn),
            p4: ratio(4.0 * tp * tn, p4_denominator),
            phi: ratio(tp * tn - fp * fneg, phi_denominator),
        }
    }
}

/// Gives `F_β` of counts; nothing if there is neither a predicted nor a true pair.
pub(super) fn f_measure(true_positives: f64, false_positives: f64, false_negatives: f64, beta: f64) -> Option<f64> {
    let beta = beta * beta;
    ratio((1.0 + beta) * true_positives, (1.0 + beta) * true_positives + beta * false_negatives + false_positives)
}

/// Gives a quotient; nothing for a denominator of 0.
pub(super) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_follow_their_definitions() {
        let measures =
            Confusion { true_positives: 6, false_positives: 2, false_negatives: 4, true_negatives: 88 }.measures();
        let check = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}");
        check(measures.precision, 0.75);
        check(measures.recall, 0.6);
        check(measures.f1, 2.0 * 0.75 * 0.6 / 1.35);
        check(measures.f2, 5.0 * 0.75 * 0.6 / (4.0 * 0.75 + 0.6));
        check(measures.f0_5, 1.25 * 0.75 * 0.6 / (0.25 * 0.75 + 0.6));
        check(measures.specificity, 88.0 / 90.0);
        check(measures.npv, 88.0 / 92.0);
        check(measures.accuracy, 0.94);
        check(measures.p4, 4.0 / (1.0 / 0.75 + 1.0 / 0.6 + 90.0 / 88.0 + 92.0 / 88.0));
        check(measures.phi, (6.0 * 88.0 - 8.0) / (8.0_f64 * 10.0 * 90.0 * 92.0).sqrt());
        assert_eq!(Confusion::default().measures().f1, None);
    }
}
