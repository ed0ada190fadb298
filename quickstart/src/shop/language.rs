//! Which language a visitor reads.

/// The shop's languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    German,
    English,
}

impl Language {
    /// The one with the greater weight in `Accept-Language` (RFC 9110, 12.5.4),
    /// the first of equals; German where neither is named.
    pub(super) fn preferred<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let ranges = headers.flat_map(|header| header.split(','));
        let mut best = (Self::German, 0.0);
        for (language, weight) in ranges.filter_map(weighed) {
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The tag of BCP 47.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::German => "de",
            Self::English => "en",
        }
    }
}

fn weighed(range: &str) -> Option<(Language, f32)> {
    let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
    let primary = tag.trim().split('-').next()?;
    let language = [Language::German, Language::English]
        .into_iter()
        .find(|language| language.tag().eq_ignore_ascii_case(primary))?;
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(weight) => weight.parse().ok()?,
        None => 1.0,
    };
    Some((language, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(header: &str) -> &'static str {
        Language::preferred([header].into_iter()).tag()
    }

    #[test]
    fn the_page_is_german_unless_english_is_preferred() {
        for (header, language) in [
            ("", "de"),
            ("de-DE,de;q=0.9,en;q=0.8", "de"),
            ("en-US,en;q=0.9,de;q=0.8", "en"),
            ("EN", "en"),
            ("en;q=0.5, de-AT;q=0.7", "de"),
            ("de;q=0, en;q=0.1", "en"),
            ("fr-FR,fr;q=0.9", "de"),
            ("fr, en;q=0.3", "en"),
            ("*", "de"),
            ("en;q=nothing", "de"),
            ("english", "de"),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }
}
