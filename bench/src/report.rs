//! The figures as Markdown, and their place in the document.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::accept::Throughput;
use crate::latency::{Latency, RATE};
use crate::machine::Machine;
use crate::memory::Memory;
use crate::percentiles::Sample;
use crate::retries::Lateness;

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end -->";

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) accept: Throughput,
    pub(crate) drain: Throughput,
    pub(crate) latency: Latency,
    pub(crate) retries: Lateness,
    pub(crate) memory: Memory,
}

/// The tables.
pub(crate) fn markdown(machine: &Machine, figures: &Figures) -> String {
    let text = [
        about(machine),
        throughput(&figures.accept, &figures.drain),
        times(&figures.latency, &figures.retries),
        memory(&figures.memory),
    ];
    text.join("\n")
}

/// Replaces what stands between the markers.
///
/// # Errors
/// When the file cannot be read or written, or has no markers.
pub(crate) fn write_into(document: &Path, text: &str) -> io::Result<()> {
    let old = std::fs::read_to_string(document)?;
    let new = replaced(&old, text).ok_or_else(|| {
        let markers = format!("it has no line {} with {END} after it", BEGIN.trim_end());
        io::Error::new(io::ErrorKind::InvalidData, markers)
    })?;
    std::fs::write(document, new)
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

fn throughput(accept: &Throughput, drain: &Throughput) -> String {
    let mut text = String::from(
        "| one process, one core | events a round | bytes each | a second, median | lowest to \
         highest | CPU-s per 1 000 | use of its core | peak memory |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (what, figure) in [
        ("producer: events accepted", accept),
        ("dispatcher: deliveries of a backlog", drain),
    ] {
        let Throughput {
            rates,
            events,
            bytes,
            cpu,
            time,
            peak,
        } = figure;
        let all = (events * rates.len()) as f64;
        let (cpu, time) = (cpu.as_secs_f64(), time.as_secs_f64());
        writeln!(
            text,
            "| {what} | {events} | {bytes} | **{:.0}** | {:.0} to {:.0} | {:.3} | {:.0} % | {peak:.0} MiB |",
            rates.percentile(50),
            rates.min(),
            rates.max(),
            cpu * 1000.0 / all,
            cpu * 100.0 / time,
        )
        .expect("text grows");
    }
    text
}

fn times(latency: &Latency, retries: &Lateness) -> String {
    let mut text = format!(
        "| at {RATE} events/s | for | events | lowest | p50 | p99 | highest |\n\
         |---|--:|--:|--:|--:|--:|--:|\n"
    );
    let mut row = |what: &str, seconds: u64, sample: &Sample| {
        writeln!(
            text,
            "| {what} | {seconds} s | {} | {:.1} ms | **{:.1} ms** | **{:.1} ms** | {:.1} ms |",
            sample.len(),
            sample.min(),
            sample.percentile(50),
            sample.percentile(99),
            sample.max(),
        )
        .expect("text grows");
    };
    row(
        "from the sending of the POST to the delivery",
        latency.seconds,
        &latency.from_post,
    );
    row(
        "from the 202 to the delivery",
        latency.seconds,
        &latency.from_accept,
    );
    row(
        "lateness of the first retry (5 s)",
        retries.seconds,
        &retries.lateness_ms,
    );
    text
}

fn memory(memory: &Memory) -> String {
    let mut text = String::from("| memory | idle | peak of all measurements |\n|---|--:|--:|\n");
    for (name, idle, peak) in memory.rows() {
        writeln!(text, "| {name} | {idle:.0} MiB | {peak:.0} MiB |").expect("text grows");
    }
    text
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
