//! Compositions: their order conditions; separations; lanes.

use bestiary::solve::symplectic::{Composition, SYMPLECTIC4, SYMPLECTIC8};
use bestiary::system::{Definition, Kind, System};

fn lengths(composition: &Composition) -> Vec<f64> {
    (0..composition.stages()).map(|i| composition.length(i)).collect()
}

/// Compositions of a symmetric method of order 2 have order 4 if the cubes vanish too, and order 8 needs the fifth and seventh
/// powers as well and more (Hairer, Lubich & Wanner 2006, V.3.2); these are the conditions on the lengths alone.
#[test]
fn order_conditions() {
    for (composition, powers) in [(&SYMPLECTIC4, &[3][..]), (&SYMPLECTIC8, &[3, 5, 7][..])] {
        let lengths = lengths(composition);
        // Up to a rounding error for each length and each sum.
        assert!((lengths.iter().sum::<f64>() - 1.0).abs() < 5e-16, "{}", composition.name);
        for &power in powers {
            assert!(lengths.iter().map(|length| length.powi(power)).sum::<f64>().abs() < 5e-16, "{}", composition.name);
        }
        let mut reversed = lengths.clone();
        reversed.reverse();
        assert_eq!(lengths, reversed, "the step is symmetric");
    }
    // Suzuki's lengths in closed form.
    let outer = 1.0 / (4.0 - 4.0_f64.cbrt());
    assert!((SYMPLECTIC4.length(0) - outer).abs() < 1e-16);
    assert!((SYMPLECTIC4.length(2) - (1.0 - 4.0 * outer)).abs() < 1e-15);
}

fn flow(text: &str, states: &[&str]) -> System {
    System::build(&Definition {
        interpretation: Default::default(),
        kind: Kind::Flow,
        text: text.into(),
        parameters: Vec::new(),
        structure: Vec::new(),
        states: states.iter().map(|name| ((*name).to_owned(), None)).collect(),
        observables: Vec::new(),
        periods: Vec::new(),
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn positions_find_their_momenta() {
    let crossed = flow("a' = d\nc' = b\nb' = -c\nd' = -a^3", &["a", "c", "b", "d"]);
    let separation = crossed.separation().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((&separation.positions[..], &separation.momenta[..]), (&[0, 1][..], &[3, 2][..]));
    // Time moves p, so p is the momentum although it comes first.
    let driven = flow("p' = -q + cos(t)\nq' = p", &["p", "q"]);
    let separation = driven.separation().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((&separation.positions[..], &separation.momenta[..]), (&[1][..], &[0][..]));
}

#[test]
fn what_does_not_separate_says_why() {
    for (text, states, reason) in [
        ("x' = y\ny' = -x - y", &["x", "y"][..], "y' depends on y itself"),
        ("x' = y\ny' = z\nz' = x", &["x", "y", "z"], "depend on one another"),
        ("x' = u\ny' = v\nu' = -y\nv' = x", &["x", "y", "u", "v"], "gradients"),
    ] {
        let error = flow(text, states).separation().expect_err("does not separate").to_string();
        assert!(error.contains(reason), "{error}");
    }
}
