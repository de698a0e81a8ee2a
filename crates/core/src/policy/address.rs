//! Addresses and CIDR blocks.

use alloc::boxed::Box;
use alloc::format;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::PolicyError;
use super::facts::View;
use super::pattern::{Sense, refuse_empty};
use crate::finding::FindingCode;
use crate::json::Quoted;

/// Which address of the connection is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// The physical peer.
    Source,
    /// The client behind trusted proxies.
    Remote,
    Destination,
}

/// Blocks of which one must hold an address.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) address: Address,
    pub(super) blocks: Box<[Block]>,
    pub(super) sense: Sense,
}

impl Addresses {
    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        let connection = &view.facts.connection;
        let address = match self.address {
            Address::Source => connection.source_ip,
            Address::Remote => connection.remote_ip,
            Address::Destination => connection.destination_ip,
        };
        address.is_some_and(|address| self.contain(address))
    }

    /// An IPv4 address that is mapped into IPv6 is read as either by somebody (Envoy compares one
    /// from `X-Forwarded-For` as IPv6): a grant needs both readings, a refusal takes any.
    fn contain(&self, address: IpAddr) -> bool {
        let holds = |address| self.blocks.iter().any(|block| block.contains(address));
        let plain = address.to_canonical();
        match self.sense {
            _ if plain == address => holds(address),
            Sense::Narrow => holds(address) && holds(plain),
            Sense::Wide => holds(address) || holds(plain),
        }
    }
}

/// A block of addresses of one family. A block of IPv4 addresses mapped into IPv6 is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

impl Block {
    /// An address or a CIDR block. Refuses leading zeros, zones and anything else but the two
    /// standard notations; bits behind the prefix length are cleared, as Istio does.
    pub(super) fn parse(value: &str) -> Result<Self, PolicyError> {
        refuse_empty(value)?;
        let bad = || {
            let message = format!(
                "{} is no IP address or CIDR block such as 10.0.0.0/8 or 2001:db8::/32",
                Quoted(value)
            );
            PolicyError::new(FindingCode::BadCidr, message)
        };
        let (address, length) = match value.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (value, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(width), |length| parse_length(length, width));
        let length = length.ok_or_else(bad)?;
        match address {
            IpAddr::V4(address) => Ok(Self::v4(address, length)),
            IpAddr::V6(address) => match (address.to_ipv4_mapped(), length.checked_sub(96)) {
                (Some(address), Some(length)) => Err(mapped(value, address, length)),
                _ => Ok(Self::v6(address, length)),
            },
        }
    }

    fn v4(address: Ipv4Addr, length: u32) -> Self {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
        Self::V4 { network: address.to_bits() & mask, mask }
    }

    fn v6(address: Ipv6Addr, length: u32) -> Self {
        let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
        Self::V6 { network: address.to_bits() & mask, mask }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                address.to_bits() & mask == *network
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                address.to_bits() & mask == *network
            }
            (Self::V4 { .. }, IpAddr::V6(_)) | (Self::V6 { .. }, IpAddr::V4(_)) => false,
        }
    }
}

/// A listener for both families gives IPv4 addresses as such, so that Envoy finds none in a block
/// of IPv6.
fn mapped(value: &str, address: Ipv4Addr, length: u32) -> PolicyError {
    let message = format!(
        "{} never matches: write it as an IPv4 block: \"{address}/{length}\"",
        Quoted(value)
    );
    PolicyError::new(FindingCode::BadCidr, message)
}

fn parse_length(text: &str, width: u32) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|length| digits && canonical && *length <= width)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn contains(block: &str, address: &str) -> bool {
        Block::parse(block).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_neighbour() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "255.0.0.1", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
        ] {
            assert!(contains(block, inside), "{block} {inside}");
            assert!(!contains(block, outside), "{block} {outside}");
        }
    }

    #[test]
    fn a_mapped_address_is_granted_in_both_readings_and_refused_in_either() {
        for (blocks, address, narrow, wide) in [
            (&["10.0.0.0/8"][..], "::ffff:10.0.0.1", false, true),
            (&["::/0"], "::ffff:10.0.0.1", false, true),
            (&["::/0", "10.0.0.0/8"], "::ffff:10.0.0.1", true, true),
            (&["10.0.0.0/8"], "::ffff:11.0.0.1", false, false),
        ] {
            let parsed: Vec<_> = blocks.iter().map(|block| Block::parse(block).unwrap()).collect();
            for (sense, expected) in [(Sense::Narrow, narrow), (Sense::Wide, wide)] {
                let blocks = parsed.clone().into();
                let addresses = Addresses { address: Address::Remote, blocks, sense };
                assert_eq!(addresses.contain(address.parse().unwrap()), expected, "{sense:?}");
            }
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for value in [
            "10.0.0.0/33",
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "010.0.0.1",
            "10.0.0",
            "fe80::1%eth0",
            "::/129",
            "10.0.0.0/8/8",
            " 10.0.0.1",
            "*",
            "0x0a.0.0.1",
            "10.0.0.0/-1",
        ] {
            assert_eq!(Block::parse(value).unwrap_err().code.name(), "bad_cidr", "{value}");
        }
        for value in ["10.0.0.0/32", "::/128", "10.0.0.0/0"] {
            assert!(Block::parse(value).is_ok(), "{value}");
        }
    }
}
