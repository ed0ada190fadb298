//! What this process has used, as Linux tells it.

use std::time::Duration;

use crate::mebibytes;

pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    resident: u64,
    most_resident: u64,
}

impl Usage {
    pub(crate) fn now() -> anyhow::Result<Self> {
        // user and system time in hundredths of a second, behind the name
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks = |field: usize| fields.get(field).map_or(Ok(0), |text| text.parse::<u64>());
        let cpu = Duration::from_millis((ticks(11)? + ticks(12)?) * 10);
        let status = std::fs::read_to_string("/proc/self/status")?;
        let kibibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number.map_or(Ok(0), str::parse::<u64>)
        };
        Ok(Self {
            cpu,
            resident: kibibytes("VmRSS:")? * 1024,
            most_resident: kibibytes("VmHWM:")? * 1024,
        })
    }

    pub(crate) fn memory(&self) -> String {
        let (now, most) = (mebibytes(self.resident), mebibytes(self.most_resident));
        format!("{now:.0} MiB now, {most:.0} MiB at most")
    }
}
