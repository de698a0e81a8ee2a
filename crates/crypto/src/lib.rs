//! Signature verification for lychgate-core.
#![no_std]
