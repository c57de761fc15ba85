//! Dialogues with chargers, as stories with a hand-moved clock.

mod bench;
mod stories;
