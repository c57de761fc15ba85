//! Request bodies taken apart, answer bodies put together: functions 3, 4, 6 and 16.

use super::{Exception, ReadRange, RegisterFile, Table, Way};
use dlb_engine::time::Instant;

/// The most registers that one request may read, and write.
const READ_MAX: u16 = 125;
const WRITE_MAX: usize = 123;

/// The answer of a device to the body of a request. `None`: nobody of this unit number is here.
pub fn answer(device: &mut dyn RegisterFile, now: Instant, unit: u8, body: &[u8]) -> Option<Vec<u8>> {
    if !device.listens_to(unit) {
        return None;
    }
    let function = *body.first()?;
    let outcome = match function {
        3 => read(device, now, unit, Table::Holding, body),
        4 => read(device, now, unit, Table::Input, body),
        6 => write_single(device, now, unit, body),
        16 => write_multiple(device, now, unit, body),
        _ => Err(Exception::IllegalFunction),
    };
    Some(outcome.unwrap_or_else(|exception| vec![function | 0x80, exception as u8]))
}

type Body = Result<Vec<u8>, Exception>;

fn read(device: &mut dyn RegisterFile, now: Instant, unit: u8, table: Table, body: &[u8]) -> Body {
    let (address, count) = (word(body, 1)?, word(body, 3)?);
    if !(1..=READ_MAX).contains(&count) {
        return Err(Exception::IllegalValue);
    }
    let words = device.read(now, unit, ReadRange { table, address, count })?;
    let mut answer = vec![body[0], 2 * count as u8];
    answer.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    Ok(answer)
}

fn write_single(device: &mut dyn RegisterFile, now: Instant, unit: u8, body: &[u8]) -> Body {
    let (address, value) = (word(body, 1)?, word(body, 3)?);
    device.write(now, unit, Way::Single, address, &[value])?;
    Ok(body[..5].to_vec())
}

fn write_multiple(device: &mut dyn RegisterFile, now: Instant, unit: u8, body: &[u8]) -> Body {
    let (address, count) = (word(body, 1)?, usize::from(word(body, 3)?));
    let sound =
        (1..=WRITE_MAX).contains(&count) && body.len() == 6 + 2 * count && usize::from(body[5]) == 2 * count;
    if !sound {
        return Err(Exception::IllegalValue);
    }
    let values = (0..count).map(|at| word(body, 6 + 2 * at)).collect::<Result<Vec<_>, _>>()?;
    device.write(now, unit, Way::Multiple, address, &values)?;
    Ok(body[..5].to_vec())
}

fn word(body: &[u8], at: usize) -> Result<u16, Exception> {
    let bytes = body.get(at..at + 2).ok_or(Exception::IllegalValue)?;
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}
