//! Neighbours are the nearest, equal ones in their order; libraries and reservoirs refuse what does not fit.

use bestiary::forecast::analog::{Combine, Library, Weights};
use bestiary::forecast::neighbours::{Tree, squared_distance};
use bestiary::forecast::reservoir::Reservoir;
use bestiary::parallel::pool::Monitor;
use bestiary::parallel::random::uniform_pair;
use proptest::prelude::*;

proptest! {
    #[test]
    fn nearest_by_tree_is_nearest_by_comparing_all(seed in 0u64..1000, n in 1usize..200, d in 1usize..6, k in 1usize..20) {
        // On a coarse lattice, so that there are many equal distances.
        let value = |i: usize| (uniform_pair(seed, 0, i as u64)[0] * 4.0).floor();
        let points: Vec<f64> = (0..n * d).map(value).collect();
        let query: Vec<f64> = (0..d).map(|i| value(n * d + i)).collect();
        let tree = Tree::new(points.clone(), d).unwrap();
        let mut found = Vec::new();
        tree.nearest(&query, k, &mut found);
        let mut all: Vec<usize> = (0..n).collect();
        let distance = |&i: &usize| squared_distance(&points[i * d..][..d], &query);
        all.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
        all.truncate(k);
        prop_assert_eq!(found.iter().map(|near| near.index).collect::<Vec<_>>(), all);
    }
}

#[test]
fn a_linear_fit_continues_a_line() {
    let keys: Vec<f64> = (0..50).map(f64::from).collect();
    let library = Library::new(keys, 1, vec![1.0; 50], 1).unwrap();
    let path =
        library.iterate(&[49.0], 1, 20, Weights::Simplex(5), Combine::Linear(1e-12), &Monitor::default()).unwrap();
    assert!(path.iter().zip(50..).all(|(x, i)| (x - f64::from(i)).abs() < 1e-9));
}

#[test]
fn all_neighbours_at_one_place_give_their_mean() {
    let library = Library::new(vec![2.0; 8], 1, (0..8).map(f64::from).collect(), 1).unwrap();
    for combine in [Combine::Mean, Combine::Linear(0.0)] {
        let path = library.iterate(&[1.0], 1, 1, Weights::Nearest(8), combine, &Monitor::default()).unwrap();
        assert_eq!(path, [4.5]);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    assert!(Tree::new(vec![], 1).is_err());
    assert!(Tree::new(vec![f64::NAN], 1).is_err());
    assert!(Library::new(vec![0.0; 4], 2, vec![0.0; 3], 1).is_err());
    let library = Library::new(vec![0.0; 4], 2, vec![0.0; 2], 1).unwrap();
    let step = |window: &[f64]| library.iterate(window, 1, 1, Weights::Nearest(1), Combine::Mean, &Monitor::default());
    assert!(step(&[0.0; 3]).is_err());
    assert!(step(&[0.0; 2]).is_ok());
    assert!(Reservoir::new(vec![0, 1], vec![1], vec![1.0], vec![1.0], vec![0.0], 1.0).is_err());
    let reservoir = Reservoir::new(vec![0, 1], vec![0], vec![1.0], vec![1.0], vec![0.0], 1.0).unwrap();
    assert!(reservoir.drive(&[0.0; 2], &[1.0], &Monitor::default()).is_err());
    assert!(reservoir.run(&[0.0], &[1.0], &[0.0; 2], 3, &Monitor::default()).is_err());
}
