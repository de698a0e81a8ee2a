use super::*;
use crate::jwt::UnverifiedToken;
use crate::jwt::jwk::KeyProfile;
use crate::jwt::jwks::KeySet;
use crate::jwt::key::Outcome;
use crate::jwt::testing::{AnyKey, jwk, jwks, signed};
use alloc::format;
use alloc::sync::Arc;
use proptest::collection::vec;
use proptest::prelude::*;

fn verified(index: usize) -> VerifiedToken {
    verified_by(None, index)
}

fn verified_by(kid: Option<&str>, index: usize) -> VerifiedToken {
    let set = jwks(&[jwk(7, "")]);
    let set = KeySet::parse(set.as_bytes(), KeyProfile::Jwt, &AnyKey).unwrap();
    let text = signed(kid, &format!(r#"{{"sub":"{index:06}"}}"#), 7);
    let token = UnverifiedToken::parse(text.as_bytes(), usize::MAX).unwrap();
    let check = token.check_with(Arc::clone(&set.keys()[0])).unwrap();
    check.finish(Outcome::Valid).unwrap()
}

#[test]
fn a_token_is_found_by_all_of_its_bytes() {
    let mut cache = TokenCache::default();
    let token = verified(1);
    assert!(cache.find(token.credential()).is_none());
    cache.insert(&token);
    assert!(cache.find(token.credential()).unwrap().is_same(&token));
    for index in 0..token.credential().len() {
        let mut other = token.credential().to_vec();
        other[index] ^= 1;
        assert!(cache.find(&other).is_none(), "{index}");
    }
    let (_, shorter) = token.credential().split_last().unwrap();
    assert!(cache.find(shorter).is_none());
    assert!(cache.find(&[]).is_none());
}

/// Whether the bytes that are counted are those of the tokens that are there.
fn is_counted(cache: &TokenCache) -> bool {
    let memory = |slots: &[Option<Slot>]| -> usize {
        slots.iter().flatten().map(|slot| slot.token.memory()).sum()
    };
    let (_, settled) = cache.slots.split_at(cache.newcomers);
    cache.bytes() == memory(&cache.slots) && cache.bytes == memory(settled)
}

#[test]
fn the_number_of_tokens_is_bounded() {
    let mut cache = TokenCache::new(64, usize::MAX);
    for index in 0..1000 {
        let token = verified(index);
        cache.insert(&token);
        assert!(cache.find(token.credential()).is_some(), "the newest is always there");
    }
    assert!(cache.len() <= 64 && cache.len() > 32, "{}", cache.len());
    assert!(is_counted(&cache));
}

proptest! {
    #[test]
    fn in_any_order_the_bounds_hold_and_a_token_is_itself(
        all in vec((any::<bool>(), 0..200_usize), 0..600),
        room in 0..100_usize,
    ) {
        let tokens: Vec<_> = (0..200).map(verified).collect();
        let limit = tokens[0].memory().saturating_mul(room);
        let mut cache = TokenCache::new(64, limit);
        for (is_new, index) in all {
            let token = &tokens[index];
            if is_new {
                cache.insert(token);
            } else if let Some(found) = cache.find(token.credential()) {
                prop_assert!(found.is_same(token));
            }
            prop_assert!(is_counted(&cache) && cache.bytes() <= limit && cache.len() <= 64);
        }
    }
}

#[test]
fn the_bytes_are_bounded() {
    let size = verified(0).memory();
    let mut cache = TokenCache::new(1024, 10 * size);
    for index in 0..100 {
        cache.insert(&verified(index));
        cache.insert(&verified(index));
        assert!(cache.bytes() <= 10 * size);
    }
    // A quarter of the bytes is for newcomers, and here no place has enough of that for one.
    assert_eq!(cache.len(), 7);
    assert!(is_counted(&cache));
}

#[test]
fn a_token_is_kept_at_the_bound_of_bytes_and_not_past_it() {
    let token = verified(0);
    let mut cache = TokenCache::new(4, token.memory());
    cache.insert(&token);
    assert_eq!(cache.len(), 1);
    let mut cache = TokenCache::new(4, token.memory() - 1);
    cache.insert(&token);
    assert!(cache.is_empty());
}

#[test]
fn the_same_token_takes_one_place() {
    let mut cache = TokenCache::default();
    for _ in 0..3 {
        cache.insert(&verified(1));
    }
    assert_eq!(cache.len(), 1);
    assert_eq!(cache.bytes(), verified(1).memory());
}

#[test]
fn a_token_in_use_outlives_those_that_are_not() {
    let mut cache = TokenCache::new(4, usize::MAX);
    let favourite = verified(0);
    cache.insert(&favourite);
    for index in 1..100 {
        assert!(cache.find(favourite.credential()).is_some(), "{index}");
        cache.insert(&verified(index));
    }
    assert!(cache.find(favourite.credential()).is_some());
    assert_eq!(cache.len(), 4);
}

#[test]
fn a_cache_without_entries_keeps_nothing() {
    for entries in 0..4 {
        let mut cache = TokenCache::new(entries, usize::MAX);
        cache.insert(&verified(1));
        assert!(cache.find(verified(1).credential()).is_none());
        assert!(cache.is_empty());
    }
}

#[test]
fn similar_tokens_spread_over_the_places() {
    let mut cache = TokenCache::default();
    for index in 0..1024 {
        cache.insert(&verified(index));
    }
    // Sets of four, taken at random, keep about four fifths of as many tokens as they have room.
    assert!(cache.len() > 768, "{}", cache.len());
    assert!(is_counted(&cache));
}

#[test]
fn tokens_that_come_once_take_no_place_of_one_that_came_again() {
    // Once they fill all places, once all bytes, and once no newcomer has room.
    let size = verified(0).memory();
    for (entries, bytes) in [(1024, usize::MAX), (64, 32 * size), (1024, 128 * size)] {
        let mut cache = TokenCache::new(entries, bytes);
        (0..5000).for_each(|index| cache.insert(&verified(index)));
        let again = verified(5000);
        cache.insert(&again);
        cache.insert(&again);
        let settled = cache.bytes;
        (5001..9000).for_each(|index| cache.insert(&verified(index)));
        assert!(cache.find(again.credential()).is_some(), "{bytes}");
        assert_eq!(cache.bytes, settled);
    }
}

#[test]
fn a_token_that_comes_again_too_late_is_kept_when_it_is_verified_again() {
    let mut cache = TokenCache::default();
    // No place is free any more.
    let mut others = (1..).map(verified);
    (0..5000).for_each(|_| cache.insert(&others.next().unwrap()));
    let late = verified(0);
    cache.insert(&late);
    (0..500).for_each(|_| cache.insert(&others.next().unwrap()));
    assert!(cache.find(late.credential()).is_none());
    cache.insert(&late);
    (0..500).for_each(|_| cache.insert(&others.next().unwrap()));
    assert!(cache.find(late.credential()).is_some_and(|token| token.is_same(&late)));
}

#[test]
fn nothing_in_a_cache_can_be_formatted() {
    let mut cache = TokenCache::default();
    cache.insert(&verified(1));
    assert!(!format!("{cache:?}").contains("eyJ"));
}

#[test]
fn the_headers_of_the_last_four_keys_are_known_by_all_of_their_bytes() {
    let mut cache = TokenCache::default();
    let tokens: Vec<_> = (0..5).map(|key| verified_by(Some(&format!("key-{key}")), key)).collect();
    assert!(cache.header(tokens[0].header_text()).is_none());
    for token in &tokens {
        cache.insert(token);
        cache.insert(token);
        let header = cache.header(token.header_text()).unwrap();
        assert_eq!(header.key_id(), token.header().key_id());
    }
    let is_known = |text: &[u8]| cache.header(text).is_some();
    let known: Vec<_> = tokens.iter().map(|token| is_known(token.header_text())).collect();
    assert_eq!(known, [false, true, true, true, true]);
    let (_, shorter) = tokens[4].header_text().split_last().unwrap();
    assert!(!is_known(shorter) && !is_known(b""));
}
