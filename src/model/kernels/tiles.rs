//! AMX tiles of bytes: sixteen rows of sixteen sums, each of 64 products, in one instruction.
//!
//! Written as assembly, since the compiler's own functions for tiles are not stable yet. The unit holds a
//! configuration and eight tiles per thread: [`configure`] and [`release`] stand around every use.

use std::arch::asm;
use std::sync::OnceLock;

use super::packing::IntegerLine;

/// Rows of a tile.
pub(super) const ROWS: usize = 16;

/// What `ldtilecfg` reads: eight tiles of sixteen rows of 64 bytes (Intel SDM, volume 1, chapter 18).
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

static CONFIGURATION: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes_per_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether the machine has tiles of bytes and the system lets this process use them; asks for it the first time.
pub(super) fn are_usable() -> bool {
    static USABLE: OnceLock<bool> = OnceLock::new();
    *USABLE.get_or_init(|| machine_has_them() && system_allows_them())
}

fn machine_has_them() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const SYSTEM_SAVES_STATE: u32 = 1 << 27;
    const TILES_AND_BYTES: u32 = 1 << 24 | 1 << 25;
    // Leaf 7 exists on every machine with AVX-512, which is asked for first.
    __cpuid(1).ecx & SYSTEM_SAVES_STATE != 0 && __cpuid_count(7, 0).edx & TILES_AND_BYTES == TILES_AND_BYTES
}

/// Linux keeps room for the tiles of a process only when it asks (Documentation/arch/x86/xstate.rst).
#[cfg(target_os = "linux")]
fn system_allows_them() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: this call takes two numbers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn system_allows_them() -> bool {
    false
}

/// # Safety
/// Tiles must be usable ([`are_usable`]).
#[inline(always)]
pub(super) unsafe fn configure() {
    // SAFETY: reads the 64 bytes of the configuration.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIGURATION, options(nostack, readonly)) }
}

/// # Safety
/// Tiles must be usable.
#[inline(always)]
pub(super) unsafe fn release() {
    // SAFETY: touches no memory.
    unsafe { asm!("tilerelease", options(nostack, nomem)) }
}

/// 32 rows times two panels of sixteen columns: `sums[row * 32 + column]`.
///
/// # Safety
/// Tiles must be configured; 32 rows of `chunks * 64` bytes, `stride` apart, must be readable at `rows`, `chunks * 16`
/// lines at each panel, and 32 * 32 sums writable.
#[inline(always)]
pub(super) unsafe fn dots_of_two(
    rows: *const u8,
    stride: usize,
    panels: [*const IntegerLine; 2],
    chunks: usize,
    sums: *mut i32,
) {
    // SAFETY: the caller's promise; the loop runs `chunks` times, at least once.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{upper} + {stride}]",
            "tileloadd tmm6, [{left} + {line}]",
            "tileloadd tmm7, [{right} + {line}]",
            "tdpbusd tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{lower} + {stride}]",
            "tdpbusd tmm1, tmm4, tmm7",
            "tdpbusd tmm2, tmm5, tmm6",
            "tdpbusd tmm3, tmm5, tmm7",
            "add {upper}, 64",
            "add {lower}, 64",
            "add {left}, 1024",
            "add {right}, 1024",
            "dec {chunks}",
            "jnz 2b",
            "tilestored [{sums} + {row}], tmm0",
            "tilestored [{sums} + {row} + 64], tmm1",
            "tilestored [{sums} + {row} + 2048], tmm2",
            "tilestored [{sums} + {row} + 2112], tmm3",
            upper = inout(reg) rows => _,
            lower = inout(reg) rows.add(ROWS * stride) => _,
            left = inout(reg) panels[0] => _,
            right = inout(reg) panels[1] => _,
            chunks = inout(reg) chunks => _,
            stride = in(reg) stride,
            line = in(reg) 64usize,
            row = in(reg) 128usize,
            sums = in(reg) sums,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// The same for sixteen rows.
///
/// # Safety
/// As for [`dots_of_two`], with sixteen rows and sixteen rows of sums.
#[inline(always)]
pub(super) unsafe fn dots_of_one(
    rows: *const u8,
    stride: usize,
    panels: [*const IntegerLine; 2],
    chunks: usize,
    sums: *mut i32,
) {
    // SAFETY: the caller's promise; the loop runs `chunks` times, at least once.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "2:",
            "tileloadd tmm4, [{rows} + {stride}]",
            "tileloadd tmm6, [{left} + {line}]",
            "tileloadd tmm7, [{right} + {line}]",
            "tdpbusd tmm0, tmm4, tmm6",
            "tdpbusd tmm1, tmm4, tmm7",
            "add {rows}, 64",
            "add {left}, 1024",
            "add {right}, 1024",
            "dec {chunks}",
            "jnz 2b",
            "tilestored [{sums} + {row}], tmm0",
            "tilestored [{sums} + {row} + 64], tmm1",
            rows = inout(reg) rows => _,
            left = inout(reg) panels[0] => _,
            right = inout(reg) panels[1] => _,
            chunks = inout(reg) chunks => _,
            stride = in(reg) stride,
            line = in(reg) 64usize,
            row = in(reg) 128usize,
            sums = in(reg) sums,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
