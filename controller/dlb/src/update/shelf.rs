//! A bundle on its way from the browser to the data partition: in pieces that say where they belong, so that
//! an upload that broke off goes on where it was. Refuses what cannot fit before the first byte is taken.

use super::bundle::UpdateProblem;
use crate::config::atomic;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// No bundle of this product is larger.
pub(super) const LARGEST: u64 = 2 << 30;
/// The rest of the program must go on writing.
const SPARE: u64 = 64 << 20;

const PART: &str = "incoming.part";
const NAME: &str = "incoming.name";

/// The directory where one bundle is received.
#[derive(Debug)]
pub(super) struct Shelf {
    directory: PathBuf,
    upload: Option<Upload>,
}

/// One upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    /// What the browser calls it: with the same name and size it goes on where it was.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) received: u64,
}

impl Shelf {
    /// What a power cut left is found again.
    pub(super) fn open(directory: PathBuf) -> Self {
        let upload = left(&directory);
        Self { directory, upload }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(PART)
    }

    pub(super) const fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// Begins, or goes on with, the upload of this name and size.
    pub(super) fn begin(&mut self, name: &str, size: u64) -> Result<&Upload, UpdateProblem> {
        let name: String = name.chars().filter(|char| !char.is_control()).take(120).collect();
        if size == 0 || size > LARGEST {
            let most = LARGEST >> 20;
            let text = format!(
                "A bundle has between 1 byte and {most} MB, this file has {size} bytes. Choose \
                 a file that ends in .raucb."
            );
            return Err(UpdateProblem::new("wrong-size", text));
        }
        let again = self.upload.as_ref().filter(|old| (&old.name, old.size) == (&name, size)).cloned();
        let upload = match again {
            Some(upload) => upload,
            None => {
                self.discard();
                self.start(name, size).map_err(|error| disk(&error))?
            }
        };
        self.room_for(size - upload.received)?;
        Ok(self.upload.insert(upload))
    }

    fn start(&self, name: String, size: u64) -> io::Result<Upload> {
        atomic::make_directory(&self.directory)?;
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.path())?;
        atomic::replace(&self.directory.join(NAME), format!("{size} {name}").as_bytes())?;
        Ok(Upload { name, size, received: 0 })
    }

    fn room_for(&self, bytes: u64) -> Result<(), UpdateProblem> {
        let free = free_bytes(&self.directory).map_err(|error| disk(&error))?;
        if free >= bytes + SPARE {
            return Ok(());
        }
        let text = format!(
            "There is no room for this bundle: it needs {} MB, and {} MB are free. Tell the maker of the box.",
            (bytes + SPARE) >> 20,
            free >> 20
        );
        Err(UpdateProblem::new("no-space", text))
    }

    /// Takes the next piece. Answers how much is there now.
    pub(super) fn append(&mut self, offset: u64, bytes: &[u8]) -> Result<&Upload, UpdateProblem> {
        let Some(upload) = self.upload.as_mut() else {
            return Err(UpdateProblem::new("no-upload", "No upload has begun. Begin one first."));
        };
        let end = offset.saturating_add(bytes.len() as u64);
        if offset != upload.received || end > upload.size {
            let text = format!(
                "This piece does not belong here: {} of {} bytes are there. Go on from there.",
                upload.received, upload.size
            );
            return Err(UpdateProblem::new("wrong-piece", text));
        }
        write_at(&self.directory.join(PART), offset, bytes, end == upload.size)
            .map_err(|error| disk(&error))?;
        upload.received = end;
        Ok(upload)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.upload.as_ref().is_some_and(|upload| upload.received == upload.size)
    }

    /// Forgets the bundle and frees its space.
    pub(super) fn discard(&mut self) {
        self.upload = None;
        for file in [NAME, PART] {
            match std::fs::remove_file(self.directory.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, file, "removing a received bundle");
                }
                _ => {}
            }
        }
    }
}

fn left(directory: &Path) -> Option<Upload> {
    let text = std::fs::read_to_string(directory.join(NAME)).ok()?;
    let (size, name) = text.split_once(' ')?;
    let size = size.parse().ok()?;
    let received = std::fs::metadata(directory.join(PART)).ok()?.len();
    (received <= size).then(|| Upload { name: name.to_owned(), size, received })
}

fn write_at(path: &Path, offset: u64, bytes: &[u8], last: bool) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    // A piece that was cut off by a full disk is overwritten by the next try.
    file.set_len(offset)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)?;
    if last { File::sync_all(&file) } else { Ok(()) }
}

fn free_bytes(directory: &Path) -> io::Result<u64> {
    let told = rustix::fs::statvfs(directory)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

fn disk(error: &io::Error) -> UpdateProblem {
    UpdateProblem::new("disk", format!("The data partition does not take the bundle ({error}). Try again."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_goes_on_where_a_power_cut_left_it() {
        let data = tempfile::tempdir().unwrap();
        let place = data.path().join("update");
        let mut shelf = Shelf::open(place.clone());
        assert_eq!(shelf.begin("a.raucb", 6).unwrap().received, 0);
        assert_eq!(shelf.append(0, b"abc").unwrap().received, 3);
        let mut again = Shelf::open(place.clone());
        assert_eq!(again.begin("a.raucb", 6).unwrap().received, 3);
        assert_eq!(again.append(0, b"abc").unwrap_err().code, "wrong-piece");
        again.append(3, b"def").unwrap();
        assert!(again.is_complete());
        assert_eq!(std::fs::read(again.path()).unwrap(), b"abcdef");
        assert_eq!(again.append(6, b"g").unwrap_err().code, "wrong-piece");
        again.discard();
        assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
    }

    #[test]
    fn another_file_begins_anew_and_impossible_sizes_are_refused() {
        let data = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(data.path().to_owned());
        assert_eq!(shelf.append(0, b"a").unwrap_err().code, "no-upload");
        shelf.begin("a.raucb", 6).unwrap();
        shelf.append(0, b"abc").unwrap();
        assert_eq!(shelf.begin("b.raucb", 6).unwrap().received, 0);
        assert_eq!(shelf.begin("c.raucb", 0).unwrap_err().code, "wrong-size");
        assert_eq!(shelf.begin("c.raucb", LARGEST + 1).unwrap_err().code, "wrong-size");
        assert_eq!(shelf.upload().unwrap().name, "b.raucb");
    }
}
