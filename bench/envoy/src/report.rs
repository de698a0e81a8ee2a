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
    order: Vec<&'static str>,
    runs: BTreeMap<(&'static str, Contender), Vec<Measured>>,
}

impl Report {
    /// Takes one more run.
    pub(crate) fn add(&mut self, scenario: &'static str, contender: Contender, measured: Measured) {
        if !self.order.contains(&scenario) {
            self.order.push(scenario);
        }
        self.runs.entry((scenario, contender)).or_default().push(measured);
    }

    /// The table: a block for each scenario, a line for each contender.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for scenario in &self.order {
            self.block(&mut out, scenario);
        }
        out
    }

    fn block(&self, out: &mut String, scenario: &'static str) {
        let _ = writeln!(out, "\n{scenario}");
        let _ = writeln!(
            out,
            "  {:<22}{:>9}{:>8}{:>8}{:>10}{:>10}{:>12}{:>12}",
            "", "req/s", "p50 us", "p99 us", "CPU us", "added us", "of nothing", "of native"
        );
        for contender in Contender::ALL {
            let Some(this) = self.median(scenario, contender) else { continue };
            let ratio = |other| self.median(scenario, other).map(|o| this.rate / o.rate);
            let base = self.median(scenario, Contender::Nothing).map_or(0.0, |b| b.cpu);
            let native = if contender == Contender::Lychgate {
                self.native_ratios(scenario, this.rate)
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "  {:<22}{:>9.0}{:>8.0}{:>8.0}{:>10.1}{:>10.1}{:>12.2}{:>12}",
                contender.name(),
                this.rate,
                this.median,
                this.p99,
                this.cpu,
                this.cpu - base,
                ratio(Contender::Nothing).unwrap_or(0.0),
                native,
            );
        }
    }

    /// Lychgate's throughput as a share of native's, without and with native's cache.
    fn native_ratios(&self, scenario: &'static str, rate: f64) -> String {
        [Contender::Native, Contender::NativeCached]
            .into_iter()
            .filter_map(|contender| self.median(scenario, contender))
            .map(|native| format!("{:.2}", rate / native.rate))
            .collect::<Vec<_>>()
            .join(" / ")
    }

    fn median(&self, scenario: &'static str, contender: Contender) -> Option<Measured> {
        let runs = self.runs.get(&(scenario, contender))?;
        let middle = |pick: fn(&Measured) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(pick).collect();
            values.sort_unstable_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        Some(Measured {
            rate: middle(|m| m.rate),
            median: middle(|m| m.median),
            p99: middle(|m| m.p99),
            cpu: middle(|m| m.cpu),
        })
    }
}
