//! One Markdown table of a run: what was measured, beside its limit, with the gap to each target said openly.

use std::fmt::Write as _;
use std::process::Command;

use crate::effort::Effort;

/// Rates of several rounds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Measured(Vec<f64>);

impl Measured {
    pub(crate) fn of(value: f64) -> Self {
        Self(vec![value])
    }

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

    fn with_unit(&self, unit: &str) -> String {
        let digits = if self.median() < 100.0 { 2 } else { 0 };
        let (median, least, most) = (self.median(), self.least(), self.most());
        if self.0.len() == 1 {
            return format!("{median:.digits$} {unit}");
        }
        format!("{median:.digits$} ({least:.digits$}–{most:.digits$}) {unit}")
    }
}

/// What a ratio should come to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) limit_name: String,
    pub(crate) limit: Measured,
    pub(crate) measured: Measured,
    /// Of limit and measured, such as `/s`.
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
    /// Why the target may be missed; shown only then.
    pub(crate) reason: String,
    pub(crate) notes: String,
}

/// The table in the making.
pub(crate) struct Report {
    commit: String,
    text: String,
}

impl Report {
    pub(crate) fn begin(effort: Effort) -> Self {
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
            "Server: release build, SQLite with synchronous=FULL unless PostgreSQL is named, plain HTTP, default settings \
             but for the hash parameters named."
        );
        let _ = writeln!(
            text,
            "Figures are the median (least–most) of rounds that take turns with their limit; a ratio is taken within a round.\n"
        );
        if effort == Effort::Short {
            let _ = writeln!(
                text,
                "A short run: it shows that the scenarios work, its figures say nothing.\n"
            );
        }
        let _ = writeln!(
            text,
            "| scenario | limit | limit is | measured | ratio | target | gap | reason | notes |"
        );
        let _ = writeln!(text, "|---|---|---|---|---|---|---|---|---|");
        print!("{text}");
        Self { commit, text }
    }

    pub(crate) fn add(&mut self, row: &Row) {
        let limits = row
            .limit
            .0
            .iter()
            .chain(row.limit.0.last().into_iter().cycle());
        let ratios = Measured(
            row.measured
                .0
                .iter()
                .zip(limits)
                .map(|(measured, limit)| measured / limit)
                .collect(),
        );
        let (target, missed_by) = match row.target {
            Target::AtLeast(target) => (format!("≥ {target:.2}"), target - ratios.median()),
            Target::AtMost(target) => (format!("≤ {target:.2}"), ratios.median() - target),
        };
        let (gap, reason) = if missed_by <= 0.0 {
            ("met".to_owned(), "")
        } else {
            (format!("{missed_by:.2}"), row.reason.as_str())
        };
        let line = format!(
            "| {} | {} | {} | {} | {:.2} ({:.2}–{:.2}) | {target} | {gap} | {reason} | {} |",
            row.scenario,
            row.limit_name,
            row.limit.with_unit(row.unit),
            row.measured.with_unit(row.unit),
            ratios.median(),
            ratios.least(),
            ratios.most(),
            row.notes,
        );
        println!("{line}");
        let _ = writeln!(self.text, "{line}");
    }

    /// A scenario that did not come to its end; the others go on.
    pub(crate) fn add_failure(&mut self, scenario: u8, why: &dyn std::error::Error) {
        let why = why.to_string().replace('|', "/").replace('\n', " ");
        let line = format!("| {scenario} | | | | | | failed | {why} | |");
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
