//! What a delay equation remembers: the solution so far as polynomials, as far back as its longest delay.
//!
//! Time is counted from the start in two numbers, so that delayed values stay exact however long the run. A polynomial is
//! trusted beyond the stretch that it covers, as far as its terms allow and no kink lies between: the Taylor series of a
//! step holds on both sides of its centre. So steps need not end where earlier ones did, one delay before.

use super::step_size::LARGEST_STEP;
use super::stepper::{Piece, Tolerance};
use std::collections::{BTreeMap, VecDeque};

/// Times that differ by this many units in the last place are one kink.
const SAME: f64 = 16.0 * f64::EPSILON;
/// A delayed time is exact to this many units in the last place of the longest time involved.
const SLACK: f64 = 64.0 * f64::EPSILON;
/// Most kinks that the delays may give rise to; error control deals with further ones, at the price of steps.
const MOST_KINKS: u64 = 4096;

/// Time since the start as an unevaluated sum of two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clock {
    high: f64,
    low: f64,
}

impl Clock {
    /// The sum of two numbers.
    pub fn new(a: f64, b: f64) -> Self {
        let sum = a + b;
        let part = sum - a;
        // What the rounding lost (Knuth).
        Self { high: sum, low: (a - (sum - part)) + (b - part) }
    }

    /// A `step` later.
    pub fn advance(self, step: f64) -> Self {
        let next = Self::new(self.high, step);
        Self::new(next.high, next.low + self.low)
    }

    /// The time from `earlier` to this one.
    #[inline]
    pub fn since(self, earlier: Clock) -> f64 {
        (self.high - earlier.high) + (self.low - earlier.low)
    }

    /// As one number.
    pub fn value(self) -> f64 {
        self.high + self.low
    }

    /// As two numbers.
    pub fn parts(self) -> [f64; 2] {
        [self.high, self.low]
    }
}

/// A polynomial and where it holds. Offsets count from `centre`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Where its argument is zero.
    pub centre: Clock,
    /// The offsets it covers: no other one is asked there.
    pub covers: [f64; 2],
    /// The offsets between which it may be trusted, a wider interval.
    pub holds: [f64; 2],
    /// The polynomial of every variable.
    pub piece: Piece,
}

/// The stretches up to now, each beginning where the one before ends.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Oldest first.
    pub stretches: VecDeque<Stretch>,
    /// Kinks among them: time, and how many delays it is from a jump of the first derivative.
    pub kinks: Vec<(f64, u32)>,
}

/// A polynomial from which a step may read a delayed term.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Which stretch.
    pub stretch: usize,
    /// The delayed time, as an offset from its centre.
    pub offset: f64,
    /// How far from there on it holds.
    pub ahead: f64,
}

impl Past {
    /// A state that has always been the same.
    pub fn constant(state: &[f64]) -> Self {
        let piece = Piece { degree: 0, unit: 1.0, coefficients: state.to_vec() };
        let (forever, now) = (-LARGEST_STEP, 0.0);
        let centre = Clock::default();
        Self {
            stretches: [Stretch { centre, covers: [forever, now], holds: [forever, now], piece }].into(),
            kinks: vec![],
        }
    }

    /// The stretch that covers the time `offset` after `base`, and the offset from its centre; `side` is +1 (-1) where the
    /// time may lie on a seam and the stretch after (before) it is meant, else 0.
    fn covering(&self, base: Clock, offset: f64, side: f64) -> (usize, f64) {
        let longest = base.value().abs().max(offset.abs());
        let nudged = (side * SLACK).mul_add(longest, offset);
        let begins = |stretch: &Stretch| base.since(stretch.centre) + nudged >= stretch.covers[0];
        let k = self.stretches.partition_point(begins).saturating_sub(1);
        (k, base.since(self.stretches[k].centre) + offset)
    }

    /// Variable `i` at `offset` after `base`, with `side` as in `covering`.
    pub fn value(&self, i: usize, base: Clock, offset: f64, side: f64) -> f64 {
        let (k, at) = self.covering(base, offset, side);
        let Stretch { covers: [first, last], piece, .. } = &self.stretches[k];
        piece.eval(i, at.clamp(*first, *last))
    }

    /// From where to read variables `which` from `offset` after `now` on, for a step of `wanted` or as long as may be.
    ///
    /// The stretch that covers the time, or a later one that holds there as well and agrees with it to the tolerance.
    pub fn choose(&self, which: &[usize], now: Clock, offset: f64, wanted: f64, tolerance: &Tolerance) -> Choice {
        let (k, at) = self.covering(now, offset, 1.0);
        let here = &self.stretches[k];
        let own = Choice { stretch: k, offset: at, ahead: here.holds[1] - at };
        let mut best = own;
        for (k, stretch) in self.stretches.iter().enumerate().skip(k + 1) {
            let offset = now.since(stretch.centre) + offset;
            if best.ahead >= wanted || offset < stretch.holds[0] {
                break;
            }
            if stretch.holds[1] - offset > best.ahead {
                best = Choice { stretch: k, offset, ahead: stretch.holds[1] - offset };
            }
        }
        let other = &self.stretches[best.stretch];
        let agrees = which.iter().all(|&i| {
            let (a, b) = (here.piece.eval(i, own.offset), other.piece.eval(i, best.offset));
            (a - b).abs() <= 2.0 * (tolerance.relative * a.abs() + tolerance.absolute[i])
        });
        if best.stretch == own.stretch || agrees { best } else { own }
    }

    /// Forget what ended before `oldest` (relative to `now`); a forgotten piece is handed back for its memory.
    pub fn forget(&mut self, now: Clock, oldest: f64) -> Option<Piece> {
        let Stretch { centre, covers, .. } = self.stretches.front()?;
        (now.since(*centre) - covers[1] > oldest).then(|| self.stretches.pop_front().map(|stretch| stretch.piece))?
    }

    /// What a run that begins at `start` on the same clock remembers, on a clock that is zero there.
    pub fn before(mut self, start: Clock) -> Self {
        let offset = |centre: Clock| start.since(centre);
        self.stretches.retain(|stretch| stretch.covers[0] < offset(stretch.centre));
        if let Some(last) = self.stretches.back_mut() {
            let end = offset(last.centre);
            last.covers[1] = last.covers[1].min(end);
            last.holds[1] = last.holds[1].min(end);
        }
        for stretch in &mut self.stretches {
            let [high, low] = start.parts();
            stretch.centre = stretch.centre.advance(-high).advance(-low);
        }
        self.kinks.retain(|(time, _)| *time < start.value());
        self.kinks.iter_mut().for_each(|(time, _)| *time -= start.value());
        self
    }

    /// From when to when it reaches.
    pub fn span(&self) -> Option<[f64; 2]> {
        let (first, last) = (self.stretches.front()?, self.stretches.back()?);
        Some([first.centre.value() + first.covers[0], last.centre.value() + last.covers[1]])
    }
}

/// The times at which a solution is not smooth, in order: sums of delays counted from the start and from earlier kinks.
///
/// Each delay makes a kink one order smoother; they are followed as far as a method of some order sees them.
#[derive(Clone, Debug)]
pub struct Kinks {
    delays: Vec<f64>,
    levels: u32,
    /// By the bits of the time, which is positive.
    pending: BTreeMap<u64, u32>,
}

impl Kinks {
    /// For `delays` and a method of order `order`; `earlier` are kinks before the start.
    pub fn new(delays: &[f64], order: usize, earlier: &[(f64, u32)]) -> Self {
        // Sums of up to n of j delays: as many as there are ways to choose j from n + j.
        let j = delays.len() as u64;
        let sums = |n: u64| (1..=j).fold(1, |ways: u64, i| ways.saturating_mul(n + i) / i);
        let levels = (1..=order as u64 + 1).take_while(|&n| sums(n) <= MOST_KINKS).last().unwrap_or(1) as u32;
        let mut kinks = Self { delays: delays.to_vec(), levels, pending: BTreeMap::new() };
        kinks.follow(0.0, 0);
        earlier.iter().for_each(|&(time, level)| kinks.follow(time, level));
        kinks
    }

    /// The time of the next kink.
    pub fn ahead(&self) -> f64 {
        self.pending.first_key_value().map_or(f64::INFINITY, |(&bits, _)| f64::from_bits(bits))
    }

    /// Goes past the next kink, and returns it.
    pub fn pass(&mut self) -> (f64, u32) {
        let (bits, level) = self.pending.pop_first().unwrap_or((f64::INFINITY.to_bits(), self.levels));
        let time = f64::from_bits(bits);
        self.follow(time, level);
        (time, level)
    }

    fn follow(&mut self, time: f64, level: u32) {
        if level >= self.levels {
            return;
        }
        for later in self.delays.iter().map(|delay| time + delay).filter(|&later| later > 0.0) {
            let near = SAME * later;
            let known = self.pending.range_mut((later - near).max(0.0).to_bits()..=(later + near).to_bits()).next();
            match known {
                Some((_, known)) => *known = (*known).min(level + 1),
                None => {
                    self.pending.insert(later.to_bits(), level + 1);
                }
            }
        }
    }
}
