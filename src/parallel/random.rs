//! Counter-based random numbers: a function of (seed, path, position), so that a path of noise does not depend on
//! threads, lanes or the order of evaluation.
//!
//! Philox 4x32-10: Salmon, J. K., et al. (2011), Parallel random numbers: as easy as 1, 2, 3, Proc. SC11.

/// Four random words for a 128-bit counter and a 64-bit key.
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const M: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const W: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(W[0]), key[1].wrapping_add(W[1])];
        }
        let p = [M[0] * u64::from(counter[0]), M[1] * u64::from(counter[2])];
        counter = [
            (p[1] >> 32) as u32 ^ counter[1] ^ key[0],
            p[1] as u32,
            (p[0] >> 32) as u32 ^ counter[3] ^ key[1],
            p[0] as u32,
        ];
    }
    counter
}

/// Two uniform numbers in [0, 1) with 53 bits at `position` of `path`.
pub fn uniform_pair(seed: u64, path: u64, position: u64) -> [f64; 2] {
    let w = philox(
        [position as u32, (position >> 32) as u32, path as u32, (path >> 32) as u32],
        [seed as u32, (seed >> 32) as u32],
    );
    let unit = |high: u32, low: u32| ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 * 2f64.powi(-53);
    [unit(w[0], w[1]), unit(w[2], w[3])]
}

/// Two independent standard normal numbers (Box & Muller 1958) at `position` of `path`.
pub fn normal_pair(seed: u64, path: u64, position: u64) -> [f64; 2] {
    let [u, v] = uniform_pair(seed, path, position);
    let radius = (-2.0 * libm::log(1.0 - u)).sqrt();
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * v);
    [radius * cos, radius * sin]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from the Random123 distribution.
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normal_moments() {
        let n = 200_000;
        let (mut sum, mut square, mut fourth) = (0.0, 0.0, 0.0);
        for i in 0..n / 2 {
            for z in normal_pair(1, 2, i) {
                sum += z;
                square += z * z;
                fourth += z.powi(4);
            }
        }
        let n = n as f64;
        // standard errors 1/sqrt(n), sqrt(2/n), sqrt(96/n): five of them
        assert!((sum / n).abs() < 5.0 / n.sqrt());
        assert!((square / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((fourth / n - 3.0).abs() < 5.0 * (96.0 / n).sqrt());
    }
}
