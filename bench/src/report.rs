//! The figures as Markdown, and their place in the document.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::figures::Runs;
use crate::machine::Machine;
use crate::svg;

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end -->";

/// What is to be reached, and what was.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    what: &'static str,
    measured: f64,
    bound: f64,
    at_most: bool,
}

impl Target {
    pub(crate) fn at_most(what: &'static str, measured: f64, bound: f64) -> Self {
        Self {
            what,
            measured,
            bound,
            at_most: true,
        }
    }

    pub(crate) fn at_least(what: &'static str, measured: f64, bound: f64) -> Self {
        Self {
            at_most: false,
            ..Self::at_most(what, measured, bound)
        }
    }

    fn row(&self) -> String {
        let (sign, reached) = if self.at_most {
            ("≤", self.measured <= self.bound)
        } else {
            ("≥", self.measured >= self.bound)
        };
        let reached = if reached { "reached" } else { "**missed**" };
        let (measured, bound) = (short(self.measured), short(self.bound));
        format!(
            "| {} | {measured} | {sign} {bound} | {reached} |\n",
            self.what
        )
    }
}

/// Three significant digits, or whole.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A scenario and what was measured in it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    text: String,
    /// File name and content.
    plots: Vec<(String, String)>,
}

impl Section {
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            text: format!("## {title}\n"),
            plots: Vec::new(),
        }
    }

    /// A paragraph.
    pub(crate) fn text(mut self, text: &str) -> Self {
        write!(self.text, "\n{text}\n").expect("text grows");
        self
    }

    /// A table: its head, and rows.
    pub(crate) fn table(mut self, head: &[&str], rows: &[Vec<String>]) -> Self {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
        self.text.push('\n');
        self.text.push_str(&line(&head));
        self.text
            .push_str(&format!("|---|{}\n", "--:|".repeat(head.len() - 1)));
        for row in rows {
            self.text.push_str(&line(row));
        }
        self
    }

    /// A table of contestants, with a plot of their rates and of their CPU.
    pub(crate) fn runs(self, runs: &[&Runs]) -> Self {
        let rows: Vec<Vec<String>> = runs
            .iter()
            .map(|runs| {
                let rates = runs.rates();
                vec![
                    runs.name.to_owned(),
                    format!("**{:.0}**", runs.rate()),
                    format!("{:.0} to {:.0}", rates.min(), rates.max()),
                    format!("**{:.4}**", runs.cpu()),
                    format!("{:.0} MiB", runs.peak_mib()),
                ]
            })
            .collect();
        let bars = |value: fn(&Runs) -> f64| -> Vec<(&str, f64)> {
            let named = runs
                .iter()
                .map(|runs| (runs.name.trim_matches('*'), value(runs)));
            named.collect()
        };
        self.table(
            &[
                "",
                "a second, median",
                "lowest to highest",
                "CPU-s per 1 000",
                "peak memory",
            ],
            &rows,
        )
        .plot("rate", svg::bars("a second", &bars(Runs::rate)))
        .plot("cpu", svg::bars("CPU-s per 1 000", &bars(Runs::cpu)))
    }

    /// What was to be reached.
    pub(crate) fn targets(mut self, targets: &[Target]) -> Self {
        self.text
            .push_str("\n| to reach | measured | bound | |\n|---|--:|--:|---|\n");
        for target in targets {
            self.text.push_str(&target.row());
        }
        self
    }

    /// A picture, called `<title>-<name>.svg`.
    pub(crate) fn plot(mut self, name: &str, svg: String) -> Self {
        let file = format!("{}-{name}.svg", self.title.to_lowercase().replace(' ', "-"));
        writeln!(self.text, "\n![{} {name}](benchmarks/{file})", self.title).expect("text grows");
        self.plots.push((file, svg));
        self
    }
}

/// All sections below what they were measured on.
pub(crate) fn markdown(machine: &Machine, sections: &[Section]) -> String {
    let mut text = about(machine);
    for section in sections {
        text.push('\n');
        text.push_str(&section.text);
    }
    text
}

/// Replaces what stands between the markers, and writes the plots beside it.
///
/// # Errors
/// When a file cannot be read or written, or has no markers.
pub(crate) fn write_into(document: &Path, text: &str, sections: &[Section]) -> io::Result<()> {
    let old = std::fs::read_to_string(document)?;
    let new = replaced(&old, text).ok_or_else(|| {
        let markers = format!("it has no line {} with {END} after it", BEGIN.trim_end());
        io::Error::new(io::ErrorKind::InvalidData, markers)
    })?;
    std::fs::write(document, new)?;
    let folder = document.with_file_name("benchmarks");
    std::fs::create_dir_all(&folder)?;
    for (file, svg) in sections.iter().flat_map(|section| &section.plots) {
        std::fs::write(folder.join(file), svg)?;
    }
    Ok(())
}

fn replaced(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{text}\n{END}{after}"))
}

fn about(machine: &Machine) -> String {
    let Machine {
        cpu,
        cores,
        memory_gib,
        kernel,
        commit,
        date,
        kafka,
    } = machine;
    format!(
        "{date}, commit {commit}. {cpu}, {cores} cores, {memory_gib:.0} GiB, Linux {kernel}. \
         Apache Kafka {kafka}.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let document = "intro\n<!-- figures -->\nold\n<!-- end -->\nrest\n";
        let new = replaced(document, "new").unwrap();
        assert_eq!(new, "intro\n<!-- figures -->\n\nnew\n<!-- end -->\nrest\n");
        assert_eq!(replaced("no markers", "new"), None);
    }
}
