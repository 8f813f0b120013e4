//! One Markdown table of a run: what was measured, beside its limit, with the gap to each target said openly.

use std::fmt::Write as _;
use std::process::Command;

/// Rates of several rounds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Measured(Vec<f64>);

impl Measured {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => sorted[length / 2],
            length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// One scenario.
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) limit_name: String,
    pub(crate) limit: Measured,
    pub(crate) measured: Measured,
    pub(crate) target: f64,
    pub(crate) notes: String,
}

/// The table in the making.
pub(crate) struct Report {
    commit: String,
    text: String,
}

impl Report {
    pub(crate) fn begin() -> Self {
        let commit = first_line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]));
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("unknown");
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let mut text = String::new();
        let _ = writeln!(text, "# Load scenarios at {commit}\n");
        let _ = writeln!(
            text,
            "Machine: {} × {}, generator and server on the same cores.",
            cores,
            model.trim_start_matches([' ', '\t', ':'])
        );
        let _ = writeln!(
            text,
            "Server: release build, SQLite with synchronous=FULL, plain HTTP, default settings but for the hash parameters named."
        );
        let _ = writeln!(
            text,
            "Rates are per second: median (least–most) of rounds that take turns with their limit.\n"
        );
        let _ = writeln!(
            text,
            "| scenario | limit | limit/s | measured/s | ratio | target | gap | notes |"
        );
        let _ = writeln!(text, "|---|---|---|---|---|---|---|---|");
        print!("{text}");
        Self { commit, text }
    }

    pub(crate) fn add(&mut self, row: &Row) {
        let ratios = Measured(
            row.measured
                .0
                .iter()
                .zip(&row.limit.0)
                .map(|(measured, limit)| measured / limit)
                .collect(),
        );
        let gap = ratios.median() - row.target;
        let verdict = if gap >= 0.0 {
            "met".to_owned()
        } else {
            format!("{gap:.2}")
        };
        let line = format!(
            "| {} | {} | {:.0} ({:.0}–{:.0}) | {:.0} ({:.0}–{:.0}) | {:.2} ({:.2}–{:.2}) | {:.2} | {verdict} | {} |",
            row.scenario,
            row.limit_name,
            row.limit.median(),
            row.limit.least(),
            row.limit.most(),
            row.measured.median(),
            row.measured.least(),
            row.measured.most(),
            ratios.median(),
            ratios.least(),
            ratios.most(),
            row.target,
            row.notes,
        );
        println!("{line}");
        let _ = writeln!(self.text, "{line}");
    }

    /// Writes the table under `bench/reports`.
    pub(crate) fn finish(self) -> std::io::Result<()> {
        let folder = std::path::Path::new("bench/reports");
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}.md", self.commit));
        std::fs::write(&file, self.text)?;
        println!("\nwritten to {}", file.display());
        Ok(())
    }
}

fn first_line(command: &mut Command) -> String {
    let output = command
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output
        .ok()
        .filter(|line| !line.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
