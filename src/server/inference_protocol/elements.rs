//! Tensors of the datatype `BYTES` in binary: each element is its length, four bytes little-endian, and its bytes.

/// The elements of a tensor, one by one. An item is an error, the element's number, if the tensor ends within it;
/// nothing follows then.
pub(super) fn decode(tensor: &[u8]) -> impl Iterator<Item = Result<&[u8], usize>> {
    let mut rest = tensor;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let item = split_element(rest).map(|(element, after)| {
            rest = after;
            element
        });
        if item.is_none() {
            rest = &[];
        }
        number += 1;
        Some(item.ok_or(number - 1))
    })
}

/// The first element, and what comes after it.
fn split_element(tensor: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = tensor.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// A tensor of these elements; `None` if one is too long for the format (four gibibytes).
pub(super) fn encode(elements: &[String]) -> Option<Vec<u8>> {
    let size = elements.iter().map(|element| size_of::<u32>() + element.len()).sum();
    let mut tensor = Vec::with_capacity(size);
    for element in elements {
        tensor.extend(u32::try_from(element.len()).ok()?.to_le_bytes());
        tensor.extend(element.as_bytes());
    }
    Some(tensor)
}
