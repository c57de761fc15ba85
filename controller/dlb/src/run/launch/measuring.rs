//! The clamps of a starting program: their corrections, their converter, their thread.

use super::{Running, tell_trouble};
use crate::clamps::ClampDesk;
use crate::clock;
use crate::run::chain;
use crate::sampling::{self, BoardFile, Lateness, Options, Source, Told, Watch, on_box};
use crate::site::ocpp_server::Incoming;
use dlb_wiring::event::{Alert, Event, Severity};
use std::path::Path;
use std::sync::Arc;

/// What was corrected on the clamps before; a record that is damaged does not hold up the start.
pub(super) fn open_clamps(data: &Path, site: &async_channel::Sender<Incoming>) -> Arc<ClampDesk> {
    let (desk, trouble) = ClampDesk::open(data);
    if let Some(trouble) = trouble {
        tell_trouble(site, format!("{trouble}."));
    }
    Arc::new(desk)
}

impl Running {
    /// Starts measuring with the converter that the board file names. A box whose converter does not
    /// answer goes on without it: its meter is lost, and the site runs on static limits.
    pub(super) fn measure_on_the_box(&mut self, board: &Path) {
        let opened = BoardFile::read(board).map_err(|error| chain(&error)).and_then(|file| {
            let source = on_box(&file).map_err(|error| chain(&error))?;
            self.measure(&file, source, true)
        });
        if let Err(error) = opened {
            tell_trouble(&self.incoming, format!("The clamps cannot be read: {error}."));
        }
    }

    /// Starts the sampling thread on this source.
    ///
    /// # Errors
    /// A board that makes no sense, in words.
    pub fn measure(
        &mut self,
        file: &BoardFile,
        source: Box<dyn Source>,
        real_time: bool,
    ) -> Result<(), String> {
        let Some(meter) = self.clamps.clone() else {
            return Err("no meter of the configuration has source = \"clamps\"".to_owned());
        };
        let file = &file.clone().sampled();
        let (corrected, left_out) = self.clamp_desk.correct(file);
        left_out.into_iter().for_each(|text| tell_trouble(&self.incoming, text));
        let board = corrected.board().map_err(|error| chain(&error))?;
        let options = Options { real_time, register: Arc::clone(&self.register), ..Options::default() };
        let (site, tally, mut lateness) =
            (self.incoming.clone(), Arc::clone(&options.tally), Lateness::default());
        let hand_over = Box::new(move |outcome| {
            if let Some(told) = lateness.look(&tally) {
                // Told again after the next loss, should there be no room now.
                let _ = site.try_send(Incoming::Event(Event::Trouble(slowness(told))));
            }
            let event = Event::Clamps { meter: meter.clone(), outcome };
            site.try_send(Incoming::Event(event)).is_ok()
        });
        let watch: Watch = match self.ringer.take() {
            Some(mut ringer) => Box::new(move |cycle| ringer.saw(cycle)),
            None => Box::new(|_| {}),
        };
        let started = sampling::start(source, board, options, hand_over, watch);
        let sampling = started.map_err(|error| chain(&error))?;
        let attached = self.clamp_desk.attach(file, sampling.probe().clone());
        attached.map_err(|error| chain(&error))?;
        self.sampling = Some(sampling);
        Ok(())
    }
}

fn slowness(told: Told) -> Alert {
    let text = match told {
        Told::Slow { lost, of } => format!(
            "{lost} of {of} samples of the clamps were lost within ten seconds: this machine is too slow for its \
             converter, or was busy. Give dlb real-time priority (LimitRTPRIO=50), or lower sample_rate_hz."
        ),
        Told::KeepsUp => "No sample of the clamps was lost for a minute.".to_owned(),
    };
    Alert {
        at: clock::now(),
        severity: Severity::Warning,
        about: "clamps".into(),
        code: "samples-lost",
        text,
        cleared: told == Told::KeepsUp,
    }
}
