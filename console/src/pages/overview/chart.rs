//! Charts as paths: 10 units wide a step, 1000 high, stretched to whatever room
//! there is. Texts stand beside them in HTML, where they are not stretched.

use std::fmt::Write as _;
use std::time::Duration;

use crate::attempts::{Counts, Point, Range, Series};
use crate::web::Language;

/// Units of a step.
const STEP: u64 = 10;
/// Units between two bars, on each side of a bar.
const GAP: u64 = 1;
const HEIGHT: u64 = 1000;
/// What happened once is seen, however high the rest is.
const LEAST: u64 = 12;
/// Thousandths a minute that the axis shows at least.
const LEAST_RATE: u64 = 20;
/// Milliseconds that the axis shows at least.
const LEAST_TIME: u64 = 10;

/// A chart.
pub(super) struct Chart {
    pub(super) width: u64,
    /// What stands at the upper end of the axis, and in its middle.
    pub(super) top: String,
    pub(super) half: String,
    pub(super) paths: Vec<Path>,
}

/// What belongs to one key of the chart.
pub(super) struct Path {
    /// A class of `console.css`, which gives it its colour.
    pub(super) class: &'static str,
    /// As the attribute `d` has it.
    pub(super) d: String,
}

/// Deliveries a minute by outcome, one upon the other.
pub(super) fn deliveries(series: &Series, language: Language) -> Chart {
    let outcomes = |counts: &Counts| [counts.delivered, counts.retry, counts.dead_letter];
    let highest = series.points.iter().map(|point| outcomes(&point.counts));
    let highest = highest
        .map(|counts| counts.iter().sum::<u64>())
        .max()
        .unwrap_or(0);
    let minutes = minutes(series.range);
    let top = round_up((highest * 1000).div_ceil(minutes).max(LEAST_RATE));
    let mut bars = [String::new(), String::new(), String::new()];
    for (left, point) in lefts().zip(&series.points) {
        let mut below = HEIGHT;
        for (path, count) in bars.iter_mut().zip(outcomes(&point.counts)) {
            if count > 0 {
                let height = count * 1000 * HEIGHT / (minutes * top);
                let above = below.saturating_sub(height.max(LEAST));
                let (left, right) = (left + GAP, left + STEP - GAP);
                write!(path, "M{left} {below}V{above}H{right}V{below}z").expect("text grows");
                below = above;
            }
        }
    }
    Chart {
        width: width(series),
        top: language.decimal(top),
        half: language.decimal(top / 2),
        paths: paths(["plot-good", "plot-wait", "plot-bad"], bars),
    }
}

/// How long attempts took: the median, and what 95 of 100 did not exceed.
pub(super) fn times(series: &Series, language: Language) -> Chart {
    let parts = [0.5, 0.95];
    let longest = series.points.iter();
    let longest = longest.filter_map(|point| point.times.percentile(0.95));
    let top = round_up(u64::from(longest.max().unwrap_or(0)).max(LEAST_TIME));
    let text = |millis| language.duration(Duration::from_millis(millis));
    Chart {
        width: width(series),
        top: text(top),
        half: text(top / 2),
        paths: paths(
            ["plot-half", "plot-most"],
            parts.map(|part| line(&series.points, part, top)),
        ),
    }
}

/// A line that breaks where nothing was attempted; a step between two such
/// gaps is a dot.
fn line(points: &[Point], part: f64, top: u64) -> String {
    let mut path = String::new();
    let mut is_drawn = false;
    for (left, point) in lefts().zip(points) {
        let time = point.times.percentile(part);
        if let Some(time) = time {
            let x = left + STEP / 2;
            let y = HEIGHT.saturating_sub(u64::from(time) * HEIGHT / top);
            let drawn = if is_drawn {
                write!(path, "L{x} {y}")
            } else {
                write!(path, "M{x} {y}h0")
            };
            drawn.expect("text grows");
        }
        is_drawn = time.is_some();
    }
    path
}

fn paths<const N: usize>(classes: [&'static str; N], drawn: [String; N]) -> Vec<Path> {
    let drawn = classes.into_iter().zip(drawn);
    let drawn = drawn.filter(|(_, d)| !d.is_empty());
    drawn.map(|(class, d)| Path { class, d }).collect()
}

fn width(series: &Series) -> u64 {
    STEP * u64::from(series.range.steps())
}

/// The left ends of steps.
fn lefts() -> impl Iterator<Item = u64> {
    (0..).map(|step| step * STEP)
}

/// Minutes of a step.
pub(super) fn minutes(range: Range) -> u64 {
    (range.step().as_secs() / 60).max(1)
}

/// The next one of 1, 2, 5, 10, 20, 50, …
fn round_up(number: u64) -> u64 {
    let mut power = 1;
    loop {
        for digit in [1, 2, 5] {
            if digit * power >= number {
                return digit * power;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;
    use crate::attempts::Times;

    fn series(counts: &[[u64; 3]]) -> Series {
        let points = counts.iter().map(|[delivered, retry, dead_letter]| Point {
            start: Timestamp::from_millis(0),
            counts: Counts {
                delivered: *delivered,
                retry: *retry,
                dead_letter: *dead_letter,
                ..Counts::default()
            },
            times: Times::default(),
        });
        Series {
            range: Range::Hour,
            points: points.collect(),
            counts: Counts::default(),
            times: Times::default(),
        }
    }

    #[test]
    fn bars_stand_upon_each_other_and_what_happened_once_is_seen() {
        let chart = deliveries(
            &series(&[[0, 0, 0], [150, 50, 0], [0, 0, 1]]),
            Language::English,
        );
        let drawn = |class| chart.paths.iter().find(|path| path.class == class).unwrap();
        assert_eq!((chart.top.as_str(), chart.half.as_str()), ("200", "100"));
        assert_eq!(drawn("plot-good").d, "M11 1000V250H19V1000z");
        assert_eq!(drawn("plot-wait").d, "M11 250V0H19V250z");
        assert_eq!(drawn("plot-bad").d, "M21 1000V988H29V1000z");
    }

    #[test]
    fn where_nothing_happened_there_is_nothing_but_an_axis() {
        let empty = series(&[[0, 0, 0]]);
        let chart = deliveries(&empty, Language::German);
        assert!(chart.paths.is_empty());
        assert_eq!((chart.top.as_str(), chart.half.as_str()), ("0,02", "0,01"));
        let chart = times(&empty, Language::German);
        assert!(chart.paths.is_empty());
        assert_eq!(chart.half, "5\u{a0}ms");
    }

    #[test]
    fn axes_end_with_round_numbers() {
        let rounded = [1, 2, 3, 10, 11, 51, 5_000, 5_001].map(round_up);
        assert_eq!(rounded, [1, 2, 5, 10, 20, 100, 5_000, 10_000]);
    }
}
