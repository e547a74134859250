//! The innermost loops over bytes read what they are given and nothing after it. AddressSanitizer cannot see into
//! the assembly of the tiles; a page that nobody may touch can.

use super::super::KernelPath;
use super::super::dots::{ByteRows, MOST_ROWS, Machine, Sums};
use super::super::packing::{CHUNK, IntegerLine, PANEL};
use super::super::path::Operation;
use super::numbers;

/// Memory that ends where a page begins that nobody may touch.
struct Walled {
    mapping: *mut libc::c_void,
    size: usize,
    bytes: *mut u8,
}

impl Walled {
    fn holding(bytes: &[u8]) -> Self {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let room = bytes.len().next_multiple_of(page);
        let size = room + page;
        // SAFETY: a mapping of its own; the bytes are written to its first `room` bytes, right up to the last page.
        unsafe {
            let (rights, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let mapping = libc::mmap(std::ptr::null_mut(), size, rights, kind, -1, 0);
            assert_ne!(mapping, libc::MAP_FAILED);
            let start = mapping.cast::<u8>();
            assert_eq!(libc::mprotect(start.add(room).cast(), page, libc::PROT_NONE), 0);
            let to = start.add(room - bytes.len());
            to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            Self { mapping, size, bytes: to }
        }
    }
}

impl Drop for Walled {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody reads it any more.
        unsafe { libc::munmap(self.mapping, self.size) };
    }
}

struct Dots<'a> {
    rows: &'a Walled,
    panels: [&'a Walled; 2],
    chunks: usize,
    count: usize,
}

impl Operation for Dots<'_> {
    /// How many rows were summed, and their sums.
    type Output = (usize, Vec<[i32; 2 * PANEL]>);

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) -> Self::Output {
        let count = self.count.min(L::INTEGER_ROWS);
        let mut sums = Sums([[0; 2 * PANEL]; MOST_ROWS]);
        let rows = ByteRows { from: self.rows.bytes, stride: self.chunks * CHUNK, count };
        let panels = self.panels.map(|panel| panel.bytes.cast_const().cast::<IntegerLine>());
        lanes.begin();
        // SAFETY: there are `MOST_ROWS` rows of as many chunks, and both panels have as many; panels end at a page
        // and hold whole lines, so lines are aligned.
        unsafe { lanes.dots(rows, panels, self.chunks, &mut sums) };
        lanes.end();
        (count, sums.0.to_vec())
    }
}

#[test]
fn the_loops_over_bytes_read_nothing_after_their_rows_and_panels() {
    for chunks in [1, 2] {
        let inputs = chunks * CHUNK;
        let bytes: Vec<u8> = numbers(1, MOST_ROWS * inputs, 127.5).iter().map(|value| (value + 127.5) as u8).collect();
        // At most 64, so that pairs cannot saturate.
        let weights: [Vec<i8>; 2] =
            [2, 3].map(|seed| numbers(seed, inputs * PANEL, 64.0).iter().map(|&value| value as i8).collect());
        let panels = weights
            .each_ref()
            .map(|panel| Walled::holding(&panel.iter().map(|weight| weight.cast_unsigned()).collect::<Vec<_>>()));
        let rows = Walled::holding(&bytes);
        let exact = |row: usize, column: usize| -> i32 {
            let weight = |input: usize| weights[column / PANEL][(input / 4 * PANEL + column % PANEL) * 4 + input % 4];
            (0..inputs).map(|input| i32::from(bytes[row * inputs + input]) * i32::from(weight(input))).sum()
        };
        for path in KernelPath::available() {
            for wanted in [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32] {
                let dots = Dots { rows: &rows, panels: panels.each_ref(), chunks, count: wanted };
                let (count, found) = path.run(dots);
                for (row, found) in found.iter().enumerate().take(count) {
                    let exact: [i32; 2 * PANEL] = std::array::from_fn(|column| exact(row, column));
                    assert_eq!(*found, exact, "{path}: row {row} of {count}");
                }
            }
        }
    }
}
