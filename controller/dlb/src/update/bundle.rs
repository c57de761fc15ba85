//! What a bundle says of itself, whether it may be installed here, and RAUC's refusals as sentences.
//! The signature is RAUC's business: what is not signed by the right key never gets as far as a [`Bundle`].

use super::version;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::io::{self, Read, Seek, SeekFrom};
use utoipa::ToSchema;

/// Where a bundle lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// A path, or an address that RAUC fetches from by itself: only the blocks that changed.
    pub place: String,
    /// Lines that go along with each request: who we are to a server.
    #[serde(skip)]
    pub headers: Vec<String>,
    /// The action of an update server that this came from.
    pub action: Option<String>,
}

impl Source {
    pub(crate) fn is_an_address(&self) -> bool {
        !self.place.starts_with('/')
    }
}

/// What a signed bundle says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    pub compatible: String,
    pub version: String,
    pub description: String,
    /// What was looked at is what will be installed; unknown before RAUC 1.10.
    pub manifest_hash: Option<String>,
}

/// Why an update does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateProblem {
    /// Stable, for programs.
    pub code: String,
    /// What happened and what to do.
    pub text: String,
    /// What the bundle says, where it is about that.
    pub found: Option<String>,
    /// What this box has, where it is about that.
    pub here: Option<String>,
}

impl UpdateProblem {
    pub(crate) fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into(), found: None, here: None }
    }

    fn between(mut self, found: &str, here: &str) -> Self {
        (self.found, self.here) = (Some(found.into()), Some(here.into()));
        self
    }
}

impl Bundle {
    /// May this be installed on a box of this kind that runs this version?
    pub(super) fn check(&self, compatible: &str, running: &str) -> Result<(), UpdateProblem> {
        if self.compatible != compatible {
            let text = format!(
                "This bundle is for another machine: it is made for {}, and this box is {compatible}. Choose \
                 the bundle for this box.",
                self.compatible
            );
            return Err(UpdateProblem::new("wrong-machine", text).between(&self.compatible, compatible));
        }
        if version::compare(&self.version, running) == Ordering::Less {
            let text = format!(
                "This bundle is older than what runs: it holds {}, and {running} runs here. An older version \
                 may not understand what this one has written; choose a later bundle.",
                self.version
            );
            return Err(UpdateProblem::new("older", text).between(&self.version, running));
        }
        Ok(())
    }
}

/// What every bundle begins with: a squashfs.
const MAGIC: &[u8] = b"hsqs";
/// The length of the signature, at the very end of a bundle: 64 bits, most significant byte first.
const TRAILER: u64 = 8;
/// Signatures with their certificates are a few kilobytes.
const LONGEST_SIGNATURE: u64 = 64 << 10;
/// A signature (CMS) is a DER sequence.
const SEQUENCE: u8 = 0x30;

/// Whether a file can be a signed bundle at all. RAUC says no more than "error" to many that cannot.
pub(crate) fn has_a_signature(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut magic = [0; 4];
    let size = file.seek(SeekFrom::End(0))?;
    if size < TRAILER + magic.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut magic)?;
    let mut trailer = [0; TRAILER as usize];
    file.seek(SeekFrom::Start(size - TRAILER))?;
    file.read_exact(&mut trailer)?;
    let signature = u64::from_be_bytes(trailer);
    if magic != MAGIC || !(1..=LONGEST_SIGNATURE).contains(&signature) || size < TRAILER + signature + 4096 {
        return Ok(false);
    }
    let mut first = [0];
    file.seek(SeekFrom::Start(size - TRAILER - signature))?;
    file.read_exact(&mut first)?;
    Ok(first[0] == SEQUENCE)
}

/// What [`has_a_signature`] misses, in RAUC's words.
pub(crate) const NO_SIGNATURE: &str = "not a bundle: no signature at its end";

/// All that RAUC says where it could not look into a bundle: of a file that is there, that its signature is wrong.
const NOT_READ: &str = "rauc info error";

/// RAUC's own words, and ours where we know what they mean.
pub(super) fn refused_by_rauc(said: &str, from_address: bool) -> UpdateProblem {
    let lower = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (code, text) = if has(&["signature verification failed", "verify error", "failed to verify"])
        || (has(&[NOT_READ]) && !from_address)
    {
        (
            "wrong-signature",
            "This bundle is damaged, or not signed by a key that this box trusts. Get it from the maker of the box.",
        )
    } else if has(&[
        "signature size",
        "bundle is too small",
        "not a bundle",
        "invalid identifier",
        "no signature",
    ]) {
        ("not-a-bundle", "This is no bundle, or it is incomplete or unsigned. Download it again.")
    } else if has(&["truncated", "larger than bundle", "exceeds bundle", "failed to decode", "seek"]) {
        ("damaged", "This bundle is incomplete or damaged. Download it again.")
    } else if has(&["no space", "too small for image", "slot is too small"]) {
        ("no-space", "The bundle does not fit. Tell the maker of the box.")
    } else if has(&["older than the running"]) {
        ("older", "This bundle is older than what runs here. Choose a later one.")
    } else if has(&["compatible mismatch"]) {
        ("wrong-machine", "This bundle is for another machine. Choose the bundle for this box.")
    } else if has(&[
        "failed to resolve",
        "couldn't connect",
        "could not connect",
        "timeout",
        "http",
        "curl",
        "nbd",
        NOT_READ,
    ]) {
        (
            "not-fetched",
            "No bundle that this box trusts could be fetched from that address. Check it, and the box's network.",
        )
    } else {
        ("refused", "RAUC does not take this bundle.")
    };
    UpdateProblem::new(code, format!("{text} (RAUC says: {})", shorten(said)))
}

fn shorten(said: &str) -> String {
    said.trim().trim_end_matches('.').chars().filter(|char| !char.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(compatible: &str, version: &str) -> Bundle {
        Bundle { compatible: compatible.into(), version: version.into(), ..Default::default() }
    }

    #[test]
    fn a_bundle_for_another_machine_or_an_older_one_is_refused_with_both_names() {
        let wrong = bundle("dlb-other", "9").check("dlb-cm4", "1.0").unwrap_err();
        assert_eq!(wrong.code, "wrong-machine");
        assert!(wrong.text.contains("dlb-other") && wrong.text.contains("dlb-cm4"), "{}", wrong.text);
        let older = bundle("dlb-cm4", "1.9.0").check("dlb-cm4", "1.10.0").unwrap_err();
        assert_eq!((older.code.as_str(), older.here.as_deref()), ("older", Some("1.10.0")));
        assert_eq!(bundle("dlb-cm4", "1.10.0").check("dlb-cm4", "1.10.0"), Ok(()));
    }

    #[test]
    fn what_has_no_signature_at_its_end_is_no_bundle() {
        let signed = |size: u64, first: u8| {
            let mut file = b"hsqs".to_vec();
            file.resize(8192, 0);
            file.push(first);
            file.resize(8192 + 700, 7);
            file.extend(size.to_be_bytes());
            file
        };
        let holds = |file: &[u8]| has_a_signature(&mut io::Cursor::new(file)).unwrap();
        let good = signed(700, SEQUENCE);
        assert!(holds(&good));
        let truncated = &good[..good.len() - 100];
        let other = [b"PK".as_slice(), &good[2..]].concat();
        for file in
            [&[], b"hsqs".as_slice(), truncated, &other, &signed(0, 0), &signed(u64::MAX, 0), &signed(700, 0)]
        {
            assert!(!holds(file), "{} bytes", file.len());
        }
    }

    #[test]
    fn raucs_refusals_become_sentences_that_keep_its_words() {
        for (said, code) in [
            ("signature verification failed: Verify error: self-signed certificate", "wrong-signature"),
            ("Signature size (12) exceeds bundle size", "not-a-bundle"),
            ("Compatible mismatch: Expected 'a' but bundle manifest has 'b'", "wrong-machine"),
            ("Pre-install handler error: The bundle is version 1.0, older than the running 2.0.", "older"),
            ("something new", "refused"),
        ] {
            let problem = refused_by_rauc(said, false);
            assert_eq!(problem.code, code, "{said}");
            assert!(problem.text.contains(said.trim_end_matches('.')), "{}", problem.text);
        }
        let codes = [false, true].map(|from_address| refused_by_rauc("rauc info error", from_address).code);
        assert_eq!(codes, ["wrong-signature", "not-fetched"]);
        assert!(refused_by_rauc(&"x".repeat(5_000), true).text.len() < 500);
    }
}
