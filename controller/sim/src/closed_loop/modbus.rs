//! The Modbus devices of a site: chargers of the bays and meters, and one exchange with them.

use super::meters::Meters;
use crate::modbus::{RegisterFile, answer};
use crate::world::World;
use dlb_engine::time::Instant;
use dlb_links::modbus::{Fault, Function, Request};

/// What is at the other end of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The charger of this bay.
    Bay(usize),
    /// The meter of this position in the settings.
    Meter(usize),
}

impl Device {
    /// One request and its answer.
    pub(super) fn exchange(
        self,
        world: &mut World,
        meters: &mut Meters,
        now: Instant,
        request: &Request,
    ) -> Result<Vec<u16>, Fault> {
        let device: &mut dyn RegisterFile = match self {
            Self::Bay(bay) => world.registers_mut(bay).ok_or(Fault::Disconnected)?,
            Self::Meter(meter) => meters.registers(world, meter, now).ok_or(Fault::Timeout)?,
        };
        let told = answer(device, now, request.unit, &body(&request.function)).ok_or(Fault::Timeout)?;
        match told[..] {
            [function, code] if function >= 0x80 => Err(Fault::Exception(code)),
            [3 | 4, _, ref words @ ..] => {
                Ok(words.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// A request as bytes.
fn body(function: &Function) -> Vec<u8> {
    let head = |code: u8, one: u16, two: u16| {
        let [a, b] = one.to_be_bytes();
        let [c, d] = two.to_be_bytes();
        vec![code, a, b, c, d]
    };
    match function {
        Function::ReadHolding { address, count } => head(3, *address, *count),
        Function::ReadInput { address, count } => head(4, *address, *count),
        Function::WriteSingle { address, value } => head(6, *address, *value),
        Function::WriteMultiple { address, values } => {
            let mut body = head(16, *address, values.len() as u16);
            body.push(2 * values.len() as u8);
            body.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            body
        }
    }
}
