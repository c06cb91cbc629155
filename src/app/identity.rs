//! Who this process is to the world: what message ids are made of, and the host name messages are born on.

use std::path::Path;

use crate::domain::ids::MessageIdGenerator;

/// What is injected in tests and found out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub mac: [u8; 6],
    pub pid: u16,
    /// Number of the first message id.
    pub first: u32,
    pub host_name: String,
}

impl Identity {
    /// This machine and this process.
    pub fn of_system() -> Self {
        Self {
            mac: mac_of(Path::new("/sys/class/net")).unwrap_or_else(random_mac),
            // Two bytes of the id are the process's (M4).
            pid: (std::process::id() & 0xffff) as u16,
            first: 0,
            host_name: nix::unistd::gethostname().map_or_else(
                |_| "localhost".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }

    pub fn ids(&self) -> MessageIdGenerator {
        MessageIdGenerator::new(self.mac, self.pid, self.first)
    }
}

/// The first hardware address in name order that is not all zero.
fn mac_of(interfaces: &Path) -> Option<[u8; 6]> {
    let entries = std::fs::read_dir(interfaces).ok()?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|e| e.path().join("address"))
        .collect();
    files.sort();
    let texts = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let mut macs = texts.filter_map(|text| parse_mac(text.trim()));
    macs.find(|mac| *mac != [0; 6])
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

/// A random address, marked as one that no maker gave out.
fn random_mac() -> [u8; 6] {
    let mut mac = [0; 6];
    fastrand::fill(&mut mac);
    mac[0] = (mac[0] | 0b10) & !1;
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_six_bytes_in_hex() {
        let mac = Some([0x6a, 0xb7, 0x6b, 0x2b, 0x73, 0xf6]);
        assert_eq!(parse_mac("6a:b7:6b:2b:73:f6"), mac);
        for bad in ["", "6a:b7", "6a:b7:6b:2b:73:f6:00", "zz:b7:6b:2b:73:f6"] {
            assert_eq!(parse_mac(bad), None);
        }
    }

    #[test]
    fn the_loopback_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mac) in [("a", "00:00:00:00:00:00"), ("b", "02:00:00:00:00:01")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("address"), mac).unwrap();
        }
        assert_eq!(mac_of(folder.path()), Some([2, 0, 0, 0, 0, 1]));
    }
}
