//! The calendar on the wire: RFC 3339 with milliseconds, UTC.

use jiff::Timestamp;

/// Text of so many milliseconds since 1970.
pub(super) fn to_text(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(
        |_| "1970-01-01T00:00:00.000Z".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// Milliseconds since 1970, if the text is a time with an offset.
pub(super) fn from_text(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_were_written() {
        assert_eq!(to_text(1_767_225_600_250), "2026-01-01T00:00:00.250Z");
        assert_eq!(from_text("2026-01-01T00:00:00.250Z"), Some(1_767_225_600_250));
        assert_eq!(from_text("2026-01-01T01:00:00+01:00"), Some(1_767_225_600_000));
        assert_eq!(from_text("tomorrow"), None);
    }
}
