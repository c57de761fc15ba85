//! Replaces a file so that a power cut at any instant leaves the old content or the new, never a part:
//! written beside it, synced, renamed over it, and the directory synced, in this order.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What has just been done. A test cuts the power here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Created,
    HalfWritten,
    Written,
    Synced,
    Renamed,
    DirectorySynced,
}

/// Replaces `path`, readable for its owner only. When this returns, the new content is on the disk.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_watched(path, content, &mut |_| Ok(()))
}

pub(super) fn replace_watched(
    path: &Path,
    content: &[u8],
    after: &mut dyn FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    let directory = directory_of(path);
    let beside = beside(path);
    // What an earlier power cut left behind is of no use to anybody.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    after(Step::Created)?;
    let (first, second) = content.split_at(content.len() / 2);
    file.write_all(first)?;
    after(Step::HalfWritten)?;
    file.write_all(second)?;
    after(Step::Written)?;
    file.sync_all()?;
    after(Step::Synced)?;
    std::fs::rename(&beside, path)?;
    after(Step::Renamed)?;
    File::open(directory)?.sync_all()?;
    after(Step::DirectorySynced)
}

/// Makes a directory for its owner only, and those above it.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Fixed, so that cuts do not litter the disk.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_power_cut_after_any_step_leaves_the_old_file_or_the_new() {
        let steps = [
            Step::Created,
            Step::HalfWritten,
            Step::Written,
            Step::Synced,
            Step::Renamed,
            Step::DirectorySynced,
        ];
        for cut_after in steps {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("site.toml");
            replace(&path, b"old").unwrap();
            let mut cut = |step| if step == cut_after { Err(io::Error::other("cut")) } else { Ok(()) };
            replace_watched(&path, b"the new one", &mut cut).unwrap_err();
            let found = std::fs::read(&path).unwrap();
            let renamed = matches!(cut_after, Step::Renamed | Step::DirectorySynced);
            assert_eq!(found, if renamed { b"the new one".as_slice() } else { b"old" }, "{cut_after:?}");
            replace(&path, b"the next").expect("what the cut left is no hindrance");
            assert_eq!(std::fs::read(&path).unwrap(), b"the next");
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn only_the_owner_may_read_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("site.toml");
        std::fs::write(&path, "old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
