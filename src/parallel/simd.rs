//! Choice of the vector unit at run time, with identical results on every unit.
//!
//! A kernel is written once over rows of lanes and compiled for each unit. Its arithmetic is IEEE with explicit
//! fused multiply-add (emulated exactly where the unit has none) and no reassociation, so the unit changes
//! only the speed. The one `unsafe` expression of the crate is here: calling a function compiled for a unit that
//! has just been detected.

use std::sync::OnceLock;

/// A vector unit known to be present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub(crate) Unit);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // which ones exist depends on the architecture
pub(crate) enum Unit {
    Baseline,
    Avx2,
    Avx512,
}

impl Level {
    /// The widest unit present, or the one named by the environment variable `BESTIARY_VECTOR_UNIT`
    /// (`baseline`, `avx2`, `avx512`) if it is present.
    pub fn detect() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let wish = std::env::var("BESTIARY_VECTOR_UNIT").unwrap_or_default();
            let present = Self::present();
            *present.iter().find(|level| level.name() == wish).unwrap_or(&present[present.len() - 1])
        })
    }

    /// The units present on this machine, narrowest first.
    pub fn present() -> Vec<Level> {
        #[allow(unused_mut)]
        let mut units = vec![Level(Unit::Baseline)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                units.push(Level(Unit::Avx2));
                if ["f", "vl", "dq"].iter().all(|&part| match part {
                    "f" => is_x86_feature_detected!("avx512f"),
                    "vl" => is_x86_feature_detected!("avx512vl"),
                    _ => is_x86_feature_detected!("avx512dq"),
                }) {
                    units.push(Level(Unit::Avx512));
                }
            }
        }
        units
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self.0 {
            Unit::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Unit::Baseline => "baseline",
            Unit::Avx2 => "avx2",
            Unit::Avx512 => "avx512",
        }
    }
}

/// Defines functions that run on the vector unit given as their first argument, a [`Level`].
///
/// `kernel! { pub fn add<const L: usize>(a: &Row<L>, b: &mut Row<L>) { … } }` makes `add(level, a, b)`. Whatever the body
/// calls in its hot loops must be `#[inline(always)]`, or it is compiled for the baseline unit.
macro_rules! kernel {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident $(<$(const $generic:ident : $kind:ty),*>)?
       ($($argument:ident : $type:ty),* $(,)?) $(-> $output:ty)? $body:block)*) => {$(
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        #[inline]
        $vis fn $name $(<$(const $generic: $kind),*>)? (
            level: $crate::parallel::simd::Level, $($argument: $type),*
        ) $(-> $output)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body $(<$(const $generic: $kind),*>)? ($($argument: $type),*) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2 $(<$(const $generic: $kind),*>)? ($($argument: $type),*) $(-> $output)? {
                body $(::<$($generic),*>)? ($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512 $(<$(const $generic: $kind),*>)? ($($argument: $type),*) $(-> $output)? {
                body $(::<$($generic),*>)? ($($argument),*)
            }

            match level.0 {
                // SAFETY: a `Level` other than the baseline exists only if the unit was detected on this machine.
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code)]
                $crate::parallel::simd::Unit::Avx2 => unsafe { avx2 $(::<$($generic),*>)? ($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code)]
                $crate::parallel::simd::Unit::Avx512 => unsafe { avx512 $(::<$($generic),*>)? ($($argument),*) },
                _ => body $(::<$($generic),*>)? ($($argument),*),
            }
        }
    )*};
}
pub(crate) use kernel;
