//! What is complete beyond the committed offset, as the text that Kafka keeps
//! beside it.
//!
//! The text is a version, a form and base64: `1r...` for run lengths (varints,
//! turn by turn incomplete and complete, beginning with the incomplete run at
//! the committed offset), `1b...` for a bitmap (bit 0 of byte 0 is the
//! committed offset). Whichever is shorter is written. A text that cannot be
//! read means: nothing is known, deliver again.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// What a broker takes at most (`offset.metadata.max.bytes`, default 4096).
pub const MAX_METADATA_BYTES: usize = 4096;

const RUNS: &str = "1r";
const BITMAP: &str = "1b";
/// No honest text describes more offsets than this; a forged one must not
/// claim memory.
const MAX_OFFSETS: usize = 16 * 1024 * 1024;

/// The shorter form of `complete` (index 0 is the committed offset). `None`
/// when even that is too long for a broker. An empty text when nothing beyond
/// the offset is complete.
#[must_use]
pub fn encode(complete: impl Iterator<Item = bool> + Clone) -> Option<String> {
    let runs = runs(complete.clone());
    if runs.is_empty() {
        return Some(String::new());
    }
    let length: u64 = runs.iter().sum();
    let mut as_runs = Vec::new();
    for run in &runs {
        push_varint(&mut as_runs, *run);
    }
    let bitmap_bytes = length.div_ceil(8);
    if u64::try_from(as_runs.len()).is_ok_and(|bytes| bytes <= bitmap_bytes) {
        text(RUNS, &as_runs)
    } else {
        text(BITMAP, &bitmap(complete))
    }
}

/// The offsets that a text says are complete, relative to the committed one.
/// `None` when it is no text of ours, or damaged.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<bool>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let (form, encoded) = text.split_at_checked(RUNS.len())?;
    let bytes = STANDARD_NO_PAD.decode(encoded).ok()?;
    let mut complete = Vec::new();
    match form {
        RUNS => {
            let mut rest = bytes.as_slice();
            let mut value = false;
            while !rest.is_empty() {
                let run = usize::try_from(take_varint(&mut rest)?).ok()?;
                if complete.len().checked_add(run)? > MAX_OFFSETS {
                    return None;
                }
                complete.resize(complete.len() + run, value);
                value = !value;
            }
        }
        BITMAP => {
            for byte in bytes {
                complete.extend((0..8).map(|bit| byte >> bit & 1 == 1));
            }
        }
        _ => return None,
    }
    Some(complete)
}

/// Lengths of the runs, the first of incomplete offsets, up to the last
/// complete one.
fn runs(complete: impl Iterator<Item = bool>) -> Vec<u64> {
    let mut runs = Vec::new();
    let mut value = false;
    let mut run = 0;
    for next in complete {
        if next != value {
            runs.push(run);
            value = next;
            run = 0;
        }
        run += 1;
    }
    if value {
        runs.push(run);
    }
    runs
}

/// One bit an offset, up to the last complete one.
fn bitmap(complete: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for (index, _) in complete.enumerate().filter(|(_, complete)| *complete) {
        bytes.resize(index / 8 + 1, 0);
        bytes[index / 8] |= 1 << (index % 8);
    }
    bytes
}

fn text(form: &str, bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(form.len() + bytes.len() * 4 / 3 + 1);
    text.push_str(form);
    STANDARD_NO_PAD.encode_string(bytes, &mut text);
    (text.len() <= MAX_METADATA_BYTES).then_some(text)
}

/// LEB128, as protocol buffers write integers.
fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap_or(0x7f) | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0x7f));
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
