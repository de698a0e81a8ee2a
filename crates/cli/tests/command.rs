//! The command as a shell sees it: arguments and files in, exit code and text out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't be set up fails"
)]

#[path = "command/harness.rs"]
mod harness;

#[path = "command/check.rs"]
mod check;
#[path = "command/compile.rs"]
mod compile;
#[path = "command/diff.rs"]
mod diff;
#[path = "command/docs.rs"]
mod docs;
#[path = "command/explain.rs"]
mod explain;
#[path = "command/graph.rs"]
mod graph;
#[path = "command/hostile.rs"]
mod hostile;
#[path = "command/serve.rs"]
mod serve;
#[path = "command/svid.rs"]
mod svid;
#[path = "command/test.rs"]
mod test;
#[path = "command/token.rs"]
mod token;
#[path = "command/tools.rs"]
mod tools;
#[path = "command/usage.rs"]
mod usage;
#[path = "command/whole.rs"]
mod whole;
