//! How often a password may be tried: a few times at once per address, then slowly; and not too often
//! by all addresses together, since an attacker may have many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tries at once, and how long it takes to get one back.
#[derive(Clone, Copy, Debug)]
pub struct AttemptRule {
    pub per_address: u32,
    pub address_regains: Duration,
    pub overall: u32,
    pub overall_regains: Duration,
}

impl Default for AttemptRule {
    fn default() -> Self {
        Self {
            per_address: 5,
            address_regains: Duration::from_secs(30),
            overall: 60,
            overall_regains: Duration::from_secs(2),
        }
    }
}

/// Addresses remembered; the one nearest to a full allowance is forgotten first.
const ADDRESSES: usize = 1024;

#[derive(Debug)]
pub(crate) struct Attempts {
    rule: AttemptRule,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    overall: Spent,
    by_address: BTreeMap<IpAddr, Spent>,
}

/// Tries that are not regained yet, as the moment at which all are.
#[derive(Clone, Copy, Debug, Default)]
struct Spent(Option<Instant>);

impl Attempts {
    pub(crate) fn new(rule: AttemptRule) -> Self {
        Self { rule, state: Mutex::default() }
    }

    /// Takes one try, before the password is looked at, so that tries at the same time count too.
    /// Otherwise: how long to wait.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = self.rule;
        let own = state.by_address.get(&address).copied().unwrap_or_default();
        let own = own.take(rule.per_address, rule.address_regains, now)?;
        state.overall = state.overall.take(rule.overall, rule.overall_regains, now)?;
        state.by_address.insert(address, own);
        state.forget_some(now);
        Ok(())
    }

    /// It was the password: the address starts afresh.
    pub(crate) fn forgive(&self, address: IpAddr) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).by_address.remove(&address);
    }
}

impl State {
    fn forget_some(&mut self, now: Instant) {
        if self.by_address.len() <= ADDRESSES {
            return;
        }
        self.by_address.retain(|_, spent| spent.0.is_some_and(|at| at > now));
        if self.by_address.len() > ADDRESSES {
            let first = self.by_address.iter().min_by_key(|(_, spent)| spent.0).map(|(address, _)| *address);
            first.map(|address| self.by_address.remove(&address));
        }
    }
}

impl Spent {
    fn take(self, at_once: u32, regains: Duration, now: Instant) -> Result<Self, Duration> {
        let full_again = self.0.map_or(now, |at| at.max(now)) + regains;
        let allowed = now + regains * at_once.max(1);
        if full_again > allowed { Err(full_again - allowed) } else { Ok(Self(Some(full_again))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: AttemptRule = AttemptRule {
        per_address: 3,
        address_regains: Duration::from_secs(10),
        overall: 5,
        overall_regains: Duration::from_secs(1),
    };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    #[test]
    fn the_fourth_try_waits_and_one_is_regained_in_time() {
        let (attempts, now) = (Attempts::new(RULE), Instant::now());
        for _ in 0..3 {
            assert_eq!(attempts.take(address(1), now), Ok(()));
        }
        assert_eq!(attempts.take(address(1), now), Err(Duration::from_secs(10)));
        let later = now + Duration::from_secs(10);
        assert_eq!(attempts.take(address(1), later), Ok(()));
        assert_eq!(attempts.take(address(1), later), Err(Duration::from_secs(10)));
    }

    #[test]
    fn many_addresses_together_are_slowed_down_too() {
        let (attempts, now) = (Attempts::new(RULE), Instant::now());
        for last in 0..5 {
            assert_eq!(attempts.take(address(last), now), Ok(()));
        }
        assert_eq!(attempts.take(address(9), now), Err(Duration::from_secs(1)));
    }

    #[test]
    fn the_right_password_gives_all_tries_back() {
        let (attempts, now) = (Attempts::new(RULE), Instant::now());
        for second in 0..20 {
            let now = now + Duration::from_secs(second);
            assert_eq!(attempts.take(address(1), now), Ok(()));
            attempts.forgive(address(1));
        }
    }

    #[test]
    fn five_thousand_addresses_fit_into_bounded_memory() {
        let rule = AttemptRule { overall: u32::MAX, overall_regains: Duration::ZERO, ..RULE };
        let (attempts, now) = (Attempts::new(rule), Instant::now());
        for number in 0..5000u32 {
            assert_eq!(attempts.take(IpAddr::from(number.to_be_bytes()), now), Ok(()));
        }
        assert_eq!(attempts.state.lock().unwrap().by_address.len(), ADDRESSES);
    }
}
