//! One file for each command.

pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod manual;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod svid;
pub(crate) mod test;
pub(crate) mod token;
