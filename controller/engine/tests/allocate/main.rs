//! The allocation, seen from outside: rules that hold for every site, and stories of some.

mod checker;
mod exact;
mod ledger;
mod properties;
mod random;
mod stories;
mod supplies;
mod town;
