//! W3C Trace Context: the trace and the span that a request or a record belongs to.

use std::fmt;

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;
const SAMPLED: u8 = 0x01;
/// Whose meaning a child knows: sampled, and (level 2) that the trace's id is random.
const KNOWN_FLAGS: u8 = 0x03;

/// A `traceparent`. Displays as version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    pub(super) const fn new(trace: u128, span: u64, flags: u8) -> Self {
        Self { trace, span, flags }
    }

    /// Reads a text that version 00 can read: level 1, section 3.2.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = text.get(..LENGTH)?;
        let rest = text.get(LENGTH..)?;
        let mut parts = known.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, length: usize| {
            part.len() == length
                && part
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        // A later version may go on after a further hyphen, version 00 ends here.
        let ends = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        let fits = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        if !fits || !ends || version == "ff" {
            return None;
        }
        let context = Self {
            trace: u128::from_str_radix(trace, 16).ok()?,
            span: u64::from_str_radix(span, 16).ok()?,
            flags: u8::from_str_radix(flags, 16).ok()?,
        };
        (context.trace != 0 && context.span != 0).then_some(context)
    }

    /// A new one that is not sampled.
    ///
    /// # Panics
    /// When the operating system gives no randomness.
    #[must_use]
    pub fn random() -> Self {
        let mut words = [[0; 8]; 3];
        fill(words.as_flattened_mut());
        let [high, low, span] = words.map(u64::from_be_bytes);
        Self {
            trace: (u128::from(high) << 64 | u128::from(low)).max(1),
            span: span.max(1),
            flags: 0,
        }
    }

    /// A new span of the same trace.
    pub(super) fn child(self) -> Self {
        let mut span = [0; 8];
        fill(&mut span);
        Self {
            span: u64::from_be_bytes(span).max(1),
            flags: self.flags & KNOWN_FLAGS,
            ..self
        }
    }

    /// Whether the caller may have recorded it, and so should everybody below.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    pub(super) const fn sampled(self) -> Self {
        Self {
            flags: self.flags | SAMPLED,
            ..self
        }
    }

    /// Where a random trace lies, from 0 to below 1.
    pub(super) fn share(self) -> f64 {
        // The rightmost 52 bits: exact in the type.
        const RANGE: u128 = 1 << 52;
        (self.trace % RANGE) as f64 / RANGE as f64
    }

    pub(super) const fn trace(self) -> u128 {
        self.trace
    }

    pub(super) const fn span(self) -> u64 {
        self.span
    }

    pub(super) const fn flags(self) -> u8 {
        self.flags
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const AFTER_VERSION: &str = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Option<String> {
        TraceContext::parse(text).map(|context| context.to_string())
    }

    #[test]
    fn a_valid_traceparent_is_kept() {
        assert_eq!(read(TRACE).as_deref(), Some(TRACE));
    }

    #[test]
    fn a_later_version_is_read_as_version_00() {
        let later = format!("cc{AFTER_VERSION}-what-the-future-will-be");
        assert_eq!(read(&later).as_deref(), Some(TRACE));
    }

    #[test]
    fn everything_else_is_refused() {
        let zero_trace = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let zero_span = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        for wrong in [
            "",
            "x",
            zero_trace,
            zero_span,
            &TRACE.to_uppercase(),
            &format!("{TRACE}-x"),
            &format!("ff{AFTER_VERSION}"),
            &format!("cc{AFTER_VERSION}x"),
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn new_ones_are_valid_not_sampled_and_spread_evenly() {
        let all: Vec<_> = (0..1_000).map(|_| TraceContext::random()).collect();
        for context in &all {
            assert_eq!(TraceContext::parse(&context.to_string()), Some(*context));
            assert!(!context.is_sampled());
        }
        let chosen = all.iter().filter(|context| context.share() < 0.5).count();
        assert!((400..600).contains(&chosen), "{chosen}");
    }
}
