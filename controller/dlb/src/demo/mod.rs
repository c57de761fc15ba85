//! The door `dlb demo`: a whole simulated site on loopback, seen through the real protocols.

pub mod site_file;
pub mod world;
