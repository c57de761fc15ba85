//! Tables that a scenario can name: sessions and loads, as CSV with a header and ISO 8601 times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The start of a scenario, from which tables count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(DateTime);

/// One line of a table of sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Seconds from the start of the scenario; negative: before it.
    pub arrives_s: f64,
    pub leaves_s: f64,
    pub energy_kwh: f64,
    pub max_a: f64,
    pub phases: u8,
    pub charger: String,
}

impl Day {
    /// # Errors
    /// What is not a date and time, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        moment(text).map(Self)
    }

    /// Milliseconds since 1970, taking local time for UTC.
    #[must_use]
    pub fn millis(self) -> i64 {
        TimeZone::UTC.to_timestamp(self.0).map_or(0, Timestamp::as_millisecond)
    }

    /// Hour of the day.
    #[must_use]
    pub fn hour(self) -> f64 {
        f64::from(self.0.hour()) + f64::from(self.0.minute()) / 60.0 + f64::from(self.0.second()) / 3600.0
    }

    fn seconds_to(self, text: &str) -> Result<f64, String> {
        let moment = moment(text)?;
        Ok(moment.duration_since(self.0).as_secs_f64())
    }
}

/// A date and time without zone is local; one with a zone is brought to UTC, and the scenario's start
/// is then taken to be UTC as well.
fn moment(text: &str) -> Result<DateTime, String> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(TimeZone::UTC.to_datetime(stamp));
    }
    text.parse::<DateTime>()
        .map_err(|_| format!("`{text}` is not a date and time such as 2026-03-02T17:00:00"))
}

/// The sessions of a table.
///
/// # Errors
/// The first line that makes no sense, with its number and what is wrong.
pub fn session_rows(text: &str, day: Day) -> Result<Vec<SessionRow>, String> {
    let table = Table::read(text, &["arrival", "departure", "energy_kwh", "max_a", "phases", "charger"])?;
    table.rows(|row| {
        let session = SessionRow {
            arrives_s: day.seconds_to(row[0])?,
            leaves_s: day.seconds_to(row[1])?,
            energy_kwh: number("energy_kwh", row[2], 0.0..=10_000.0)?,
            max_a: number("max_a", row[3], 0.1..=1_000.0)?,
            phases: number("phases", row[4], 1.0..=3.0)? as u8,
            charger: row[5].trim().to_owned(),
        };
        if session.leaves_s <= session.arrives_s {
            return Err("departure is not after arrival".to_owned());
        }
        Ok(session)
    })
}

/// Seconds from the start, and amperes on L1, L2, L3.
///
/// # Errors
/// The first line that makes no sense, with its number and what is wrong.
pub fn load_rows(text: &str, day: Day) -> Result<Vec<(f64, [f64; 3])>, String> {
    let table = Table::read(text, &["time", "l1_a", "l2_a", "l3_a"])?;
    table.rows(|row| {
        let amps = |name: &str, at: usize| number(name, row[at], -10_000.0..=10_000.0);
        Ok((day.seconds_to(row[0])?, [amps("l1_a", 1)?, amps("l2_a", 2)?, amps("l3_a", 3)?]))
    })
}

fn number(name: &str, text: &str, range: core::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| {
        format!("{name} is `{}`, not a number from {} to {}", text.trim(), range.start(), range.end())
    })
}

struct Table<'a> {
    text: &'a str,
    /// Position in a line of each wanted column.
    columns: Vec<usize>,
}

impl<'a> Table<'a> {
    fn read(text: &'a str, wanted: &[&str]) -> Result<Self, String> {
        let header: Vec<&str> = text.lines().next().unwrap_or_default().split(',').map(str::trim).collect();
        let place = |name: &&str| {
            header
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| format!("line 1: no column `{name}`; the header must be {}", wanted.join(",")))
        };
        Ok(Self { text, columns: wanted.iter().map(place).collect::<Result<_, _>>()? })
    }

    fn rows<T>(&self, read: impl Fn(&[&str]) -> Result<T, String>) -> Result<Vec<T>, String> {
        let lines = self.text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(at, line)| {
                let cells: Vec<&str> = line.split(',').collect();
                let row: Option<Vec<&str>> =
                    self.columns.iter().map(|column| cells.get(*column).copied()).collect();
                let row = row.ok_or_else(|| "has too few columns".to_owned());
                row.and_then(|row| read(&row)).map_err(|what| format!("line {}: {what}", at + 1))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Day {
        Day::parse("2026-03-02T17:00:00").expect("a date")
    }

    #[test]
    fn a_table_of_sessions_counts_from_the_start_of_the_scenario() {
        let text = "charger,arrival,departure,energy_kwh,max_a,phases\n\
                    bay-1,2026-03-02T17:30:00,2026-03-03 06:00:00,22.5,16,3\n";
        let rows = session_rows(text, day()).expect("sound");
        assert_eq!((rows[0].arrives_s, rows[0].leaves_s), (1800.0, 46_800.0));
        assert_eq!((rows[0].charger.as_str(), rows[0].phases), ("bay-1", 3));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let header = "arrival,departure,energy_kwh,max_a,phases,charger\n";
        let told = |line: &str| session_rows(&format!("{header}{line}"), day()).expect_err("wrong");
        assert!(told("2026-03-02T17:30,2026-03-02T17:00,1,16,3,a").starts_with("line 2: departure"));
        assert!(told("noon,2026-03-02T17:00,1,16,3,a").contains("`noon`"));
        assert!(told("2026-03-02T17:30,2026-03-02T18:00,-1,16,3,a").contains("energy_kwh"));
        assert!(session_rows("arrival\n", day()).expect_err("wrong").contains("departure"));
    }

    #[test]
    fn a_load_table_has_any_resolution() {
        let rows = load_rows("time,l1_a,l2_a,l3_a\n2026-03-02T17:00:01.5,1,2,3\n", day()).expect("sound");
        assert_eq!(rows, [(1.5, [1.0, 2.0, 3.0])]);
    }
}
