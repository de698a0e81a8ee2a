//! Decides about requests at a trust boundary.
#![no_std]

extern crate alloc;

pub mod authn;
pub mod base64;
pub mod decision;
pub mod json;
pub mod jwt;
pub mod limits;
pub mod request;
pub mod spiffe;
pub mod time;
