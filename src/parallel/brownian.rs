//! Brownian paths as functions of (seed, path, process, time), on grids that refine each other.
//!
//! A path is drawn from the whole to its parts: the increment over a cell of time is split into those over its halves by one
//! normal number, given the sum (Lévy 1948; Karatzas & Shreve 1991, section 2.3). The numbers are counter-based, so the increment
//! over a cell is a function of the cell: the path does not depend on the steps taken before, on lanes or threads, and a step of
//! half the length sees the same path. Cells have the lengths `m 2^e`, with `m` in [1, 2) the mantissa of the step.
//!
//! Going from a cell to the next one costs one split on average; memory is a row for each level.
#![allow(clippy::excessive_precision)] // printed digits are kept; the compiler rounds them correctly

use super::random::philox;
use super::simd::{Level, kernel};

/// Level of the largest cells, in powers of two of the unit of time. Their increments are independent.
const ROOT: i32 = 60;
/// Levels of the cells inside a step down to the last digit of its time.
const DEEPEST: i32 = 64;

/// One number for each lane.
type Row<const L: usize> = [f64; L];
/// One word for each lane.
type Words<const L: usize> = [u32; L];

/// The key of one process on `L` paths.
#[derive(Clone, Copy, Debug)]
struct Key<const L: usize>([Words<L>; 3]);

impl<const L: usize> Key<L> {
    fn new(seed: u64, paths: &[u64; L], process: u32, mantissa: u64) -> Self {
        let mut key = [[0; L]; 3];
        for lane in 0..L {
            let split = |word: u64| [word as u32, (word >> 32) as u32];
            let [low, high] = split(paths[lane]);
            let [a, b, c, d] = philox([low, high, process, 0x6272_6f77], split(seed));
            let [low, high] = split(mantissa);
            let [a, b, c, _] = philox([low, high, c, d], [a, b]);
            (key[0][lane], key[1][lane], key[2][lane]) = (a, b, c);
        }
        Key(key)
    }
}

/// Where on the line of cells of one level a pair of normal numbers belongs.
#[derive(Clone, Copy, Debug)]
struct Place {
    level: i32,
    index: i64,
}

/// What a pair of normal numbers is drawn for: the splits of two neighbouring cells, or the increments of two of the largest.
const SPLIT: u32 = 0;
const WHOLE: u32 = 1 << 16;

/// Brownian paths of some processes on `L` lanes, at one cell of the grid of a step.
#[derive(Clone, Debug)]
pub struct Brownian<const L: usize> {
    keys: Vec<Key<L>>,
    step: f64,
    /// Level of the cells of the grid.
    level: i32,
    /// Levels above these up to the largest cells.
    height: usize,
    index: i64,
    /// Half the root of the length of a cell, by height.
    widths: Vec<f64>,
    /// Increments over the present cell and those that hold it, by height, then by process.
    increments: Vec<Row<L>>,
    /// The normal numbers that split these cells.
    splits: Vec<Row<L>>,
    /// Those of the right neighbours of the left halves.
    spare: Vec<Row<L>>,
    simd: Level,
}

impl<const L: usize> Brownian<L> {
    /// The paths of processes, by their numbers, for the steps of length `step`; `seek` comes first.
    pub fn new(seed: u64, paths: &[u64; L], processes: &[u32], step: f64, simd: Level) -> Self {
        const MANTISSA: u64 = (1 << 52) - 1;
        let level = exponent(step);
        let mantissa = step.to_bits() & MANTISSA;
        let height = (ROOT - level).max(0) as usize;
        let rows = vec![[0.0; L]; (height + 1) * processes.len()];
        Self {
            keys: processes.iter().map(|&process| Key::new(seed, paths, process, mantissa)).collect(),
            step,
            level,
            height,
            index: 0,
            widths: (0..=height).map(|height| 0.5 * (step * 2f64.powi(height as i32)).sqrt()).collect(),
            increments: rows.clone(),
            splits: rows.clone(),
            spare: rows,
            simd,
        }
    }

    /// The increments over the present cell, one row for each process.
    pub fn increments(&self) -> &[Row<L>] {
        &self.increments[..self.keys.len()]
    }

    /// Goes to the cell from `index` to `index + 1` steps.
    pub fn seek(&mut self, index: i64) {
        self.index = index;
        let m = self.keys.len();
        let root = self.place(self.height);
        let scale = 2.0 * self.widths[self.height];
        let (mut left, mut right) = (vec![[0.0; L]; m], vec![[0.0; L]; m]);
        self.draw(root, WHOLE, &mut left, &mut right);
        let top = self.height * m;
        for (process, row) in pick(root, &left, &right).iter().enumerate() {
            self.increments[top + process] = row.map(|z| scale * z);
        }
        self.draw(root, SPLIT, &mut left, &mut right);
        self.splits[top..][..m].copy_from_slice(pick(root, &left, &right));
        for height in (0..self.height).rev() {
            self.descend(height);
        }
    }

    /// Goes to the next cell.
    pub fn advance(&mut self) {
        self.index += 1;
        let turn = self.index.trailing_zeros() as usize;
        // At zero all cells are new ones, up to the largest.
        if self.index == 0 || turn >= self.height {
            return self.seek(self.index);
        }
        self.ascend(turn);
        for height in (0..turn).rev() {
            self.descend(height);
        }
    }

    /// The increments over the part `theta` of the present cell from its beginning, for a cell that ends near the time `t`.
    pub fn part(&self, theta: f64, t: f64, out: &mut [Row<L>]) {
        let m = self.keys.len();
        let depth = (52 + self.level - exponent(t.abs().max(self.step))).clamp(0, DEEPEST);
        let mut rest = theta;
        let mut whole = self.increments()[..m].to_vec();
        let (mut left, mut right) = (vec![[0.0; L]; m], vec![[0.0; L]; m]);
        out.fill([0.0; L]);
        let mut place = self.place(0);
        for deep in 0..depth {
            if rest == 0.0 {
                return;
            }
            self.draw(place, SPLIT, &mut left, &mut right);
            let width = 0.5 * (self.step * 2f64.powi(-deep)).sqrt();
            rest *= 2.0;
            let is_right = rest >= 1.0;
            for ((whole, z), out) in whole.iter_mut().zip(pick(place, &left, &right)).zip(&mut *out) {
                for lane in 0..L {
                    let (first, second) = halves(whole[lane], width, z[lane]);
                    out[lane] += if is_right { first } else { 0.0 };
                    whole[lane] = if is_right { second } else { first };
                }
            }
            rest -= if is_right { 1.0 } else { 0.0 };
            place =
                Place { level: place.level - 1, index: place.index.wrapping_mul(2).wrapping_add(i64::from(is_right)) };
        }
        for (whole, out) in whole.iter().zip(out) {
            (0..L).for_each(|lane| out[lane] += rest * whole[lane]);
        }
    }

    fn place(&self, height: usize) -> Place {
        Place { level: self.level + height as i32, index: self.index >> height.min(63) }
    }

    /// To the left or right half at `height` of the cell above.
    fn descend(&mut self, height: usize) {
        let (m, place) = (self.keys.len(), self.place(height));
        let at = height * m;
        let (mut splits, mut spare) = (std::mem::take(&mut self.splits), std::mem::take(&mut self.spare));
        if height == 0 {
            // The cells of the grid are split for times between its points only.
        } else if place.index % 2 == 0 {
            self.draw(place, SPLIT, &mut splits[at..][..m], &mut spare[at..][..m]);
        } else {
            self.draw(place, SPLIT, &mut spare[at..][..m], &mut splits[at..][..m]);
        }
        (self.splits, self.spare) = (splits, spare);
        self.split(height, place.index % 2 != 0);
    }

    /// From the left half at `height` to the right one.
    fn ascend(&mut self, height: usize) {
        let m = self.keys.len();
        let at = height * m;
        if height > 0 {
            self.splits[at..][..m].copy_from_slice(&self.spare[at..][..m]);
        }
        self.split(height, true);
    }

    fn split(&mut self, height: usize, is_right: bool) {
        let m = self.keys.len();
        let width = self.widths[height + 1];
        for process in 0..m {
            let (at, above) = (height * m + process, (height + 1) * m + process);
            for lane in 0..L {
                let (first, second) = halves(self.increments[above][lane], width, self.splits[above][lane]);
                self.increments[at][lane] = if is_right { second } else { first };
            }
        }
    }

    /// Normal numbers for the cell at `place` and its neighbour, the even one first.
    fn draw(&self, place: Place, purpose: u32, left: &mut [Row<L>], right: &mut [Row<L>]) {
        let pair = (place.index >> 1) as u64;
        let counter = [pair as u32, (pair >> 32) as u32, (place.level + 4096) as u32 | purpose];
        for ((key, left), right) in self.keys.iter().zip(left).zip(right) {
            normals(self.simd, &key.0, counter, left, right);
        }
    }
}

fn pick<'a, T>(place: Place, left: &'a [T], right: &'a [T]) -> &'a [T] {
    if place.index % 2 == 0 { left } else { right }
}

/// The increments over the halves of a cell, from that over the whole.
#[inline(always)]
fn halves(whole: f64, width: f64, z: f64) -> (f64, f64) {
    let (half, shift) = (0.5 * whole, width * z);
    (half + shift, half - shift)
}

/// The exponent e of a positive normal number m 2^e.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

kernel! {
    /// Two independent standard normal numbers for each lane (Box & Muller 1958).
    fn normals<const L: usize>(key: &[Words<L>; 3], counter: [u32; 3], first: &mut Row<L>, second: &mut Row<L>) {
        let mut c = [[counter[0]; L], [counter[1]; L], [counter[2]; L], key[2]];
        let mut k = [key[0], key[1]];
        for round in 0..10 {
            for lane in 0..L {
                // As `random::philox`, on lanes.
                if round > 0 {
                    k[0][lane] = k[0][lane].wrapping_add(0x9E37_79B9);
                    k[1][lane] = k[1][lane].wrapping_add(0xBB67_AE85);
                }
                let p = 0xD251_1F53 * u64::from(c[0][lane]);
                let q = 0xCD9E_8D57 * u64::from(c[2][lane]);
                c[0][lane] = (q >> 32) as u32 ^ c[1][lane] ^ k[0][lane];
                c[1][lane] = q as u32;
                c[2][lane] = (p >> 32) as u32 ^ c[3][lane] ^ k[1][lane];
                c[3][lane] = p as u32;
            }
        }
        for lane in 0..L {
            let unit = |high: u32, low: u32| f64::from_bits(0x3ff0_0000_0000_0000 | (u64::from(high) << 32 | u64::from(low)) >> 12);
            // In [1, 2), so that 2 - u is in (0, 1].
            let radius = (-2.0 * log(2.0 - unit(c[0][lane], c[1][lane]))).sqrt();
            let (sin, cos) = turn(unit(c[2][lane], c[3][lane]) - 1.0);
            first[lane] = radius * cos;
            second[lane] = radius * sin;
        }
    }
}

/// Natural logarithm of x in (0, 1], normal, to an ulp and without branches. After FreeBSD's e_log.c (Sun Microsystems 1993).
#[inline(always)]
fn log(x: f64) -> f64 {
    const LN2: [f64; 2] = [6.931_471_803_691_238_164_90e-01, 1.908_214_929_270_587_700_02e-10];
    const L: [f64; 7] = [
        6.666_666_666_666_735_130e-01,
        3.999_999_999_940_941_908e-01,
        2.857_142_874_366_239_149e-01,
        2.222_219_843_214_978_396e-01,
        1.818_357_216_161_805_012e-01,
        1.531_383_769_920_937_332e-01,
        1.479_819_860_511_658_591e-01,
    ];
    // x = m 2^k with m in [sqrt(1/2), sqrt(2)).
    const SHIFT: u64 = 0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd;
    let bits = x.to_bits().wrapping_add(SHIFT);
    // The exponent as a double, by way of the bits of 2^52 + k.
    let k = f64::from_bits(0x4330_0000_0000_0000 | (bits >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((bits & ((1 << 52) - 1)) + 0x3fe6_a09e_667f_3bcd);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r =
        z * L[6].mul_add(z, L[5]).mul_add(z, L[4]).mul_add(z, L[3]).mul_add(z, L[2]).mul_add(z, L[1]).mul_add(z, L[0]);
    let square = 0.5 * f * f;
    k.mul_add(LN2[0], f - (square - s.mul_add(square + r, k * LN2[1])))
}

/// Sine and cosine of `v` turns, v in [0, 1), without branches. Polynomials after FreeBSD's k_sin.c and k_cos.c (Sun Microsystems 1993).
#[inline(always)]
fn turn(v: f64) -> (f64, f64) {
    const S: [f64; 6] = [
        -1.666_666_666_666_663_243_48e-01,
        8.333_333_333_322_489_461_24e-03,
        -1.984_126_982_985_794_931_34e-04,
        2.755_731_370_707_006_767_89e-06,
        -2.505_076_025_340_686_341_95e-08,
        1.589_690_995_211_550_102_21e-10,
    ];
    const C: [f64; 6] = [
        4.166_666_666_666_660_190_37e-02,
        -1.388_888_888_887_410_957_49e-03,
        2.480_158_728_947_672_941_78e-05,
        -2.755_731_435_139_066_330_35e-07,
        2.087_572_321_298_174_827_90e-09,
        -1.135_964_755_778_819_482_65e-11,
    ];
    // The nearest quarter of a turn, and what is left of the angle: at most an eighth of a turn.
    let quarter = (4.0 * v + 0.5).floor();
    let x = (v - 0.25 * quarter) * std::f64::consts::TAU;
    let z = x * x;
    let sin =
        (x * z).mul_add(S[5].mul_add(z, S[4]).mul_add(z, S[3]).mul_add(z, S[2]).mul_add(z, S[1]).mul_add(z, S[0]), x);
    let cos = (z * z).mul_add(
        C[5].mul_add(z, C[4]).mul_add(z, C[3]).mul_add(z, C[2]).mul_add(z, C[1]).mul_add(z, C[0]),
        0.5f64.mul_add(-z, 1.0),
    );
    let odd = quarter == 1.0 || quarter == 3.0;
    let (a, b) = if odd { (cos, sin) } else { (sin, cos) };
    (if quarter == 2.0 || quarter == 3.0 { -a } else { a }, if quarter == 1.0 || quarter == 2.0 { -b } else { b })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(step: f64, first: i64, n: usize) -> Vec<f64> {
        let mut path = Brownian::<1>::new(3, &[7], &[0], step, Level::detect());
        path.seek(first);
        let mut increments = Vec::new();
        for _ in 0..n {
            increments.push(path.increments()[0][0]);
            path.advance();
        }
        increments
    }

    #[test]
    fn elementary_functions_agree_with_those_of_the_library() {
        for i in 0..100_000 {
            let v = f64::from(i) / 100_000.0;
            let (sin, cos) = turn(v);
            let (s, c) = libm::sincos(std::f64::consts::TAU * v);
            // The angle that the library is given is rounded to half an ulp of 2 pi, 4.4e-16.
            assert!((sin - s).abs() < 7e-16 && (cos - c).abs() < 7e-16, "{v}: {sin} {s} {cos} {c}");
            for x in [1.0 - v, (1.0 - v) * 2f64.powi(-40)] {
                let (own, library) = (log(x), libm::log(x));
                assert!((own - library).abs() <= 2.3e-16 * library.abs(), "{x}: {own} {library}");
            }
        }
    }

    #[test]
    fn halves_add_up_on_every_level() {
        for (step, first) in [(0.3, 0), (0.3, -40), (1e-9, 123_456_789_012), (7e8, 5)] {
            let (coarse, fine) = (path(step, first, 37), path(0.5 * step, 2 * first, 74));
            for (whole, parts) in coarse.iter().zip(fine.chunks(2)) {
                assert!((whole - (parts[0] + parts[1])).abs() < 4e-16 * step.sqrt(), "{whole} {parts:?}");
            }
        }
    }

    #[test]
    fn an_increment_does_not_depend_on_where_the_path_was_entered() {
        for step in [0.1, 1e-4, 1e-12, 1e9] {
            let all = path(step, -20, 60);
            for first in 0..50 {
                assert_eq!(path(step, first as i64 - 20, 3), all[first..first + 3]);
            }
        }
    }

    #[test]
    fn lanes_are_paths_alone() {
        let mut wide = Brownian::<8>::new(1, &[0, 1, 2, 3, 4, 5, 6, 7], &[0, 4], 0.01, Level::detect());
        wide.seek(100);
        (0..50).for_each(|_| wide.advance());
        for lane in 0..8 {
            let mut alone = Brownian::<1>::new(1, &[lane as u64], &[4], 0.01, Level::present()[0]);
            alone.seek(150);
            assert_eq!(alone.increments()[0][0], wide.increments()[1][lane]);
            let (mut part, mut parts) = ([[0.0; 1]; 1], [[0.0; 8]; 2]);
            alone.part(0.3, 1.5, &mut part);
            wide.part(0.3, 1.5, &mut parts);
            assert_eq!(part[0][0], parts[1][lane]);
        }
    }

    /// Between the points of a grid the path is that of every finer one.
    #[test]
    fn parts_of_a_cell_agree_with_finer_cells() {
        let mut path = Brownian::<1>::new(9, &[1], &[0], 0.25, Level::detect());
        path.seek(3);
        let mut fine = Brownian::<1>::new(9, &[1], &[0], 0.25 / 16.0, Level::detect());
        fine.seek(48);
        let mut sum = 0.0;
        for k in 0..16 {
            let mut part = [[0.0]];
            path.part(f64::from(k) / 16.0, 1.0, &mut part);
            assert!((part[0][0] - sum).abs() < 1e-15, "{k}: {} {sum}", part[0][0]);
            let (mut inside, mut deep) = ([[0.0]], [[0.0]]);
            fine.part(0.7, 1.0, &mut deep);
            path.part((f64::from(k) + 0.7) / 16.0, 1.0, &mut inside);
            assert!((inside[0][0] - (sum + deep[0][0])).abs() < 1e-8, "{k}: {} {}", inside[0][0], sum + deep[0][0]);
            sum += fine.increments()[0][0];
            fine.advance();
        }
    }

    #[test]
    fn increments_are_independent_and_normal() {
        let n = 1 << 17;
        let z: Vec<f64> = path(0.25, -1000, n).iter().map(|w| 2.0 * w).collect();
        let mean = |power: i32| z.iter().map(|z| z.powi(power)).sum::<f64>() / n as f64;
        let five = 5.0 / (n as f64).sqrt();
        // Standard errors of the moments 1 to 4 of a normal number: the roots of 1, 2, 15, 96, over that of n.
        assert!(mean(1).abs() < five);
        assert!((mean(2) - 1.0).abs() < five * 2f64.sqrt());
        assert!(mean(3).abs() < five * 15f64.sqrt());
        assert!((mean(4) - 3.0).abs() < five * 96f64.sqrt());
        for lag in [1, 2, 3, 4, 8, 1024] {
            let product = z.iter().zip(&z[lag..]).map(|(a, b)| a * b).sum::<f64>() / n as f64;
            assert!(product.abs() < five, "{lag}: {product}");
        }
    }
}
