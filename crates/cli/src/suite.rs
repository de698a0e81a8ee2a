//! Table tests of policies.

pub(crate) mod coverage;
mod expect;
mod file;
pub(crate) mod report;
mod run;
pub(crate) mod update;

pub(crate) use expect::{Mismatch, Observed};
pub(crate) use file::{KIND, TestFile, find};
pub(crate) use run::{FileResult, Outcome, Runner};
