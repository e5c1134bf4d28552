//! What Linux tells of a process: processor time and memory.

use std::fs;

use anyhow::Context;

/// Ticks of a second in `/proc/PID/stat`: `USER_HZ`, 100 on every architecture that Rust's standard library runs on.
const TICKS: f64 = 100.0;

/// The processor seconds, user and system, of a process and its threads so far.
pub(crate) fn cpu_seconds(process: &str) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name of the program, in parentheses, may hold blanks: fields are counted after it (proc(5), utime is the 14th).
    let fields = text.rsplit_once(')').context("no program name")?.1.split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// The most memory that this process held at a time, in KiB.
pub(crate) fn peak_kib() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
