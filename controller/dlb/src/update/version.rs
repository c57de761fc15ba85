//! Versions of bundles and of the program, compared as people mean them: number by number, and what is
//! marked as a pre-release (`1.2.0-rc1`) before the release itself.

use std::cmp::Ordering;

/// Which of two versions is the later one. Equal where nothing tells them apart.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((one, one_pre), (other, other_pre)) = (split(one), split(other));
    numbers(one, other).then_with(|| match (one_pre, other_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => numbers(one, other),
    })
}

/// The release, and what follows the first `-`. Build metadata after `+` does not count.
fn split(version: &str) -> (&str, Option<&str>) {
    let version = version.trim().trim_start_matches(['v', 'V']);
    let version = version.split('+').next().unwrap_or_default();
    version.split_once('-').map_or((version, None), |(release, pre)| (release, Some(pre)))
}

/// Part by part; a missing part counts as 0, so that 1.2 is 1.2.0.
fn numbers(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (parts(one), parts(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (one, other) => match part(one.unwrap_or("0"), other.unwrap_or("0")) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('.').filter(|part| !part.is_empty())
}

fn part(one: &str, other: &str) -> Ordering {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(one) && digits(other) {
        let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
        return one.len().cmp(&other.len()).then_with(|| one.cmp(other));
    }
    one.cmp(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_told_from_an_older_one() {
        for (older, later) in [
            ("0.1.0", "0.1.1"),
            ("0.9.0", "0.10.0"),
            ("1.2.0-rc1", "1.2.0"),
            ("1.2.0-rc1", "1.2.0-rc2"),
            ("1.2", "1.2.0.1"),
            ("2026.9", "2026.11"),
            ("99999999999999999998", "99999999999999999999"),
        ] {
            assert_eq!(compare(older, later), Ordering::Less, "{older} {later}");
            assert_eq!(compare(later, older), Ordering::Greater, "{later} {older}");
        }
        for (one, same) in [("v1.2.0", "1.2"), ("1.2.0+build7", "1.2.0"), ("", "0"), ("01.2", "1.2")] {
            assert_eq!(compare(one, same), Ordering::Equal, "{one} {same}");
        }
    }
}
