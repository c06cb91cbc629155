//! The file that says which format a directory has; it is read before anything else is touched.

use std::io;

use crate::store::disk::Disk;
use crate::store::error::StoreError;

const NAME: &str = "format";
/// A format file holds a number and a line break.
const LONGEST: u64 = 32;

/// Accepts a directory of format `known` and makes one without files into such; `filled` tells that it has files.
pub(super) fn check(disk: &dyn Disk, known: u32, filled: bool) -> Result<(), StoreError> {
    let path = disk.path(NAME);
    let damaged = |detail: &str| StoreError::Damaged {
        path: path.clone(),
        detail: detail.to_owned(),
    };
    match read(disk) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(found) if found == known => Ok(()),
            Ok(found) if found > known => Err(StoreError::NewerFormat { path, found, known }),
            _ => Err(damaged("it does not name a format")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && filled => {
            Err(damaged("it is missing beside other files"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write(disk, known).map_err(|error| StoreError::from_io("create", &path, error))
        }
        Err(error) => Err(StoreError::from_io("read", &path, error)),
    }
}

fn read(disk: &dyn Disk) -> io::Result<String> {
    let file = disk.open(NAME)?;
    let mut text = vec![0; file.size()?.min(LONGEST) as usize];
    file.read(0, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(disk: &dyn Disk, known: u32) -> io::Result<()> {
    let draft = format!("{NAME}.new");
    let file = disk.create(&draft)?;
    file.write(0, format!("{known}\n").as_bytes())?;
    file.sync()?;
    drop(file);
    disk.rename(&draft, NAME)
}
