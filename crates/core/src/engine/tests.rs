//! Tests of the whole pipeline; the crypto library is that of `jwt::testing`.

mod answers;
mod handed_on;
mod load;
mod pipeline;
mod remembered;
mod selection;
mod support;
