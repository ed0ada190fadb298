//! The languages of the pages, and how each writes numbers and moments.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use domain::Timestamp;

use super::messages::{DE, EN, Messages};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::German, Self::English];

    /// BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    pub(crate) fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// What the language calls itself.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    pub(crate) const fn messages(self) -> &'static Messages {
        match self {
            Self::English => &EN,
            Self::German => &DE,
        }
    }

    /// The one that a browser likes best (RFC 9110 section 12.5.4), English
    /// where it names none that we have.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let field = headers.get(header::ACCEPT_LANGUAGE);
        let field = field.and_then(|field| field.to_str().ok()).unwrap_or("");
        let mut best = (0.0, Self::English);
        for range in field.split(',') {
            let (range, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let primary = range.trim().split('-').next().unwrap_or_default();
            let quality = quality.trim().trim_start_matches("q=").parse::<f32>();
            if let (Some(language), Ok(quality)) =
                (Self::parse(&primary.to_ascii_lowercase()), quality)
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }

    /// `1.204` or `1,204`.
    pub(crate) fn number(self, number: u64) -> String {
        let separator = match self {
            Self::English => ',',
            Self::German => '.',
        };
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// Thousandths as `0,25` or `0.25`, without zeros at the end.
    pub(crate) fn decimal(self, thousandths: u64) -> String {
        let point = match self {
            Self::English => '.',
            Self::German => ',',
        };
        let whole = self.number(thousandths / 1000);
        let digits = format!("{:03}", thousandths % 1000);
        match digits.trim_end_matches('0') {
            "" => whole,
            digits => format!("{whole}{point}{digits}"),
        }
    }

    /// `25.11.2026 14:05 UTC` or `25 Nov 2026, 14:05 UTC`.
    pub(crate) fn moment(self, at: Timestamp) -> String {
        self.write(at, "%d.%m.%Y %H:%M UTC", "%-d %b %Y, %H:%M UTC")
    }

    /// With seconds.
    pub(crate) fn exact_moment(self, at: Timestamp) -> String {
        self.write(at, "%d.%m.%Y %H:%M:%S UTC", "%-d %b %Y, %H:%M:%S UTC")
    }

    fn write(self, at: Timestamp, german: &str, english: &str) -> String {
        let format = match self {
            Self::English => english,
            Self::German => german,
        };
        match jiff::Timestamp::from_millisecond(at.millis()) {
            Ok(moment) => moment.strftime(format).to_string(),
            Err(_) => at.to_string(),
        }
    }

    /// How long ago `at` is at `now`, or how long until then, in the largest unit
    /// that is full, as `Intl.RelativeTimeFormat` says it: the script goes on
    /// from here. What comes is rounded: 24 hours are not 23 a moment later.
    pub(crate) fn relative(self, at: Timestamp, now: Timestamp) -> String {
        let time = &self.messages().time;
        let (past, apart) = if at <= now {
            (true, now.since(at))
        } else {
            (false, at.since(now))
        };
        let seconds = apart.as_secs();
        match (past, seconds) {
            (_, 0) => time.now.to_owned(),
            (true, ..60) => time.seconds_ago(seconds),
            (true, ..3600) => time.minutes_ago(seconds / 60),
            (true, ..86400) => time.hours_ago(seconds / 3600),
            (true, _) => time.days_ago(seconds / 86400),
            (false, ..60) => time.in_seconds(seconds),
            (false, ..3600) => time.in_minutes(rounded(seconds, 60)),
            (false, ..86400) => time.in_hours(rounded(seconds, 3600)),
            (false, _) => time.in_days(rounded(seconds, 86400)),
        }
    }

    /// `312 ms`, `1,2 s`, `10 min`, `6 h`.
    pub(crate) fn duration(self, duration: Duration) -> String {
        let point = match self {
            Self::English => '.',
            Self::German => ',',
        };
        let (millis, seconds) = (duration.as_millis(), duration.as_secs());
        match (millis, seconds) {
            (..1000, _) => format!("{millis}\u{a0}ms"),
            (_, ..60) if !millis.is_multiple_of(1000) => {
                format!("{seconds}{point}{}\u{a0}s", millis % 1000 / 100)
            }
            (_, ..60) => format!("{seconds}\u{a0}s"),
            (_, ..3600) => in_two(seconds, 60, "min", 1, "s"),
            (_, _) => in_two(seconds, 3600, "h", 60, "min"),
        }
    }
}

const fn rounded(seconds: u64, unit: u64) -> u64 {
    (seconds + unit / 2) / unit
}

/// `7 h 12 min`: a unit, and what is left of it in a smaller one.
fn in_two(seconds: u64, large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    let rest = seconds % large / small;
    let whole = format!("{}\u{a0}{large_name}", seconds / large);
    if rest == 0 {
        whole
    } else {
        format!("{whole} {rest}\u{a0}{small_name}")
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system is set.
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(field: &str) -> &'static str {
        let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, field.parse().unwrap())]);
        Language::accepted(&headers).tag()
    }

    #[test]
    fn the_language_is_the_one_that_the_browser_likes_best() {
        assert_eq!(accepted("de-DE,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(accepted("en-US,en;q=0.9,de;q=0.8"), "en");
        assert_eq!(accepted("fr,de;q=0.5,en;q=0.4"), "de");
        assert_eq!(accepted("de;q=0,en;q=0.1"), "en");
        assert_eq!(accepted("DE"), "de");
        assert_eq!(accepted("fr, *;q=0.5"), "en");
        assert_eq!(accepted(""), "en");
        assert_eq!(Language::accepted(&HeaderMap::new()).tag(), "en");
    }

    #[test]
    fn numbers_and_moments_are_written_as_each_language_does() {
        let at = Timestamp::from_millis(1_795_615_532_000);
        let (de, en) = (Language::German, Language::English);
        assert_eq!(de.number(1_204), "1.204");
        assert_eq!(en.number(1_234_567), "1,234,567");
        assert_eq!(en.number(204), "204");
        assert_eq!(de.decimal(1_234_050), "1.234,05");
        assert_eq!(en.decimal(20), "0.02");
        assert_eq!(en.decimal(3_000), "3");
        assert_eq!(de.moment(at), "25.11.2026 14:05 UTC");
        assert_eq!(en.moment(at), "25 Nov 2026, 14:05 UTC");
        assert_eq!(de.exact_moment(at), "25.11.2026 14:05:32 UTC");
    }

    #[test]
    fn durations_keep_what_matters() {
        let of = |millis| Language::German.duration(Duration::from_millis(millis));
        assert_eq!(of(312), "312\u{a0}ms");
        assert_eq!(of(1_240), "1,2\u{a0}s");
        assert_eq!(of(15_000), "15\u{a0}s");
        assert_eq!(of(150_000), "2\u{a0}min 30\u{a0}s");
        assert_eq!(of(21_600_000), "6\u{a0}h");
    }

    #[test]
    fn relative_times_use_the_largest_full_unit() {
        let now = Timestamp::from_millis(1_795_615_532_000);
        let of = |language: Language, seconds: i64| {
            language.relative(Timestamp::from_millis(now.millis() + seconds * 1000), now)
        };
        assert_eq!(of(Language::German, 0), "jetzt");
        assert_eq!(of(Language::German, -1), "vor 1 Sekunde");
        assert_eq!(of(Language::German, -300), "vor 5 Minuten");
        assert_eq!(of(Language::German, 86_400), "in 1 Tag");
        assert_eq!(of(Language::English, -7_300), "2 hours ago");
        assert_eq!(of(Language::German, 86_399), "in 24 Stunden");
        assert_eq!(of(Language::English, 89), "in 1 minute");
        assert_eq!(of(Language::English, 90), "in 2 minutes");
        assert_eq!(of(Language::English, -119), "1 minute ago");
    }
}
