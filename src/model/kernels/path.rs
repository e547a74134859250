//! Which kind of kernels runs: chosen once, by what the machine has.

use std::fmt;
use std::str::FromStr;

use super::lanes::Portable;
#[cfg(target_arch = "x86_64")]
use super::lanes_x86::{Avx2, Avx512};

/// A kind of machine that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelPath {
    /// Any machine.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// The same with AVX-VNNI: dot products of bytes, eight sums wide.
    AvxVnni,
    /// x86-64 with AVX-512 (F, BW, DQ, VL) and VNNI.
    Avx512,
    /// The same with AMX tiles of bytes, where Linux lets a process use them.
    Amx,
}

/// Forces a path, by its name: `ONRECORD_KERNELS=portable`.
pub const KERNELS_VARIABLE: &str = "ONRECORD_KERNELS";

impl KernelPath {
    /// All paths, the fastest first.
    pub const ALL: [Self; 5] = [Self::Amx, Self::Avx512, Self::AvxVnni, Self::Avx2, Self::Portable];

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => Self::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512.is_available() && super::tiles::are_usable(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The paths that this machine can run, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|path| path.is_available())
    }

    /// The fastest path of this machine.
    pub fn fastest() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    /// The path that [`KERNELS_VARIABLE`] forces, or the fastest.
    ///
    /// # Errors
    /// When the variable names no path, or one that this machine cannot run.
    pub fn chosen() -> Result<Self, String> {
        let Ok(name) = std::env::var(KERNELS_VARIABLE) else { return Ok(Self::fastest()) };
        let path: Self = name.parse().map_err(|reason| format!("{KERNELS_VARIABLE}: {reason}"))?;
        if !path.is_available() {
            return Err(format!("{KERNELS_VARIABLE}: this machine cannot run {path} kernels"));
        }
        Ok(path)
    }

    /// Runs an operation compiled for this path.
    pub(super) fn run<O: Operation>(self, operation: O) -> O::Output {
        assert!(self.is_available(), "{self} kernels cannot run on this machine");
        match self {
            Self::Portable => operation.run(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has what the path asks for, as asserted.
            Self::Avx2 => unsafe { with_avx2(operation) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::AvxVnni => unsafe { with_avx_vnni(operation) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx512 => unsafe { with_avx512::<O, false>(operation) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Amx => unsafe { with_avx512::<O, true>(operation) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => operation.run(Portable),
        }
    }
}

impl fmt::Display for KernelPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
        })
    }
}

impl FromStr for KernelPath {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|path| path.to_string() == name)
            .ok_or_else(|| format!("unknown kernels {name:?}: use portable, avx2, avx-vnni, avx512 or amx"))
    }
}

/// A kernel with its arguments, written over [`super::lanes::Lanes`]. `run` must be `#[inline(always)]`: only then is
/// it compiled with the instructions of the path.
pub(super) trait Operation {
    type Output;

    fn run<L: super::Machine>(self, lanes: L) -> Self::Output;
}

/// # Safety
/// The machine must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn with_avx2<O: Operation>(operation: O) -> O::Output {
    // SAFETY: the caller's promise.
    operation.run(unsafe { Avx2::<false>::assume() })
}

/// # Safety
/// The machine must have AVX2, FMA and AVX-VNNI.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avxvnni")]
unsafe fn with_avx_vnni<O: Operation>(operation: O) -> O::Output {
    // SAFETY: the caller's promise.
    operation.run(unsafe { Avx2::<true>::assume() })
}

/// # Safety
/// The machine must have AVX-512 F, BW, DQ, VL and VNNI; with `TILES`, usable AMX tiles too.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn with_avx512<O: Operation, const TILES: bool>(operation: O) -> O::Output
where
    Avx512<TILES>: super::Machine,
{
    // SAFETY: the caller's promise.
    operation.run(unsafe { Avx512::<TILES>::assume() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_name_that_reads_back() {
        for path in KernelPath::ALL {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        assert!("sse9".parse::<KernelPath>().unwrap_err().contains("sse9"));
        assert!(KernelPath::Portable.is_available());
    }
}
