//! Logins over a restart: the box restarts for every update, and whoever watches it goes on watching.
//!
//! The file holds marks of tokens, never a token, each with the times at which its login began and was last used, by
//! the calendar. It belongs to one password and is worth nothing under another. In doubt everybody logs in again: no
//! calendar, times that lie ahead, a file that cannot be read. A calendar that is behind, as a machine's without a
//! battery for its clock may be at first, gives a login as much more as the box was off.

use super::logins::{Login, Logins, from_hex, to_hex};
use super::password::PasswordStore;
use crate::config::atomic;
use dlb_engine::time::WallTime;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const FILE: &str = "logins";
/// Using a login is written down no more often: it spares the flash, and a login ends this much early at worst.
const EVERY: Duration = Duration::from_secs(3600);

/// The same moment by the program's clock and by the calendar, if that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) wall: Option<WallTime>,
}

#[derive(Debug)]
pub(super) struct LoginFile {
    path: PathBuf,
    /// Held while it is written, so that the newest list is what stays.
    writing: Mutex<()>,
    written: Mutex<Instant>,
}

impl Moment {
    pub(super) fn here() -> Self {
        Self { now: Instant::now(), wall: crate::clock::wall() }
    }
}

impl LoginFile {
    pub(super) fn new(data: &Path, now: Instant) -> Self {
        Self { path: data.join(FILE), writing: Mutex::new(()), written: Mutex::new(now) }
    }

    /// Who was logged in when the program ended.
    pub(super) fn read(&self, password: &PasswordStore, at: Moment) -> Vec<Login> {
        match fs::read_to_string(&self.path) {
            Ok(text) => parse(&text, password, at).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::error!(%error, "who was logged in cannot be read");
                Vec::new()
            }
        }
    }

    /// Writes down who is logged in. What cannot be written is not left as it was: a login that has ended could be
    /// in it.
    pub(super) fn keep(&self, logins: &Logins, password: &PasswordStore, at: Moment) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = written(&logins.list(at.now), password, at);
        let kept =
            text.map_or_else(|| forget(&self.path), |text| atomic::replace(&self.path, text.as_bytes()));
        kept.or_else(|error| forget(&self.path).and(Err(error)))
    }

    /// It is time to write down that logins are used. Said once.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let due = now.saturating_duration_since(*written) >= EVERY;
        if due {
            *written = now;
        }
        due
    }
}

fn forget(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// `None`: there is no telling when these logins end.
fn written(logins: &[Login], password: &PasswordStore, at: Moment) -> Option<String> {
    let wall = at.wall?;
    let mut text = to_hex(&password.mark()?);
    for Login { mark, since, used } in logins {
        let ms = |then: &Instant| {
            let ago = at.now.saturating_duration_since(*then).as_millis();
            Some(wall.0 - i64::try_from(ago).ok()?)
        };
        write!(text, "\n{} {} {}", to_hex(mark), ms(since)?, ms(used)?).ok()?;
    }
    Some(text)
}

fn parse(text: &str, password: &PasswordStore, at: Moment) -> Option<Vec<Login>> {
    let mut lines = text.lines();
    if from_hex(lines.next()?)? != password.mark()? {
        return None;
    }
    lines.map(|line| parse_login(line, at)).collect()
}

fn parse_login(line: &str, Moment { now, wall }: Moment) -> Option<Login> {
    let mut words = line.split(' ');
    let mark = from_hex(words.next()?)?;
    let mut then = || {
        let ms: i64 = words.next()?.parse().ok()?;
        let ago = u64::try_from(wall?.0.checked_sub(ms)?).ok()?;
        now.checked_sub(Duration::from_millis(ago))
    };
    let (since, used) = (then()?, then()?);
    (since <= used && words.next().is_none()).then_some(Login { mark, since, used })
}

#[cfg(test)]
mod tests {
    use super::super::logins::{LoginRule, mark_of};
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(start: Instant, hours: u32) -> Moment {
        Moment {
            now: start + HOUR * hours,
            wall: Some(WallTime(1_800_000_000_000 + i64::from(hours) * 3_600_000)),
        }
    }

    fn with_password(data: &Path) -> PasswordStore {
        let store = PasswordStore::open(data).unwrap();
        store.set_first("correct horse").unwrap();
        store
    }

    fn logins(open: Vec<Login>) -> Logins {
        Logins::new(LoginRule::default(), open)
    }

    #[test]
    fn a_login_goes_on_after_a_restart_and_ends_when_it_would_have() {
        let (data, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let (password, file) = (with_password(data.path()), LoginFile::new(data.path(), start));
        let before = logins(Vec::new());
        let token = before.open(start).unwrap();
        file.keep(&before, &password, at(start, 3)).unwrap();
        for (hours, admitted) in [(4, true), (11, true), (12, false)] {
            // The next program's clock begins anywhere.
            let later = Moment { now: start + Duration::from_secs(7), ..at(start, hours) };
            let after = logins(file.read(&password, later));
            assert_eq!(after.admit(&token, later.now), admitted, "{hours} h after it was used last");
        }
    }

    #[test]
    fn what_lies_on_the_disk_opens_no_door_and_is_for_nobodys_eyes() {
        let (data, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let (password, file) = (with_password(data.path()), LoginFile::new(data.path(), start));
        let before = logins(Vec::new());
        let token = before.open(start).unwrap();
        file.keep(&before, &password, at(start, 0)).unwrap();
        let path = data.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&to_hex(&mark_of(&token))) && !text.contains(&to_hex(&token)), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn under_another_password_nobody_is_logged_in() {
        let (data, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let (password, file) = (with_password(data.path()), LoginFile::new(data.path(), start));
        let before = logins(Vec::new());
        before.open(start).unwrap();
        file.keep(&before, &password, at(start, 0)).unwrap();
        assert_eq!(file.read(&password, at(start, 0)).len(), 1);
        password.set("battery staple").unwrap();
        assert_eq!(file.read(&password, at(start, 0)), []);
    }

    #[test]
    fn in_doubt_everybody_logs_in_again() {
        let (data, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let (password, file) = (with_password(data.path()), LoginFile::new(data.path(), start));
        let before = logins(Vec::new());
        before.open(start + HOUR).unwrap();
        let unknown = |moment: Moment| Moment { wall: None, ..moment };
        file.keep(&before, &password, at(start, 1)).unwrap();
        assert_eq!(file.read(&password, at(start, 2)).len(), 1);
        assert_eq!(file.read(&password, at(start, 0)), [], "it would begin in an hour");
        assert_eq!(file.read(&password, unknown(at(start, 2))), [], "what day is it?");
        let text = fs::read_to_string(data.path().join(FILE)).unwrap();
        for damaged in
            ["", "x", &text[1..], &text[..text.len() - 9], &format!("{text} 1"), &text.replace(' ', "  ")]
        {
            fs::write(data.path().join(FILE), damaged).unwrap();
            assert_eq!(file.read(&password, at(start, 2)), [], "{damaged}");
        }
        file.keep(&before, &password, unknown(at(start, 1))).unwrap();
        assert!(!data.path().join(FILE).exists(), "there is no telling when they end");
    }

    #[test]
    fn use_is_written_down_once_an_hour() {
        let start = Instant::now();
        let file = LoginFile::new(Path::new("/nowhere"), start);
        let due = [0, 1, 1, 2].map(|hours| file.is_due(start + HOUR * hours));
        assert_eq!(due, [false, true, false, true]);
    }
}
