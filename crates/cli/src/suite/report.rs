//! What people and programs are told about a run of tests.

mod human;
mod json;
mod junit;

use core::time::Duration;

use super::coverage::Summary;
use super::run::FileResult;

pub(crate) use human::human;
pub(crate) use json::json;
pub(crate) use junit::junit;

/// A finished run.
pub(crate) struct Report<'a> {
    pub(crate) files: &'a [FileResult],
    /// One for each policy set that was tested; empty if nobody asked.
    pub(crate) coverage: Vec<Summary>,
    pub(crate) took: Duration,
}

impl Report<'_> {
    pub(crate) fn all(&self) -> usize {
        self.files.iter().map(|file| file.cases.len()).sum()
    }

    pub(crate) fn failed(&self) -> usize {
        let cases = self.files.iter().flat_map(|file| &file.cases);
        cases.filter(|case| !case.passed()).count()
    }
}
