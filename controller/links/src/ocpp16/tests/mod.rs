//! Dialogues with chargers, as stories with a hand-moved clock.

mod bench;
mod ladder;
mod makes;
mod mutations;
mod restarts;
mod sloppy;
mod stories;
mod timing;
mod wire_format;
