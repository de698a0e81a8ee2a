//! Medians and ratios, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contender::Contender;

/// One run of one contender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests in a second.
    pub(crate) rate: f64,
    /// Median latency, microseconds.
    pub(crate) median: f64,
    /// 99th percentile of the latency, microseconds.
    pub(crate) p99: f64,
    /// Envoy's CPU time for a request, microseconds.
    pub(crate) cpu: f64,
}

/// All runs so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    scenarios: Vec<&'static str>,
    contenders: Vec<Contender>,
    runs: BTreeMap<(&'static str, Contender), Vec<Measured>>,
}

impl Report {
    /// An empty report about these contenders.
    pub(crate) fn new(contenders: &[Contender]) -> Self {
        Self { contenders: contenders.to_vec(), ..Self::default() }
    }

    /// Takes one more run. Every contender must run once in every round.
    pub(crate) fn add(&mut self, scenario: &'static str, contender: Contender, measured: Measured) {
        if !self.scenarios.contains(&scenario) {
            self.scenarios.push(scenario);
        }
        self.runs.entry((scenario, contender)).or_default().push(measured);
    }

    /// The table: a block for each scenario, a line for each contender.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for scenario in &self.scenarios {
            self.block(&mut out, scenario);
        }
        out
    }

    fn block(&self, out: &mut String, scenario: &'static str) {
        let _ = writeln!(out, "\n{scenario}");
        let _ = writeln!(
            out,
            "  {:<22}{:>9}{:>8}{:>8}{:>10}{:>10}{:>12}{:>14}",
            "", "req/s", "p50 us", "p99 us", "CPU us", "added us", "of nothing", "of native"
        );
        for contender in &self.contenders {
            self.line(out, scenario, *contender);
        }
    }

    fn line(&self, out: &mut String, scenario: &'static str, contender: Contender) {
        let runs = self.runs(scenario, contender);
        let middle = |pick: fn(&Measured) -> f64| median(runs.iter().map(pick).collect());
        let cpu = middle(|m| m.cpu);
        let base = self.runs(scenario, Contender::Nothing).iter().map(|m| m.cpu).collect();
        let native = if contender.is_lychgate() {
            let ratio = |other| format!("{:.2}", self.ratio(scenario, contender, other));
            format!("{} / {}", ratio(Contender::Native), ratio(Contender::NativeCached))
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "  {:<22}{:>9.0}{:>8.0}{:>8.0}{:>10.1}{:>10.1}{:>12.2}{:>14}",
            contender.name(),
            middle(|m| m.rate),
            middle(|m| m.median),
            middle(|m| m.p99),
            cpu,
            cpu - median(base),
            self.ratio(scenario, contender, Contender::Nothing),
            native,
        );
    }

    /// The throughput as a share of another's: the median over the rounds, in each of which both ran
    /// within a few seconds.
    fn ratio(&self, scenario: &'static str, this: Contender, other: Contender) -> f64 {
        let others = self.runs(scenario, other);
        let pairs = self.runs(scenario, this).iter().zip(others);
        median(pairs.map(|(this, other)| this.rate / other.rate).collect())
    }

    fn runs(&self, scenario: &'static str, contender: Contender) -> &[Measured] {
        self.runs.get(&(scenario, contender)).map_or(&[], Vec::as_slice)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
