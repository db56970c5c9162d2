//! Metrics: what the compiled part promises beyond what Python can see.

use bestiary::metrics::fourier::Fourier;
use bestiary::metrics::rank::{kendall, order, ranks};
use bestiary::metrics::state_space::{Bins, Convention, state_space_divergence};
use bestiary::metrics::{Series, is_finite, neighbours};
use bestiary::parallel::pool::{Monitor, pool};
use bestiary::parallel::random::normal_pair;
use proptest::prelude::*;

fn noise(n: usize, path: u64) -> Vec<f64> {
    (0..n).map(|i| normal_pair(5, path, i as u64)[0]).collect()
}

/// The transform of every length against its definition; a transform of n numbers loses about log n digits of its size.
#[test]
fn fourier_is_its_definition() {
    for n in (1..40).chain([64, 97, 128, 243, 300]) {
        let x = noise(n, n as u64);
        let size: f64 = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (k, z) in Fourier::new(n).real(&x).iter().enumerate() {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (j, x) in x.iter().enumerate() {
                let (sin, cos) = libm::sincos(-std::f64::consts::TAU * ((j * k) % n) as f64 / n as f64);
                real += x * cos;
                imaginary += x * sin;
            }
            assert!((z[0] - real).abs() + (z[1] - imaginary).abs() < 1e-13 * (1.0 + size), "n = {n}, k = {k}");
        }
    }
}

proptest! {
    #[test]
    fn order_sorts_and_keeps_equal_numbers_in_place(values in prop::collection::vec(prop_oneof![
        Just(0.0), Just(-0.0), Just(1.0), Just(f64::from_bits(1.0f64.to_bits() + 1)), -1e9..1e9f64], 1..300)) {
        let order = order(&values);
        for pair in order.windows(2) {
            let (a, b) = (values[pair[0] as usize], values[pair[1] as usize]);
            prop_assert!(a < b || a == b && pair[0] < pair[1]);
        }
        let sum: f64 = ranks(&values, &order).iter().sum();
        prop_assert_eq!(sum, (values.len() * (values.len() + 1)) as f64 / 2.0);
    }

    #[test]
    fn kendall_counts_pairs(values in prop::collection::vec((0..9i32, 0..9i32), 2..120)) {
        let (x, y): (Vec<f64>, Vec<f64>) = values.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
        let (mut balance, mut in_x, mut in_y) = (0, 0u32, 0u32);
        for i in 0..x.len() {
            for j in 0..i {
                let signs = ((x[i] - x[j]), (y[i] - y[j]));
                balance += if signs.0 * signs.1 > 0.0 { 1 } else if signs.0 * signs.1 < 0.0 { -1 } else { 0 };
                in_x += u32::from(signs.0 != 0.0);
                in_y += u32::from(signs.1 != 0.0);
            }
        }
        let tau = kendall(&x, &y, &order(&x), &order(&y));
        let expected = f64::from(balance) / f64::from(in_x).sqrt() / f64::from(in_y).sqrt();
        prop_assert!(tau.is_nan() && (in_x == 0 || in_y == 0) || (tau - expected).abs() < 1e-14);
    }

    #[test]
    fn finite_means_neither_nan_nor_infinite(n in 0..70usize, at in 0..70usize, bad in prop_oneof![
        Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MAX), Just(0.0)]) {
        let mut values = vec![-f64::MAX; n];
        if at < n {
            values[at] = bad;
        }
        prop_assert_eq!(is_finite(&values), values.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn the_tree_finds_the_nearest(n in 1..200usize, k in 1..6usize, d in 1..4usize, grid in any::<bool>()) {
        let snap = |x: f64| if grid { x.round() } else { x };
        let points: Vec<f64> = noise(n * d, 3).into_iter().map(snap).collect();
        for norm in [neighbours::Norm::Euclidean, neighbours::Norm::Maximum] {
            let tree = neighbours::Tree::new(&points, d, norm);
            for (i, point) in points.chunks(d).enumerate() {
                let mut all: Vec<f64> = points.chunks(d).enumerate().filter(|&(j, _)| j != i)
                    .map(|(_, other)| neighbours::separation(point, other, norm)).collect();
                all.sort_by(f64::total_cmp);
                let expected = all.get(k - 1).copied().unwrap_or(f64::INFINITY);
                let expected = if norm == neighbours::Norm::Euclidean { expected.sqrt() } else { expected };
                prop_assert_eq!(tree.distance(point, k, Some(i)), expected);
            }
        }
    }
}

/// Sums over many pieces, in pools of any size.
#[test]
fn bits_do_not_depend_on_threads() {
    let (x, y) = (noise(300_000, 1), noise(240_000, 2));
    for d in [3, 6] {
        let bins = Bins { n: 30, smoothing: 1e-5, convention: Convention::Hess2023 };
        let values: Vec<u64> = [1, 2, 5]
            .map(|threads| {
                let run = || state_space_divergence(Series::new(&x, d), Series::new(&y, d), bins, &Monitor::default());
                pool(Some(threads)).unwrap().install(run).unwrap().to_bits()
            })
            .to_vec();
        assert!(values.iter().all(|&value| value == values[0]));
    }
}

#[test]
fn a_stop_is_heard() {
    let monitor = Monitor::default();
    monitor.request_stop();
    let x = noise(300, 1);
    let bins = Bins { n: 30, smoothing: 1e-5, convention: Convention::Hess2023 };
    assert!(state_space_divergence(Series::new(&x, 3), Series::new(&x, 3), bins, &monitor).is_err());
}
