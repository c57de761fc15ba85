//! Who is connected: bounded in number, altogether and per address, and polite ones go first.
//!
//! When all places are taken, the newcomer gets the place of whoever deserves it least: a connection
//! that has not brought a whole request for longest, then one that is being answered without a login,
//! then one that only watches.
//! So slow and half-open connections cannot lock out a browser, whatever their number.

use super::answer::Body;
use event_listener::{Event, EventListener};
use hyper::body::{Bytes, Frame, SizeHint};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct GuestRule {
    pub at_most: usize,
    pub per_address: usize,
}

impl Default for GuestRule {
    fn default() -> Self {
        Self { at_most: 200, per_address: 40 }
    }
}

/// What a connection is doing; the lower, the sooner it must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Standing {
    /// Has not brought a whole request yet.
    New,
    /// Was served; may bring another request.
    Idle,
    /// Is being answered, without a login.
    Stranger,
    /// Watches the live stream; it will come back by itself.
    Watching,
    /// Is being answered, logged in. Is never sent away.
    LoggedIn,
}

#[derive(Debug)]
pub(crate) struct Guests {
    rule: GuestRule,
    places: Arc<Mutex<Places>>,
}

#[derive(Debug, Default)]
struct Places {
    /// Numbers grow: the first is the oldest.
    taken: BTreeMap<u64, Arc<Place>>,
    next: u64,
}

#[derive(Debug)]
struct Place {
    neighbourhood: IpAddr,
    standing: AtomicU8,
    leave: Event,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    number: u64,
    place: Arc<Place>,
    places: Arc<Mutex<Places>>,
}

impl Guests {
    pub(crate) fn new(rule: GuestRule) -> Self {
        Self { rule, places: Arc::default() }
    }

    /// A place for a newcomer, if need be that of somebody else. `None`: all are busy and logged in.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Guest> {
        let neighbourhood = neighbourhood(address);
        let mut places = lock(&self.places);
        if places.count(neighbourhood) >= self.rule.per_address {
            places.send_away(|place| place.neighbourhood == neighbourhood)?;
        }
        if places.taken.len() >= self.rule.at_most {
            places.send_away(|_| true)?;
        }
        let number = places.next;
        places.next += 1;
        let place = Arc::new(Place {
            neighbourhood,
            standing: AtomicU8::new(Standing::New as u8),
            leave: Event::new(),
        });
        places.taken.insert(number, place.clone());
        Some(Guest { number, place, places: self.places.clone() })
    }

    /// Frees one file descriptor. False: nobody can be spared.
    pub(crate) fn spare_one(&self) -> bool {
        lock(&self.places).send_away(|_| true).is_some()
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.places).taken.len()
    }
}

impl Places {
    fn count(&self, neighbourhood: IpAddr) -> usize {
        self.taken.values().filter(|place| place.neighbourhood == neighbourhood).count()
    }

    fn send_away(&mut self, among: impl Fn(&Place) -> bool) -> Option<()> {
        let spared = Standing::LoggedIn as u8;
        let standing = |place: &Place| place.standing.load(Ordering::Relaxed);
        let candidates = self.taken.iter().filter(|(_, place)| among(place) && standing(place) < spared);
        let number = candidates
            .min_by_key(|(number, place)| (standing(place), **number))
            .map(|(number, _)| *number)?;
        let place = self.taken.remove(&number)?;
        place.leave.notify(usize::MAX);
        Some(())
    }
}

impl Guest {
    pub(crate) fn stands(&self, standing: Standing) {
        self.place.standing.store(standing as u8, Ordering::Relaxed);
    }

    /// Resolves when the place is needed. Listen before anything else is awaited.
    pub(crate) fn must_leave(&self) -> EventListener {
        self.place.leave.listen()
    }
}

/// A body that keeps its guest busy until it has been handed to the socket.
#[derive(Debug)]
pub(crate) struct Serving {
    body: Body,
    guest: Arc<Guest>,
}

impl Serving {
    pub(crate) const fn new(body: Body, guest: Arc<Guest>) -> Self {
        Self { body, guest }
    }
}

impl hyper::body::Body for Serving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.guest.stands(Standing::Idle);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        lock(&self.places).taken.remove(&self.number);
    }
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Addresses that one host may have: one of IPv4, 2^64 of IPv6.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_listener::Listener;
    use std::net::Ipv6Addr;

    fn guests() -> Guests {
        Guests::new(GuestRule { at_most: 4, per_address: 3 })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    fn told_to_leave(listener: EventListener) -> bool {
        listener.wait_timeout(std::time::Duration::ZERO).is_some()
    }

    #[test]
    fn a_full_house_sends_the_oldest_half_open_connection_away() {
        let guests = guests();
        let seats: Vec<_> = (1..=4).map(|last| guests.admit(address(last)).unwrap()).collect();
        let listeners: Vec<_> = seats.iter().map(Guest::must_leave).collect();
        seats[0].stands(Standing::Idle);
        let newcomer = guests.admit(address(9));
        assert!(newcomer.is_some());
        let left: Vec<_> = listeners.into_iter().map(told_to_leave).collect();
        assert_eq!(left, [false, true, false, false]);
        assert_eq!(guests.count(), 4);
    }

    #[test]
    fn whoever_is_logged_in_and_being_answered_stays() {
        let guests = guests();
        let seats: Vec<_> = (1..=4).map(|last| guests.admit(address(last)).unwrap()).collect();
        seats.iter().for_each(|seat| seat.stands(Standing::LoggedIn));
        assert!(guests.admit(address(9)).is_none());
        seats[2].stands(Standing::Watching);
        assert!(guests.admit(address(9)).is_some());
    }

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let guests = guests();
        let other = guests.admit(address(1)).unwrap();
        let others_listener = other.must_leave();
        let crowd: Vec<_> = (0..20).map(|_| guests.admit(address(2)).unwrap()).collect();
        assert!(!told_to_leave(others_listener));
        assert_eq!(guests.count(), 4);
        drop(crowd);
        assert_eq!(guests.count(), 1);
    }

    #[test]
    fn the_addresses_of_one_ipv6_host_count_as_one() {
        let host = |last| IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 7, 0, 0, 0, last));
        assert_eq!(neighbourhood(host(1)), neighbourhood(host(9)));
        let mapped = IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0xc0a8, 0x0101));
        assert_eq!(neighbourhood(mapped), address(1));
    }
}
