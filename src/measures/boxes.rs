//! Boxes of a grid that hold points: how many, and moments of their shares, at sides that halve again and again.

use crate::error::{Error, Result};
use rayon::prelude::*;

/// For sides of 1, 1/2, 1/4, ... of the extent: sum of share^q over boxes (of share ln share for q = 1), of all points
/// first and then without each of the stretches of time, (levels, 1 + blocks).
///
/// The boxes are cubes, of the same side along every coordinate.
///
/// # Errors
/// If a box cannot be numbered in 128 bits.
pub fn moments(points: &[f64], d: usize, q: f64, levels: usize, blocks: usize) -> Result<Vec<f64>> {
    if d == 0 || levels == 0 || d * levels > 128 || levels > 52 {
        return Err(Error::value(format!("{levels} halvings of {d} sides are too many: at most {}", 128 / d.max(1))));
    }
    let n = points.len() / d;
    let low: Vec<f64> =
        (0..d).map(|k| points.iter().skip(k).step_by(d).copied().fold(f64::INFINITY, f64::min)).collect();
    let extent = points.iter().enumerate().map(|(i, x)| x - low[i % d]).fold(0.0, f64::max);
    let finest = (levels - 1) as i32;
    let cells = libm::ldexp(1.0, finest);
    // Numbers of boxes with the bits of the coordinates in turn: at a coarser level, a box has fewer of these bits.
    let mut placed: Vec<(u128, usize)> = points
        .chunks_exact(d)
        .enumerate()
        .map(|(i, point)| {
            let cell: Vec<u64> =
                point.iter().zip(&low).map(|(x, low)| ((x - low) / extent * cells).min(cells - 1.0) as u64).collect();
            let code = (0..finest)
                .rev()
                .fold(0u128, |code, bit| cell.iter().fold(code, |code, cell| code << 1 | u128::from(cell >> bit & 1)));
            (code, i * blocks / n)
        })
        .collect();
    placed.par_sort_unstable();
    let mut sizes = vec![0usize; blocks];
    placed.iter().for_each(|&(_, block)| sizes[block] += 1);
    let mut result = vec![0.0; levels * (1 + blocks)];
    for (level, row) in result.chunks_exact_mut(1 + blocks).enumerate() {
        let shift = (finest as usize - level) * d;
        let number = |code: u128| if shift >= 128 { 0 } else { code >> shift };
        let mut start = 0;
        while start < n {
            let own = number(placed[start].0);
            let mut inside = vec![0usize; blocks];
            let mut end = start;
            while end < n && number(placed[end].0) == own {
                inside[placed[end].1] += 1;
                end += 1;
            }
            row[0] += share(end - start, n, q);
            for block in 0..blocks {
                row[1 + block] += share(end - start - inside[block], n - sizes[block], q);
            }
            start = end;
        }
    }
    Ok(result)
}

fn share(count: usize, n: usize, q: f64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let p = count as f64 / n as f64;
    if q == 0.0 {
        1.0
    } else if q == 1.0 {
        p * libm::log(p)
    } else if q == 2.0 {
        p * p
    } else {
        libm::pow(p, q)
    }
}
