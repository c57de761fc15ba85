//! The deciding half of dlb: what is measured, what is allowed, what must be commanded.
//!
//! Nothing in here talks to the world. There is no clock (every function that depends on time takes
//! `now` and returns when it wants to be woken), no randomness, no thread, no I/O crate and no word of
//! any protocol. The same inputs give the same outputs, to the bit.
//!
//! The rooms, in the order in which data passes through them; a room may use those above it:
//!
//! | room | turns … into … |
//! |---|---|
//! | [`units`], [`time`], [`lines`] | the words: amperes, instants, the three lines |
//! | [`reading`] | what a meter said, how old and how good it is |
//! | [`measure`] | raw converter codes into readings |
//! | [`site`] | the tree of circuits and the chargers on it |
//! | [`guard`] | what chargers must leave free because a line has carried too much |
//! | [`snapshot`] | one frozen picture of the site |
//! | [`allocation`] | a limit and a reason for every charger |
//! | [`allocate`] | a snapshot into an allocation |
//! | [`failsafe`] | what chargers fall back to, chosen and checked against every circuit |
//! | [`load`] | the load that is not ours, and what chargers may draw of the rest |
//! | [`polarity`] | whether a meter counts the right way round, by what our cars do to it |
//! | [`ours`] | what chargers drive through each circuit, angles and transformers included |
//! | [`settle`] | how long a limit takes until it has its effect, by make and model |
//! | [`ledger`] | which limits may be in force, and what may be sent now |
//! | [`appetite`] | what a car really takes |
//! | [`surplus`] | what the sun leaves for cars that follow it |

pub mod allocate;
pub mod allocation;
pub mod appetite;
pub mod failsafe;
pub mod guard;
pub mod ledger;
pub mod lines;
pub mod load;
pub mod measure;
pub mod ours;
pub mod polarity;
pub mod reading;
pub mod settle;
pub mod site;
pub mod snapshot;
pub mod surplus;
pub mod time;
pub mod units;
