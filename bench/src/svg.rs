//! Plots as SVG: text that any browser shows, in its light or dark colours.

use std::fmt::Write as _;

use crate::percentiles::Sample;
use crate::report::short;

const WIDTH: f64 = 640.0;
/// Where bars begin: labels stand before.
const LEFT: f64 = 200.0;
/// Behind the longest bar stands its value.
const RIGHT: f64 = 80.0;
const ROW: f64 = 28.0;
/// Of the plot of a distribution.
const HEIGHT: f64 = 260.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2933}\
    .first{fill:#2563eb}.bar{fill:#9aa5b1}.line{fill:none;stroke-width:2}\
    .axis{stroke:#9aa5b1;stroke-width:1}\
    @media(prefers-color-scheme:dark){text{fill:#e4e7eb}.first{fill:#60a5fa}.bar{fill:#616e7c}}";

/// One bar each, the first one in colour.
pub(crate) fn bars(unit: &str, values: &[(&str, f64)]) -> String {
    let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let height = ROW * (values.len() as f64 + 1.0);
    let mut svg = open(height);
    write!(svg, r#"<text x="0" y="16">{unit}</text>"#).expect("text grows");
    for (row, (name, value)) in (1_u16..).zip(values) {
        let y = ROW * f64::from(row);
        let length = (WIDTH - LEFT - RIGHT) * value / most.max(f64::MIN_POSITIVE);
        let class = if row == 1 { "first" } else { "bar" };
        write!(
            svg,
            r#"<text x="0" y="{:.0}">{name}</text><rect class="{class}" x="{LEFT}" y="{y:.0}" width="{length:.1}" height="20"/><text x="{:.0}" y="{:.0}">{}</text>"#,
            y + 15.0,
            LEFT + length + 6.0,
            y + 15.0,
            short(*value)
        )
        .expect("text grows");
    }
    close(svg)
}

/// How many percent took at most so many milliseconds, a line each.
pub(crate) fn distribution(values: &[(&str, &Sample)]) -> String {
    const COLOURS: [&str; 4] = ["#2563eb", "#d97706", "#6b7280", "#059669"];
    const BOTTOM: f64 = HEIGHT - 30.0;
    let most = values
        .iter()
        .map(|(_, sample)| sample.percentile(99))
        .fold(0.0, f64::max);
    let x = |ms: f64| 40.0 + (WIDTH - LEFT - 40.0) * ms / most.max(f64::MIN_POSITIVE);
    let y = |percent: f64| BOTTOM - (BOTTOM - 20.0) * percent / 100.0;
    let mut svg = open(HEIGHT);
    write!(
        svg,
        r#"<text x="0" y="14">%</text><path class="axis" d="M40 20V{BOTTOM}H{:.0}"/><text x="0" y="{:.0}">50</text><text x="0" y="{:.0}">99</text><text x="40" y="{:.0}">0</text><text x="{:.0}" y="{:.0}" text-anchor="end">{} ms</text>"#,
        x(most),
        y(50.0) + 4.0,
        y(99.0) + 4.0,
        HEIGHT - 8.0,
        x(most),
        HEIGHT - 8.0,
        short(most)
    )
    .expect("text grows");
    for ((name, sample), (row, colour)) in values.iter().zip((0_u16..).zip(COLOURS)) {
        let points: String = (0..=99_u16)
            .map(|percent| {
                let ms = sample.percentile(percent.into());
                format!("{:.1},{:.1} ", x(ms.min(most)), y(percent.into()))
            })
            .collect();
        let label = 40.0 + 20.0 * f64::from(row);
        write!(
            svg,
            r#"<polyline class="line" stroke="{colour}" points="{points}"/><text x="{:.0}" y="{label:.0}" style="fill:{colour}">{name}</text>"#,
            WIDTH - LEFT + 10.0,
        )
        .expect("text grows");
    }
    close(svg)
}

fn open(height: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" role="img"><style>{STYLE}</style>"#
    )
}

fn close(mut svg: String) -> String {
    svg.push_str("</svg>\n");
    svg
}
