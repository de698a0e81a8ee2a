//! What the hosts say, side by side.

use std::collections::BTreeMap;
use std::fmt;

use crate::answer::Answer;
use crate::hosts::Host;
use crate::lab::Lab;
use crate::question::Group;

/// What one host has said.
#[derive(Debug, Default)]
pub struct Tally {
    /// Whether the host is a server that may change requests.
    pub is_server: bool,
    /// How many answers were the same, byte for byte.
    pub same: usize,
    /// How many cases it can't carry, by why.
    pub not_carried: BTreeMap<String, usize>,
    /// The cases that it answers differently: group, case, what native says and what it says.
    pub different: Vec<Difference>,
}

/// A case that two hosts answer differently.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The group's place in the run.
    pub group: usize,
    /// The case's place in the group.
    pub case: usize,
    /// Its name.
    pub name: String,
    /// What native says.
    pub native: String,
    /// What the host says.
    pub host: String,
}

impl Difference {
    /// Both answers, one below the other.
    #[must_use]
    pub fn tell(&self, host: &str) -> String {
        format!("native and {host}:\n{}\n{}", self.native, self.host)
    }
}

impl Tally {
    /// Nothing yet of this host.
    #[must_use]
    pub fn of(host: &dyn Host) -> Self {
        Self { is_server: host.is_server(), ..Self::default() }
    }

    /// Compares a host's answers with native's.
    pub fn add(&mut self, groups: &[Group], native: &[Vec<Answer>], host: &[Vec<Answer>]) {
        for (index, group) in groups.iter().enumerate() {
            for (number, case) in group.cases.iter().enumerate() {
                match (&native[index][number], &host[index][number]) {
                    (Answer::NotCarried(why), _) | (_, Answer::NotCarried(why)) => {
                        *self.not_carried.entry(why.clone()).or_default() += 1;
                    }
                    (Answer::Record(native), Answer::Record(host)) if native == host => {
                        self.same += 1;
                    }
                    (Answer::Record(_), Answer::Record(_)) if case.direct && self.is_server => {
                        let why = "the transport changes the request before any filter";
                        *self.not_carried.entry(why.to_owned()).or_default() += 1;
                    }
                    (Answer::Record(native), Answer::Record(host)) => {
                        self.different.push(Difference {
                            group: index,
                            case: number,
                            name: case.name.clone(),
                            native: native.clone(),
                            host: host.clone(),
                        });
                    }
                }
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} the same, {} different", self.same, self.different.len())?;
        for (why, count) in &self.not_carried {
            write!(f, "\n{count:>11} not carried: {why}")?;
        }
        Ok(())
    }
}

/// Where a host answers this one question differently from native.
pub fn differs(
    lab: &Lab,
    native: &mut dyn Host,
    host: &mut dyn Host,
    group: &Group,
) -> Option<Difference> {
    let (groups, mut tally) = (core::slice::from_ref(group), Tally::of(host));
    tally.add(groups, &native.answers(lab, groups), &host.answers(lab, groups));
    tally.different.into_iter().next()
}
