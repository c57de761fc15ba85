//! Lines of the kernel's GPIO character device, through `gpiocdev`. As thin as can be: no test without a chip
//! reaches further down than the configuration that is asked for.
//!
//! When the program ends or crashes, the kernel closes its file and frees the line. What the pin does then is
//! the driver's choice: most leave it as it was last driven, some turn it into an input. A contact loses
//! nothing by that; whatever a line drives must be wired so that a floating line is the safe state.

use super::{Bias, Chips, InputLine, LineFault, OutputLine, Wiring};
use gpiocdev::async_io::AsyncRequest;
use gpiocdev::line::{Bias as LineBias, EdgeDetection, Value};
use gpiocdev::request::{Config, Request};

/// The kernel's chips.
#[derive(Clone, Copy, Debug, Default)]
pub struct CharacterDevice;

/// A line that is ours to read.
#[derive(Debug)]
pub(crate) struct KernelInput {
    request: AsyncRequest,
    wiring: Wiring,
}

/// A line that is ours to drive.
#[derive(Debug)]
pub(crate) struct KernelOutput {
    request: Request,
    wiring: Wiring,
}

impl Chips for CharacterDevice {
    type Input = KernelInput;
    type Output = KernelOutput;

    fn output(&self, wiring: &Wiring) -> Result<KernelOutput, LineFault> {
        let request = Request::from_config(output_config(wiring))
            .with_consumer(format!("dlb: {}", wiring.id))
            .request()
            .map_err(|source| fault(wiring, source))?;
        Ok(KernelOutput { request, wiring: wiring.clone() })
    }

    fn input(&self, wiring: &Wiring) -> Result<KernelInput, LineFault> {
        let request = Request::from_config(config(wiring))
            .with_consumer(format!("dlb: {}", wiring.id))
            .request()
            .map_err(|source| fault(wiring, source))?;
        Ok(KernelInput { request: AsyncRequest::new(request), wiring: wiring.clone() })
    }
}

/// Both edges, so that a level that ends is seen as soon as one that begins.
fn config(wiring: &Wiring) -> Config {
    let mut config = Config::default();
    config.on_chip(&wiring.chip).with_line(wiring.line).as_input();
    if wiring.active_low {
        config.as_active_low();
    }
    let bias = match wiring.bias {
        Bias::None => None,
        Bias::PullUp => Some(LineBias::PullUp),
        Bias::PullDown => Some(LineBias::PullDown),
    };
    config.with_bias(bias).with_edge_detection(EdgeDetection::BothEdges);
    config
}

/// Inactive from the first instant on: the kernel sets direction and level in one step.
fn output_config(wiring: &Wiring) -> Config {
    let mut config = Config::default();
    config.on_chip(&wiring.chip).with_line(wiring.line).as_output(Value::Inactive);
    if wiring.active_low {
        config.as_active_low();
    }
    config
}

impl OutputLine for KernelOutput {
    fn set(&mut self, active: bool) -> Result<(), LineFault> {
        let value = if active { Value::Active } else { Value::Inactive };
        self.request
            .set_value(self.wiring.line, value)
            .map(|_edge| ())
            .map_err(|source| fault(&self.wiring, source))
    }
}

impl InputLine for KernelInput {
    fn is_active(&self) -> Result<bool, LineFault> {
        let value =
            self.request.as_ref().value(self.wiring.line).map_err(|source| fault(&self.wiring, source))?;
        Ok(value == Value::Active)
    }

    async fn edge(&mut self) -> Result<(), LineFault> {
        self.request.read_edge_event().await.map(|_edge| ()).map_err(|source| fault(&self.wiring, source))
    }
}

fn fault(wiring: &Wiring, source: gpiocdev::Error) -> LineFault {
    LineFault { chip: wiring.chip.clone(), line: wiring.line, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpiocdev::line::Direction;

    fn wiring(active_low: bool, bias: Bias) -> Wiring {
        Wiring { id: "ripple".into(), chip: "/dev/gpiochip0".into(), line: 17, active_low, bias }
    }

    #[test]
    fn a_contact_to_ground_is_asked_for_as_an_active_low_input_with_pull_up_and_both_edges() {
        let config = config(&wiring(true, Bias::PullUp));
        assert_eq!(config.chip(), std::path::Path::new("/dev/gpiochip0"));
        let line = config.line_config(17).unwrap();
        assert_eq!(line.direction, Some(Direction::Input));
        assert!(line.active_low);
        assert_eq!(line.bias, Some(LineBias::PullUp));
        assert_eq!(line.edge_detection, Some(EdgeDetection::BothEdges));
        assert_eq!(line.debounce_period, None);
    }

    #[test]
    fn a_driven_contact_is_asked_for_without_bias() {
        let line = config(&wiring(false, Bias::None)).line_config(17).unwrap().clone();
        assert!(!line.active_low);
        assert_eq!(line.bias, None);
    }

    #[test]
    fn a_relay_is_asked_for_as_an_output_that_is_inactive_from_the_start() {
        let line = output_config(&wiring(true, Bias::None)).line_config(17).unwrap().clone();
        assert_eq!((line.direction, line.value), (Some(Direction::Output), Some(Value::Inactive)));
        assert!(line.active_low);
        assert_eq!((line.bias, line.edge_detection), (None, None));
    }

    #[test]
    fn a_chip_that_is_not_there_is_named() {
        let wiring = Wiring { chip: "/nowhere/gpiochip9".into(), ..wiring(true, Bias::PullUp) };
        let said = crate::run::chain(&CharacterDevice.input(&wiring).unwrap_err());
        assert!(said.starts_with("line 17 of /nowhere/gpiochip9: "), "{said}");
    }

    /// Where the machine has a chip, its first free line is really asked for and read.
    #[test]
    fn a_line_of_a_real_chip_is_read() {
        let Some(chip) = gpiocdev::chip::chips().ok().and_then(|chips| chips.into_iter().next()) else {
            println!("skipped: this machine has no /dev/gpiochip*");
            return;
        };
        let lines = gpiocdev::chip::Chip::from_path(&chip)
            .and_then(|chip| chip.info())
            .map_or(0, |info| info.num_lines);
        let read = (0..lines).find_map(|line| {
            let wiring = Wiring { chip: chip.clone(), line, ..wiring(false, Bias::None) };
            CharacterDevice.input(&wiring).ok()?.is_active().ok()
        });
        match read {
            Some(level) => println!("read {level} from {}", chip.display()),
            None => println!("skipped: no line of {} is free", chip.display()),
        }
    }
}
