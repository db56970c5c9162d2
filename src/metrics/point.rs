//! Errors of a forecast point by point, all of them from one reading of the data.

use super::rank::{kendall, order, ranks};
use super::{Series, is_finite, mean, ratio, sum};
use crate::error::{Error, Result, nearest};

/// Names and definitions of the errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Mean of squares.
    Mse,
    /// Root of it.
    Rmse,
    /// Mean of magnitudes.
    Mae,
    /// Root of the mean square of errors in units of the truth's scale.
    Nrmse,
    /// Mean of magnitudes relative to the truth, in per cent.
    Mape,
    /// Mean of magnitudes relative to the mean of both magnitudes, in per cent: 0 to 200.
    Smape,
    /// Sum of magnitudes relative to the sum of the truth's, in per cent.
    Wape,
    /// Mean of magnitudes relative to that of the persistence forecast of the training series.
    Mase,
    /// Mean of magnitudes relative to the range of the truth, in per cent.
    Marre,
    /// Difference of the sums relative to the truth's, in per cent.
    Ope,
    /// Root of the mean square of differences of log(1 + x).
    Rmsle,
    /// One minus the sum of squares relative to that of the truth about its mean.
    R2,
    /// Root mean square relative to the mean of the truth, in per cent.
    CoefficientOfVariation,
    /// Correlation.
    Pearson,
    /// Correlation of ranks.
    Spearman,
    /// Agreement of order, tau-b.
    Kendall,
}

impl Measure {
    /// All, by name.
    pub const NAMES: [(&'static str, Measure); 16] = [
        ("mse", Measure::Mse),
        ("rmse", Measure::Rmse),
        ("mae", Measure::Mae),
        ("nrmse", Measure::Nrmse),
        ("mape", Measure::Mape),
        ("smape", Measure::Smape),
        ("wape", Measure::Wape),
        ("mase", Measure::Mase),
        ("marre", Measure::Marre),
        ("ope", Measure::Ope),
        ("rmsle", Measure::Rmsle),
        ("r2", Measure::R2),
        ("coefficient_of_variation", Measure::CoefficientOfVariation),
        ("pearson", Measure::Pearson),
        ("spearman", Measure::Spearman),
        ("kendall", Measure::Kendall),
    ];

    /// The error of that name.
    ///
    /// # Errors
    /// For an unknown name.
    pub fn parse(name: &str) -> Result<Measure> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|&(_, measure)| measure).ok_or_else(|| {
            let hint = nearest(name, Self::NAMES.iter().map(|&(known, _)| known));
            let hint = hint.map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            Error::value(format!("unknown point error \"{name}\"{hint}"))
        })
    }
}

/// What the errors of one member refer to.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The training series, whose persistence error scales `Mase`; the truth itself if there is none.
    pub train: Option<Series<'a>>,
    /// How many samples back persistence looks.
    pub season: usize,
}

/// The errors of every variable and, last, of all variables pooled: measures.len() x (d + 1), row by row.
///
/// The pooled orders (Spearman, Kendall) cost a sort of everything, and are NaN unless `pool_ranks`.
pub fn point(
    truth: Series<'_>,
    forecast: Series<'_>,
    reference: Reference<'_>,
    measures: &[Measure],
    pool_ranks: bool,
) -> Vec<f64> {
    let d = truth.d;
    let wanted = |some: &[Measure]| measures.iter().any(|measure| some.contains(measure));
    let ranked = wanted(&[Measure::Spearman, Measure::Kendall]);
    let logarithmic = wanted(&[Measure::Rmsle]);
    let scaled = wanted(&[Measure::Mase]);
    let mut parts = Vec::with_capacity(d + 1);
    for v in 0..d {
        let (y, p) = (truth.column(v), forecast.column(v));
        let mut sums = Sums::of(&y, &p, logarithmic);
        if ranked && sums.finite {
            sums.order = Order::of(&y, &p, measures);
        }
        if scaled {
            let train = reference.train.map(|train| train.column(v));
            sums.persistence = persistence(train.as_deref().unwrap_or(&y), reference.season);
        }
        parts.push(sums);
    }
    let mut pool = Sums::pool(&parts);
    if ranked && pool_ranks && pool.finite {
        pool.order = Order::of(truth.values, forecast.values, measures);
    }
    parts.push(pool);
    measures.iter().flat_map(|&measure| parts.iter().map(move |part| part.value(measure))).collect()
}

/// Mean magnitude of the change over `season` samples; NaN if the series is too short or not finite.
pub fn persistence(series: &[f64], season: usize) -> f64 {
    if series.len() <= season || !is_finite(series) {
        return f64::NAN;
    }
    let n = series.len() - season;
    sum(n, |i| (series[i + season] - series[i]).abs()) / n as f64
}

/// What all errors are made of.
#[derive(Clone, Debug)]
struct Sums {
    finite: bool,
    n: f64,
    square: f64,
    magnitude: f64,
    relative: f64,
    symmetric: f64,
    logarithmic: f64,
    truth_magnitude: f64,
    truth_mean: f64,
    forecast_mean: f64,
    truth_square: f64,
    forecast_square: f64,
    product: f64,
    /// Mean square error in units of the variance of the truth.
    in_deviations: f64,
    lowest: f64,
    highest: f64,
    forecast_constant: bool,
    persistence: f64,
    order: Order,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    spearman: f64,
    kendall: f64,
}

impl Order {
    const NONE: Order = Order { spearman: f64::NAN, kendall: f64::NAN };

    fn of(y: &[f64], p: &[f64], measures: &[Measure]) -> Order {
        let (by_y, by_p) = (order(y), order(p));
        let mut result = Order::NONE;
        if measures.contains(&Measure::Spearman) {
            result.spearman = correlation(&ranks(y, &by_y), &ranks(p, &by_p));
        }
        if measures.contains(&Measure::Kendall) {
            result.kendall = kendall(y, p, &by_y, &by_p);
        }
        result
    }
}

/// Pearson's correlation; NaN if either is constant.
pub fn correlation(y: &[f64], p: &[f64]) -> f64 {
    Sums::of(y, p, false).value(Measure::Pearson)
}

impl Sums {
    fn of(y: &[f64], p: &[f64], logarithmic: bool) -> Sums {
        let n = y.len();
        let p = &p[..n];
        let finite = is_finite(y) && is_finite(p);
        let (truth_mean, forecast_mean) = (mean(y), mean(p));
        let (lowest, highest) = range(y);
        let (forecast_lowest, forecast_highest) = range(p);
        let square = sum(n, |i| (y[i] - p[i]) * (y[i] - p[i]));
        let truth_square = sum(n, |i| (y[i] - truth_mean) * (y[i] - truth_mean));
        let truth_square = if lowest == highest { 0.0 } else { truth_square };
        Sums {
            finite,
            n: n as f64,
            square,
            magnitude: sum(n, |i| (y[i] - p[i]).abs()),
            relative: sum(n, |i| ratio((y[i] - p[i]).abs(), y[i].abs())),
            symmetric: sum(n, |i| ratio((y[i] - p[i]).abs(), y[i].abs() + p[i].abs())),
            // The logarithm of nothing or less is not a number.
            logarithmic: if !logarithmic || lowest <= -1.0 || forecast_lowest <= -1.0 {
                f64::NAN
            } else {
                sum(n, |i| {
                    let difference = libm::log((1.0 + p[i]) / (1.0 + y[i]));
                    difference * difference
                })
            },
            truth_magnitude: sum(n, |i| y[i].abs()),
            truth_mean,
            forecast_mean,
            truth_square,
            forecast_square: sum(n, |i| (p[i] - forecast_mean) * (p[i] - forecast_mean)),
            product: sum(n, |i| (y[i] - truth_mean) * (p[i] - forecast_mean)),
            in_deviations: ratio(square, truth_square),
            lowest,
            highest,
            forecast_constant: forecast_lowest == forecast_highest,
            persistence: f64::NAN,
            order: Order::NONE,
        }
    }

    /// The sums of all variables as of one long series.
    fn pool(parts: &[Sums]) -> Sums {
        let total = |part: fn(&Sums) -> f64| parts.iter().map(part).sum::<f64>();
        let d = parts.len() as f64;
        let (truth_mean, forecast_mean) = (total(|s| s.truth_mean) / d, total(|s| s.forecast_mean) / d);
        let about = |own: fn(&Sums) -> f64, mean: fn(&Sums) -> f64, common: f64| {
            parts.iter().map(|s| own(s) + s.n * (mean(s) - common) * (mean(s) - common)).sum::<f64>()
        };
        let lowest = parts.iter().fold(f64::INFINITY, |low, s| low.min(s.lowest));
        let highest = parts.iter().fold(f64::NEG_INFINITY, |high, s| high.max(s.highest));
        let truth_square = about(|s| s.truth_square, |s| s.truth_mean, truth_mean);
        let equal = parts.iter().all(|s| s.forecast_mean == parts[0].forecast_mean);
        Sums {
            finite: parts.iter().all(|s| s.finite),
            n: total(|s| s.n),
            square: total(|s| s.square),
            magnitude: total(|s| s.magnitude),
            relative: total(|s| s.relative),
            symmetric: total(|s| s.symmetric),
            logarithmic: total(|s| s.logarithmic),
            truth_magnitude: total(|s| s.truth_magnitude),
            truth_mean,
            forecast_mean,
            truth_square: if lowest == highest { 0.0 } else { truth_square },
            forecast_square: about(|s| s.forecast_square, |s| s.forecast_mean, forecast_mean),
            product: parts
                .iter()
                .map(|s| s.product + s.n * (s.truth_mean - truth_mean) * (s.forecast_mean - forecast_mean))
                .sum(),
            in_deviations: total(|s| s.in_deviations) / d,
            lowest,
            highest,
            forecast_constant: equal && parts.iter().all(|s| s.forecast_constant),
            persistence: total(|s| s.persistence) / d,
            order: Order::NONE,
        }
    }

    fn value(&self, measure: Measure) -> f64 {
        if !self.finite {
            return f64::NAN;
        }
        let n = self.n;
        let (mae, rmse) = (self.magnitude / n, (self.square / n).sqrt());
        match measure {
            Measure::Mse => self.square / n,
            Measure::Rmse => rmse,
            Measure::Mae => mae,
            Measure::Nrmse => self.in_deviations.sqrt(),
            Measure::Mape => 100.0 * self.relative / n,
            Measure::Smape => 200.0 * self.symmetric / n,
            Measure::Wape => 100.0 * ratio(self.magnitude, self.truth_magnitude),
            Measure::Mase => ratio(mae, self.persistence),
            Measure::Marre => 100.0 * ratio(mae, self.highest - self.lowest),
            Measure::Ope => {
                let difference = (self.truth_mean - self.forecast_mean).abs();
                100.0 * ratio(difference, self.truth_mean.abs())
            }
            Measure::Rmsle => (self.logarithmic / n).sqrt(),
            Measure::R2 => 1.0 - ratio(self.square, self.truth_square),
            Measure::CoefficientOfVariation => 100.0 * ratio(rmse, self.truth_mean.abs()),
            Measure::Pearson => {
                if self.lowest == self.highest || self.forecast_constant {
                    return f64::NAN;
                }
                (self.product / self.truth_square.sqrt() / self.forecast_square.sqrt()).clamp(-1.0, 1.0)
            }
            Measure::Spearman => self.order.spearman,
            Measure::Kendall => self.order.kendall,
        }
    }
}

/// Least and greatest.
pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    let mut low = [f64::INFINITY; 4];
    let mut high = [f64::NEG_INFINITY; 4];
    let chunks = values.chunks_exact(4);
    for (i, &x) in chunks.remainder().iter().enumerate() {
        (low[i], high[i]) = (x, x);
    }
    for chunk in chunks {
        for i in 0..4 {
            low[i] = if chunk[i] < low[i] { chunk[i] } else { low[i] };
            high[i] = if chunk[i] > high[i] { chunk[i] } else { high[i] };
        }
    }
    (low.into_iter().fold(f64::INFINITY, f64::min), high.into_iter().fold(f64::NEG_INFINITY, f64::max))
}
