//! Tests of the whole pipeline; the crypto library is that of `jwt::testing`.

mod handed_on;
mod load;
mod support;
