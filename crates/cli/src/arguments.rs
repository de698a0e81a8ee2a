//! The command line.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    check, compile, diff, explain, graph, manual, schema, serve, svid, test, token,
};

const EXAMPLES: &str = "\
A policy's way into production:
  lychgate check policies                                 what is wrong or doubtful
  lychgate test policies                                  does it do what it should
  lychgate explain policies --namespace shop --path /pay  why a request gets its verdict
  lychgate compile policies --namespace shop -o b.json    the bundle that a proxy loads

lychgate COMMAND --help has examples of each command.

Exit codes: 0 done, 1 refused, 2 wrong usage.";

/// Compiles, checks and tries policies for trust boundaries.
#[derive(Debug, Parser)]
#[command(name = "lychgate", version, about, max_term_width = 100)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile Istio's security resources into one bundle for one workload
    Compile(compile::Options),
    /// Check policies or a compiled bundle, and print errors and warnings
    Check(check::Options),
    /// Explain why a request gets its verdict
    Explain(Box<explain::Options>),
    /// Run table tests of policies
    Test(test::Options),
    /// Make and read tokens for development
    #[command(subcommand)]
    Token(token::Command),
    /// Make SPIFFE certificates and JWT-SVIDs for development
    #[command(subcommand)]
    Svid(svid::Command),
    /// Draw who may call whom
    Graph(graph::Options),
    /// Say what changes for callers between two policies
    Diff(diff::Options),
    /// Answer questions over HTTP, for tests and other languages
    Serve(serve::Options),
    /// Print the JSON Schema of a document, for editors
    Schema(schema::Options),
    /// Print a completion script for a shell
    Completions(manual::Completions),
    /// Print or write man pages
    Man(manual::Manual),
}

/// The workload that a policy is for.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkloadOptions {
    /// Namespace of the workload
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// Label of the workload; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<Pair>,
    /// What stands in front of the workload
    #[arg(long, value_enum, default_value_t = Kind::Sidecar)]
    pub(crate) kind: Kind,
    /// What a targetRef may name: KIND/NAME, or GROUP/KIND/NAME; may be repeated
    #[arg(long = "target", value_name = "[GROUP/]KIND/NAME")]
    pub(crate) targets: Vec<Target>,
    /// Trust domain of the mesh
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) trust_domain: Option<String>,
    /// Another name of the trust domain; may be repeated
    #[arg(long = "trust-domain-alias", value_name = "DOMAIN")]
    pub(crate) trust_domain_aliases: Vec<String>,
    /// Namespace whose policies apply to the whole mesh
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) root_namespace: Option<String>,
    /// File (YAML or JSON) with the bundle's settings
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Accept that no AuthorizationPolicy applies: every request passes
    #[arg(long)]
    pub(crate) allow_unrestricted: bool,
}

/// What stands in front of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Kind {
    /// A proxy beside it
    Sidecar,
    /// A gateway
    Gateway,
    /// An ambient waypoint
    Waypoint,
}

impl Kind {
    /// The name in a bundle.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
        }
    }
}

/// `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = BadArgument;

    fn from_str(text: &str) -> Result<Self, BadArgument> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(BadArgument("KEY=VALUE is needed")),
        }
    }
}

/// What a targetRef names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl FromStr for Target {
    type Err = BadArgument;

    fn from_str(text: &str) -> Result<Self, BadArgument> {
        let parts: Vec<&str> = text.split('/').collect();
        let (group, kind, name) = match parts.as_slice() {
            [kind, name] => ("", *kind, *name),
            [group, kind, name] => (*group, *kind, *name),
            _ => return Err(BadArgument("KIND/NAME or GROUP/KIND/NAME is needed")),
        };
        if kind.is_empty() || name.is_empty() {
            return Err(BadArgument("KIND/NAME or GROUP/KIND/NAME is needed"));
        }
        Ok(Self { group: group.to_owned(), kind: kind.to_owned(), name: name.to_owned() })
    }
}

/// An argument that is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadArgument(pub(crate) &'static str);

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for BadArgument {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn labels_have_a_key() {
        assert!("app=web".parse::<Pair>().is_ok());
        assert_eq!("app=a=b".parse::<Pair>().unwrap().value, "a=b");
        assert!("=web".parse::<Pair>().is_err());
        assert!("app".parse::<Pair>().is_err());
    }

    #[test]
    fn targets_have_a_kind_and_a_name() {
        let service = "Service/web".parse::<Target>().unwrap();
        assert_eq!((service.group.as_str(), service.kind.as_str()), ("", "Service"));
        let gateway = "gateway.networking.k8s.io/Gateway/web".parse::<Target>().unwrap();
        assert_eq!(gateway.group, "gateway.networking.k8s.io");
        for refused in ["", "web", "Service/", "/web", "a/b/c/d", "g//web"] {
            assert!(refused.parse::<Target>().is_err(), "{refused}");
        }
    }
}
