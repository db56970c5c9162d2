//! Order: ranks, and how far two orders agree. Both in n log n at most.

use super::point::range;
use std::cmp::Ordering;

/// The places of the finite numbers in increasing order; equal numbers by place.
///
/// Numbers are dealt to as many bins of equal width as there are numbers, and the few in each bin are sorted.
pub fn order(values: &[f64]) -> Vec<u32> {
    let n = values.len();
    let (low, high) = range(values);
    let scale = n as f64 / (high - low);
    // Rounding keeps the order; what cannot be told apart (0/0, overflow) falls into the first bin.
    let bins: Vec<u32> = values.iter().map(|x| (((x - low) * scale) as u32).min(n as u32 - 1)).collect();
    let mut ends = vec![0u32; n];
    for &bin in &bins {
        ends[bin as usize] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        (*end, total) = (total, total + *end);
    }
    let mut order = vec![0u32; n];
    for (i, &bin) in bins.iter().enumerate() {
        let end = &mut ends[bin as usize];
        order[*end as usize] = i as u32;
        *end += 1;
    }
    let mut start = 0;
    for &end in &ends {
        let bin = &mut order[start..end as usize];
        start = end as usize;
        if bin.len() > 24 {
            bin.sort_by(|&i, &j| values[i as usize].partial_cmp(&values[j as usize]).unwrap_or(Ordering::Equal));
            continue;
        }
        for i in 1..bin.len() {
            let place = bin[i];
            let mut j = i;
            while j > 0 && values[bin[j - 1] as usize] > values[place as usize] {
                bin[j] = bin[j - 1];
                j -= 1;
            }
            bin[j] = place;
        }
    }
    order
}

/// The ranks 1, 2, …; equal numbers share the mean of theirs.
pub fn ranks(values: &[f64], order: &[u32]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    for_ties(values, order, |start, end| {
        let rank = (start + end + 1) as f64 / 2.0;
        for &i in &order[start..end] {
            ranks[i as usize] = rank;
        }
    });
    ranks
}

/// Kendall's tau-b (Kendall 1945, Biometrika 33, 239-251) by Knight's method (1966, J. Am. Stat. Assoc. 61, 436-439).
/// NaN if either is constant.
pub fn kendall(x: &[f64], y: &[f64], by_x: &[u32], by_y: &[u32]) -> f64 {
    let n = x.len();
    // Dense ranks of y, the same for equal numbers.
    let (mut dense, mut distinct, mut ties_y) = (vec![0u32; n], 0, 0);
    for_ties(y, by_y, |start, end| {
        for &i in &by_y[start..end] {
            dense[i as usize] = distinct;
        }
        distinct += 1;
        ties_y += pairs(end - start);
    });
    let mut sequence: Vec<u32> = by_x.iter().map(|&i| dense[i as usize]).collect();
    let (mut ties_x, mut ties_both) = (0, 0);
    for_ties(x, by_x, |start, end| {
        if end - start > 1 {
            ties_x += pairs(end - start);
            sequence[start..end].sort_unstable();
            ties_both += sequence[start..end].chunk_by(|a, b| a == b).map(|equal| pairs(equal.len())).sum::<u64>();
        }
    });
    let discordant = inversions(&mut sequence);
    let all = pairs(n);
    let (untied_x, untied_y) = (all - ties_x, all - ties_y);
    if untied_x == 0 || untied_y == 0 {
        return f64::NAN;
    }
    let balance = (all + ties_both) as i128 - (ties_x + ties_y + 2 * discordant) as i128;
    (balance as f64 / (untied_x as f64).sqrt() / (untied_y as f64).sqrt()).clamp(-1.0, 1.0)
}

fn pairs(n: usize) -> u64 {
    n as u64 * (n as u64).saturating_sub(1) / 2
}

/// Calls `each` with the range of every run of equal numbers.
fn for_ties(values: &[f64], order: &[u32], mut each: impl FnMut(usize, usize)) {
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start] as usize];
        let mut end = start + 1;
        while end < order.len() && values[order[end] as usize] == value {
            end += 1;
        }
        each(start, end);
        start = end;
    }
}

/// How many pairs stand in the wrong order, counted while merging; leaves the numbers sorted.
fn inversions(values: &mut Vec<u32>) -> u64 {
    const SHORT: usize = 16;
    let n = values.len();
    let mut count = 0u64;
    for block in values.chunks_mut(SHORT) {
        for i in 1..block.len() {
            let value = block[i];
            let mut j = i;
            while j > 0 && block[j - 1] > value {
                block[j] = block[j - 1];
                j -= 1;
            }
            block[j] = value;
            count += (i - j) as u64;
        }
    }
    let mut merged = vec![0u32; n];
    let mut width = SHORT;
    while width < n {
        for start in (0..n).step_by(2 * width) {
            let (middle, end) = ((start + width).min(n), (start + 2 * width).min(n));
            count += merge(&values[start..middle], &values[middle..end], &mut merged[start..end]);
        }
        std::mem::swap(values, &mut merged);
        width *= 2;
    }
    count
}

/// Merges two sorted rows without a branch and counts the pairs out of order between them.
fn merge(left: &[u32], right: &[u32], out: &mut [u32]) -> u64 {
    let (mut i, mut j, mut count) = (0, 0, 0u64);
    while i < left.len() && j < right.len() {
        let (a, b) = (left[i], right[j]);
        let from_right = b < a;
        out[i + j] = if from_right { b } else { a };
        count += (left.len() - i) as u64 * u64::from(from_right);
        i += usize::from(!from_right);
        j += usize::from(from_right);
    }
    let placed = i + j;
    out[placed..placed + left.len() - i].copy_from_slice(&left[i..]);
    out[placed + left.len() - i..].copy_from_slice(&right[j..]);
    count
}
