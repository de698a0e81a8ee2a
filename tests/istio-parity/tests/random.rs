//! A short run by the model of Envoy; the command makes longer ones, with Envoy itself.
#![allow(clippy::std_instead_of_core, reason = "a test")]

use lychgate_istio_parity::parity;

#[test]
fn nothing_random_is_looser_than_istio_or_stricter_without_a_name() {
    let report = parity::run(20_261_122, 40_000, false);
    assert!(report.is_clean(), "{report}");
    println!("{report}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || parity::run(7, 2_000, false).to_string();
    assert_eq!(run(), run());
}
