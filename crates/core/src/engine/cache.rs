//! What an engine remembers from one request to the next.

use alloc::vec::Vec;

use super::recent::Recent;
use crate::authn::TokenCache;
use crate::request::HeaderLine;

/// What is remembered from one request to the next: tokens that are genuine, and requests that were
/// decided. It changes what an answer costs, never the answer.
///
/// One of these serves one engine and whatever replaces it: two that take turns with it get the right
/// answers, but what it remembers of requests is that of the last one.
#[derive(Debug)]
pub struct Cache {
    pub(super) tokens: TokenCache,
    pub(super) recent: Recent,
    /// Empty, and its memory is for the lines of the next request.
    pub(super) lines: Vec<HeaderLine<'static>>,
}

impl Cache {
    /// Remembers at most so many tokens, and so many bytes of memory for them; and as many requests,
    /// with as many bytes for those.
    ///
    /// Entries are rounded down: tokens to a multiple of 4, requests to a power of two. With less than
    /// 4 nothing is kept.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        Self {
            tokens: TokenCache::new(entries, bytes),
            recent: Recent::new(entries, bytes),
            lines: Vec::new(),
        }
    }
}

/// As many tokens as one worker usually has callers.
impl Default for Cache {
    fn default() -> Self {
        Self::new(TokenCache::ENTRIES, TokenCache::BYTES)
    }
}
