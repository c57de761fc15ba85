//! The speaking half of dlb: OCPP and Modbus as machines.
//!
//! A machine takes what arrived (a frame, an answer, an order) and `now`; it gives out what must be
//! sent, what was learnt ([`charger::Notice`], readings) and when it wants to be woken. There is no
//! socket, no clock and no executor in here: tests drive a machine with byte constants and a hand-moved
//! clock, the program with sockets, the simulator with made-up ones.
//!
//! What a make and model needs differently is data (`maps/`), never a branch on a vendor's name.

pub mod adc;
pub mod charger;
pub mod modbus;
pub mod ocpp16;
