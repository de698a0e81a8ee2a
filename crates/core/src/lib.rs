//! Decides about requests at a trust boundary.
#![no_std]

extern crate alloc;

mod audit;
pub mod authn;
pub mod base64;
mod config;
pub mod decision;
pub mod engine;
pub mod json;
pub mod jwt;
pub mod limits;
pub mod policy;
pub mod reply;
pub mod request;
mod ruleset;
pub mod spiffe;
pub mod time;
pub mod upstream;

pub use config::{Finding, LoadError, LoadProblem, select};
