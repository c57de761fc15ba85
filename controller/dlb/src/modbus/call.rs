//! One request through tokio-modbus, and what its answer amounts to.

use super::Answer;
use dlb_links::modbus::{Fault, Function};
use std::borrow::Cow;
use std::io::ErrorKind;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::{Error, Request, Response};

/// Asks and waits; the caller bounds the time.
pub(super) async fn call(client: &mut Context, function: &Function) -> Answer {
    match client.call(request(function)).await {
        Ok(Ok(response)) => registers(function, response),
        Ok(Err(exception)) => Err(Fault::Exception(exception.into())),
        Err(Error::Protocol(_)) => Err(Fault::Garbled),
        Err(Error::Transport(error)) => Err(fault(error.kind())),
    }
}

/// The device's own word: the connection behind it is in order.
pub(super) const fn settled(answer: &Answer) -> bool {
    matches!(answer, Ok(_) | Err(Fault::Exception(_)))
}

const fn fault(kind: ErrorKind) -> Fault {
    match kind {
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Fault::Garbled,
        _ => Fault::Disconnected,
    }
}

fn request(function: &Function) -> Request<'_> {
    match function {
        Function::ReadHolding { address, count } => Request::ReadHoldingRegisters(*address, *count),
        Function::ReadInput { address, count } => Request::ReadInputRegisters(*address, *count),
        Function::WriteSingle { address, value } => Request::WriteSingleRegister(*address, *value),
        Function::WriteMultiple { address, values } => {
            Request::WriteMultipleRegisters(*address, Cow::Borrowed(values))
        }
    }
}

/// A read must bring as many registers as were asked for, a write must be repeated as it was sent.
fn registers(function: &Function, response: Response) -> Answer {
    match (function, response) {
        (Function::ReadHolding { count, .. }, Response::ReadHoldingRegisters(words))
        | (Function::ReadInput { count, .. }, Response::ReadInputRegisters(words))
            if words.len() == usize::from(*count) =>
        {
            Ok(words)
        }
        (Function::WriteSingle { address, value }, Response::WriteSingleRegister(at, shown))
            if (*address, *value) == (at, shown) =>
        {
            Ok(Vec::new())
        }
        (Function::WriteMultiple { address, values }, Response::WriteMultipleRegisters(at, count))
            if (*address, values.len()) == (at, usize::from(count)) =>
        {
            Ok(Vec::new())
        }
        _ => Err(Fault::Garbled),
    }
}
