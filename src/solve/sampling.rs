//! Samples in the accepted steps: the polynomials of a step evaluated at the sample times that lie in it.
//!
//! A step has few variables and many samples, or many lanes and few samples each: the vector units are filled with the samples of
//! a single trajectory, or with the lanes of many. Which of the two does not change a bit.

use super::march::{Clocks, March, Seat, Times, wrap};
use super::stepper::{Lanes, Piece, Pieces, Row, Stepper};
use crate::parallel::simd::kernel;

/// Points at which a polynomial is evaluated at once.
const BLOCK: usize = 8;

/// The accepted step of one lane as polynomials, wherever their coefficients stand.
struct Series<'a> {
    coefficients: &'a [f64],
    stride: usize,
    degree: usize,
    unit: f64,
}

/// Memory for sampling.
pub(super) struct Sampler<const L: usize> {
    pub(super) piece: Piece,
    values: Vec<Row<L>>,
}

impl<const L: usize> Sampler<L> {
    /// For `d` variables.
    pub(super) fn new(d: usize) -> Self {
        Self { piece: Piece::default(), values: vec![[0.0; L]; d] }
    }
}

kernel! {
    /// Writes the samples of a block that lie in the step, point after point, and tells how many they are. The first is sample
    /// `first`, and offsets count from `t` + `low`. Variables are taken in groups, so that no sum waits for its last term.
    fn sample(
        times: &Times<'_>, first: usize, t: f64, low: f64, limit: f64, series: &Series<'_>, d: usize, out: &mut [f64]
    ) -> usize {
        let mut point = times.block::<BLOCK>(first);
        let mut inside = 0;
        for tau in &mut point {
            *tau = (*tau - t) - low;
            inside += usize::from(*tau <= limit);
            *tau = (if *tau > 0.0 { *tau } else { 0.0 }) / series.unit;
        }
        let count = inside.min(times.len() - first);
        let out = &mut out[..count * d];
        for group in (0..d).step_by(3) {
            match d - group {
                1 => horner::<1>(series, group, d, &point, out),
                2 => horner::<2>(series, group, d, &point, out),
                _ => horner::<3>(series, group, d, &point, out),
            }
        }
        count
    }

    /// Values of every variable at offset `tau` in every lane.
    fn values<const L: usize>(pieces: &Pieces<'_, L>, tau: &Row<L>, out: &mut [Row<L>]) {
        let mut theta = [0.0; L];
        for l in 0..L {
            theta[l] = tau[l] / pieces.unit[l];
        }
        for (i, out) in out.iter_mut().enumerate() {
            let rows = &pieces.rows[i * pieces.stride..][..pieces.degree + 1];
            let mut value: Row<L> = rows[pieces.degree];
            for c in rows[..pieces.degree].iter().rev() {
                for l in 0..L {
                    value[l] = value[l].mul_add(theta[l], c[l]);
                }
            }
            *out = value;
        }
    }
}

/// Horner's rule for the `N` variables from `first` on, of `d`, at all points of a block.
#[inline(always)]
fn horner<const N: usize>(series: &Series<'_>, first: usize, d: usize, point: &[f64; BLOCK], out: &mut [f64]) {
    let of: [&[f64]; N] =
        std::array::from_fn(|n| &series.coefficients[(first + n) * series.stride..][..series.degree + 1]);
    let mut sums = of.map(|of| [of[series.degree]; BLOCK]);
    for k in (0..series.degree).rev() {
        for n in 0..N {
            for m in 0..BLOCK {
                sums[n][m] = sums[n][m].mul_add(point[m], of[n][k]);
            }
        }
    }
    for (m, out) in out.chunks_exact_mut(d).take(BLOCK).enumerate() {
        for (out, sum) in out[first..].iter_mut().zip(&sums) {
            *out = sum[m];
        }
    }
}

impl March<'_> {
    /// Writes the samples that lie in the accepted steps of the `wanted` lanes.
    pub(super) fn sample_steps<const L: usize, S: Stepper<L>>(
        &self,
        stepper: &S,
        seats: &mut [Option<Seat<'_, '_>>; L],
        lanes: &Lanes<L>,
        clocks: &mut Clocks<L>,
        wanted: &[bool; L],
        sampler: &mut Sampler<L>,
    ) {
        match stepper.pieces(lanes) {
            Some(pieces) if L > 1 => self.sample_lanes(&pieces, seats, lanes, clocks, wanted, &mut sampler.values),
            Some(Pieces { rows, stride, degree, unit }) => {
                let Some(seat) = seats[0].as_mut().filter(|_| wanted[0]) else { return };
                let series = Series { coefficients: rows.as_flattened(), stride, degree, unit: unit[0] };
                self.sample_lane(seat, lanes, clocks, 0, &series);
            }
            None => {
                for lane in (0..L).filter(|&lane| wanted[lane]) {
                    let Some(seat) = &mut seats[lane] else { continue };
                    stepper.piece(lanes, lane, &mut sampler.piece);
                    let Piece { degree, unit, ref coefficients } = sampler.piece;
                    let series = Series { coefficients, stride: degree + 1, degree, unit };
                    self.sample_lane(seat, lanes, clocks, lane, &series);
                }
            }
        }
    }

    /// The same for all lanes at once, each at its next sample, then each at the one after it.
    fn sample_lanes<const L: usize>(
        &self,
        pieces: &Pieces<'_, L>,
        seats: &mut [Option<Seat<'_, '_>>; L],
        lanes: &Lanes<L>,
        clocks: &mut Clocks<L>,
        wanted: &[bool; L],
        out: &mut [Row<L>],
    ) {
        let mut wanted = *wanted;
        while wanted != [false; L] {
            let tau = std::array::from_fn(|l| if wanted[l] { clocks.offset(lanes, l).max(0.0) } else { 0.0 });
            values(self.level, pieces, &tau, out);
            for lane in 0..L {
                let Some(seat) = seats[lane].as_mut().filter(|_| wanted[lane]) else { continue };
                let d = out.len();
                let sample = &mut seat.job.samples[seat.next_sample * d..][..d];
                for (i, value) in out.iter().enumerate() {
                    let period = seat.periods[i];
                    sample[i] = if period.is_nan() { value[lane] } else { wrap(value[lane], period) };
                }
                seat.next_sample += 1;
                wanted[lane] = seat.next_sample < self.times.len() && {
                    clocks.next[lane] = self.times.at(seat.next_sample);
                    clocks.offset(lanes, lane) <= clocks.limit[lane]
                };
            }
        }
    }

    /// The same for one lane, a block of samples at a time.
    fn sample_lane<const L: usize>(
        &self,
        seat: &mut Seat<'_, '_>,
        lanes: &Lanes<L>,
        clocks: &mut Clocks<L>,
        lane: usize,
        series: &Series<'_>,
    ) {
        let d = seat.job.initial.len();
        let (t, low, limit) = (lanes.t[lane], clocks.low[lane], clocks.limit[lane]);
        let first = seat.next_sample;
        loop {
            let out = &mut seat.job.samples[seat.next_sample * d..];
            let count = sample(self.level, &self.times, seat.next_sample, t, low, limit, series, d, out);
            seat.next_sample += count;
            if count < BLOCK || seat.next_sample == self.times.len() {
                break;
            }
        }
        if seat.next_sample < self.times.len() {
            clocks.next[lane] = self.times.at(seat.next_sample);
        }
        let out = &mut seat.job.samples[first * d..seat.next_sample * d];
        for (i, &period) in seat.periods.iter().enumerate().filter(|(_, period)| !period.is_nan()) {
            out[i..].iter_mut().step_by(d).for_each(|x| *x = wrap(*x, period));
        }
    }
}
