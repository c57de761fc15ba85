//! Who is logged in. A login is known by the mark of its token: what lies here, or in the file that carries it
//! over a restart ([`login_file`](super::login_file)), opens no door.

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Name of the cookie.
pub(crate) const COOKIE: &str = "dlb_login";
const TOKEN_BYTES: usize = 32;

/// 256 random bits that stand for a login.
pub(crate) type Token = [u8; TOKEN_BYTES];
/// SHA-256 of a secret: enough to know it again.
pub(crate) type Mark = [u8; 32];

/// How many logins there may be and how long they last.
#[derive(Clone, Copy, Debug)]
pub struct LoginRule {
    /// The login that was used longest ago makes room for the next.
    pub at_most: usize,
    pub unused: Duration,
    pub altogether: Duration,
}

impl Default for LoginRule {
    fn default() -> Self {
        Self {
            at_most: 64,
            unused: Duration::from_secs(12 * 3600),
            altogether: Duration::from_secs(14 * 86_400),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Logins {
    rule: LoginRule,
    open: Mutex<Vec<Login>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) mark: Mark,
    pub(super) since: Instant,
    pub(super) used: Instant,
}

impl Logins {
    /// With those who were logged in before.
    pub(super) fn new(rule: LoginRule, open: Vec<Login>) -> Self {
        Self { rule, open: Mutex::new(open) }
    }

    pub(super) fn list(&self, now: Instant) -> Vec<Login> {
        self.valid(now).clone()
    }

    /// Opens a login for whoever has just shown the password.
    pub(crate) fn open(&self, now: Instant) -> Result<Token, getrandom::Error> {
        let mut token = [0; TOKEN_BYTES];
        getrandom::fill(&mut token)?;
        let mut open = self.valid(now);
        if open.len() >= self.rule.at_most.max(1) {
            let oldest = open.iter().enumerate().min_by_key(|(_, login)| login.used).map(|(ix, _)| ix);
            oldest.map(|ix| open.swap_remove(ix));
        }
        open.push(Login { mark: mark_of(&token), since: now, used: now });
        Ok(token)
    }

    /// Is this a login? Using it keeps it alive.
    pub(crate) fn admit(&self, token: &Token, now: Instant) -> bool {
        let (mut open, mark) = (self.valid(now), mark_of(token));
        let Some(login) = open.iter_mut().find(|login| same(&login.mark, &mark)) else { return false };
        login.used = now;
        true
    }

    /// As [`Logins::admit`], without keeping it alive: for streams, which look again and again.
    pub(crate) fn still_valid(&self, token: &Token, now: Instant) -> bool {
        let mark = mark_of(token);
        self.valid(now).iter().any(|login| same(&login.mark, &mark))
    }

    pub(crate) fn close(&self, token: &Token) {
        let mark = mark_of(token);
        self.lock().retain(|login| !same(&login.mark, &mark));
    }

    /// After a change of the password nobody else stays.
    pub(crate) fn close_others(&self, token: &Token) {
        let mark = mark_of(token);
        self.lock().retain(|login| same(&login.mark, &mark));
    }

    fn valid(&self, now: Instant) -> MutexGuard<'_, Vec<Login>> {
        let mut open = self.lock();
        open.retain(|login| {
            now.saturating_duration_since(login.used) < self.rule.unused
                && now.saturating_duration_since(login.since) < self.rule.altogether
        });
        open
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Login>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn mark_of(secret: &[u8]) -> Mark {
    let digest = ring::digest::digest(&ring::digest::SHA256, secret);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Compares all bytes, whatever the first ones say.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |differing, (a, b)| black_box(differing | (a ^ b)));
    one.len() == other.len() && differing == 0
}

pub(crate) fn to_hex(token: &Token) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<Token> {
    let digits = text.as_bytes();
    if digits.len() != 2 * TOKEN_BYTES {
        return None;
    }
    let mut token = [0; TOKEN_BYTES];
    for (byte, pair) in token.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn logins() -> Logins {
        Logins::new(LoginRule { at_most: 2, unused: minutes(10), altogether: minutes(60) }, Vec::new())
    }

    #[test]
    fn an_unused_login_ends_and_a_used_one_lasts_until_its_day_is_over() {
        let (logins, start) = (logins(), Instant::now());
        let token = logins.open(start).unwrap();
        for minute in (0..60).step_by(9) {
            assert!(logins.admit(&token, start + minutes(minute)));
        }
        assert!(!logins.admit(&token, start + minutes(60)));
        let token = logins.open(start).unwrap();
        assert!(!logins.admit(&token, start + minutes(10)));
    }

    #[test]
    fn looking_does_not_keep_a_login_alive() {
        let (logins, start) = (logins(), Instant::now());
        let token = logins.open(start).unwrap();
        assert!(logins.still_valid(&token, start + minutes(9)));
        assert!(!logins.still_valid(&token, start + minutes(10)));
    }

    #[test]
    fn one_login_too_many_ends_the_one_that_was_used_longest_ago() {
        let (logins, start) = (logins(), Instant::now());
        let first = logins.open(start).unwrap();
        let second = logins.open(start + minutes(1)).unwrap();
        assert!(logins.admit(&first, start + minutes(2)));
        let third = logins.open(start + minutes(3)).unwrap();
        let now = start + minutes(4);
        let admitted = [first, second, third].map(|token| logins.admit(&token, now));
        assert_eq!(admitted, [true, false, true]);
    }

    #[test]
    fn a_new_password_ends_all_other_logins() {
        let (logins, now) = (logins(), Instant::now());
        let (mine, other) = (logins.open(now).unwrap(), logins.open(now).unwrap());
        logins.close_others(&mine);
        assert!(logins.admit(&mine, now) && !logins.admit(&other, now));
        logins.close(&mine);
        assert!(!logins.admit(&mine, now));
    }

    #[test]
    fn a_token_reads_back_and_nonsense_is_no_token() {
        let token: Token = std::array::from_fn(|ix| u8::try_from(ix * 7).unwrap());
        assert_eq!(from_hex(&to_hex(&token)), Some(token));
        for nonsense in ["", "00", &"g0".repeat(32), &"é".repeat(32)] {
            assert_eq!(from_hex(nonsense), None);
        }
    }
}
