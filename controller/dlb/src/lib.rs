//! The program: command line, executor, sockets, serial ports, SPI, files, database, broker, web page.
//! The only place with a clock.

pub mod adoption;
pub mod allocate;
pub mod analyse;
pub mod backup;
pub mod clamps;
pub mod clock;
pub mod config;
pub mod demo;
mod diagnostics;
pub mod gpio;
pub mod journal;
pub mod modbus;
pub mod register;
pub mod reset;
pub mod run;
pub mod sampling;
mod schema;
pub mod services;
pub mod simulate;
pub mod site;
pub mod store;
pub mod supervisor;
pub mod update;
pub mod view;
pub mod web;
