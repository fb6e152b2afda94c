//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside its place and renamed into it by [`AtomicFile::commit`].
///
/// Dropping it without a commit removes the temporary file and leaves the target as it was.
/// The temporary name is `.NAME.tmp-PID-N`, in the target's own folder, so that the rename never crosses file systems.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Opens a temporary file beside `target`, making the folder when it is missing.
    ///
    /// # Errors
    ///
    /// Returns the error of making the folder or the file; the path is in its message.
    pub fn create(target: impl Into<PathBuf>) -> io::Result<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNTER: AtomicU64 = AtomicU64::new(0);

        let target = target.into();
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&folder).map_err(|error| with_path(&error, &folder))?;
        let name = target.file_name().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` names no file", target.display()))
        })?;
        let mut temporary_name = OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".tmp-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
        let temporary = folder.join(temporary_name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(|error| with_path(&error, &temporary))?;
        Ok(Self { target, temporary, writer: Some(BufWriter::with_capacity(1 << 18, file)) })
    }

    /// Returns where the file will be once committed.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Returns where the bytes are until then, for writers that open a path themselves.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Writes everything to the disk and renames the file into its place.
    ///
    /// # Errors
    ///
    /// Returns the error of writing, syncing or renaming; the target is then as it was.
    pub fn commit(mut self) -> io::Result<()> {
        let writer = self.writer.take().ok_or_else(|| io::Error::other("the file was committed already"))?;
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(|error| with_path(&error, &self.target))?;
        file.sync_all().map_err(|error| with_path(&error, &self.target))?;
        drop(file);
        fs::rename(&self.temporary, &self.target).map_err(|error| with_path(&error, &self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(buffer).map_err(|error| with_path(&error, &self.target)),
            None => Err(io::Error::other("the file was committed already")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl io::Seek for AtomicFile {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        match &mut self.writer {
            Some(writer) => writer.seek(position),
            None => Err(io::Error::other("the file was committed already")),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After a commit the temporary name is gone; before it, nothing of it may stay.
        self.writer = None;
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes bytes to a file that appears whole or not at all.
///
/// # Errors
///
/// Returns the error of [`AtomicFile::create`], of writing, or of [`AtomicFile::commit`].
pub fn write_atomic(target: impl Into<PathBuf>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes.as_ref())?;
    file.commit()
}

fn with_path(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_file_leaves_the_old_one() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("out.txt");
        write_atomic(&path, "old")?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(b"half")?;
        drop(file);
        assert_eq!(fs::read_to_string(&path)?, "old");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_committed_file_replaces_it() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sub/out.txt");
        write_atomic(&path, "old")?;
        write_atomic(&path, "new")?;
        assert_eq!(fs::read_to_string(&path)?, "new");
        Ok(())
    }
}
