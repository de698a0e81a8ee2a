//! The command as a shell sees it: arguments and files in, exit code and text out.

#[path = "command/harness.rs"]
mod harness;

#[path = "command/compile.rs"]
mod compile;
#[path = "command/svid.rs"]
mod svid;
#[path = "command/token.rs"]
mod token;
#[path = "command/usage.rs"]
mod usage;
