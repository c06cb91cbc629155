//! What surrounds the store fails: the disk is full or read-only, files are damaged or newer. The program says what is wrong
//! and what to do, lives on where it can, and changes nothing it does not understand.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::program::{Ended, Place, Running};

/// A small file system of its own for a place's data directory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with the reason on stderr, where this process may not mount.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn under(place: &Place) -> Option<Self> {
        let data = place.data();
        fs::create_dir_all(&data).unwrap();
        let path = data.to_str().unwrap();
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=40m", "tmpfs", path]);
        if !mounted {
            eprintln!("skipped: mounting a small file system needs root");
        }
        mounted.then_some(Self(data))
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        assert!(run("mount", &["-o", &options, self.0.to_str().unwrap()]));
    }

    /// Takes all the space that is left; the file gives it back when it is removed.
    fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn serve(place: &Place) -> Running {
    let mut running = place
        .moonport(&["serve", "--listen", "127.0.0.1:0"])
        .start();
    running.out.wait_for("ready ");
    running
}

fn stop(mut running: Running) {
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait().code(), Some(0));
}

fn send(place: &Place, body: &str) -> Ended {
    let arguments = ["send", "--topic", "orders", "--body", body];
    place.moonport(&arguments).run()
}

fn bodies(place: &Place) -> Vec<String> {
    let list = ["messages", "--topic", "orders", "--json"];
    let listed = place.moonport(&list).run().expect(0).json();
    let rows = listed.as_array().unwrap().iter();
    rows.map(|row| row["body"].as_str().unwrap().to_owned())
        .collect()
}

fn instances(place: &Place) -> String {
    let list = ["instance", "list", "--json"];
    place.moonport(&list).run().expect(0).out
}

#[test]
fn a_full_disk_refuses_sends_while_everything_else_answers_and_takes_them_again_e2() {
    let place = Place::new();
    let Some(disk) = SmallDisk::under(&place) else {
        return;
    };
    let owner = serve(&place);
    let create = ["topic", "create", "orders"];
    place.moonport(&create).run().expect(0);
    send(&place, "first").expect(0);

    let filler = disk.fill();
    let large = place.write("large", &"x".repeat(3_000_000));
    let arguments = ["send", "--topic", "orders", "--body-file"];
    let large = [&arguments[..], &[large.to_str().unwrap()]].concat();
    for _ in 0..2 {
        let refused = place.moonport(&large).run().expect(1);
        assert!(refused.err.contains("the disk is full"), "{refused:?}");
        assert!(refused.err.contains("hint: free disk space"), "{refused:?}");
    }
    assert_eq!(bodies(&place), ["first"]);
    assert!(instances(&place).contains("the store refuses writes"));

    fs::remove_file(filler).unwrap();
    send(&place, "second").expect(0);
    let mut kept = bodies(&place);
    kept.sort();
    assert_eq!(kept, ["first", "second"]);
    assert!(!instances(&place).contains("the store refuses writes"));
    stop(owner);
    assert_eq!(bodies(&place).len(), 2, "and after a restart");
}

#[test]
fn a_read_only_directory_is_named_and_nothing_starts() {
    let place = Place::new();
    let Some(disk) = SmallDisk::under(&place) else {
        return;
    };
    filled(&place);
    disk.remount("ro");
    for arguments in [&["topic", "list"][..], &["serve", "--no-listen"]] {
        let refused = place.moonport(arguments).run().expect(2);
        assert!(refused.err.contains("cannot use the data directory"));
        assert!(refused.err.contains("Read-only file system"), "{refused:?}");
        assert!(refused.err.contains("hint: "), "{refused:?}");
    }
    disk.remount("rw");
    assert_eq!(bodies(&place), ["first"]);
}

/// A store with one message, closed; returns its directory.
fn filled(place: &Place) -> PathBuf {
    let owner = serve(place);
    let create = ["topic", "create", "orders"];
    place.moonport(&create).run().expect(0);
    send(place, "first").expect(0);
    stop(owner);
    let mut stores = fs::read_dir(place.data().join("instances")).unwrap();
    stores.next().unwrap().unwrap().path()
}

#[test]
fn a_damaged_or_newer_store_is_told_and_left_as_it_is_while_the_program_lives() {
    let place = Place::new();
    let store = filled(&place);
    let segment = store.join("segment-00000000000000000001.redb");
    let whole = fs::read(&segment).unwrap();
    let mut scribbled = whole.clone();
    scribbled[..8192].fill(0);
    let cases = [
        (store.join("format"), b"99\n".to_vec(), "has format 99"),
        (segment.clone(), scribbled, "is damaged"),
        (
            segment.clone(),
            whole[..whole.len() / 2].to_vec(),
            "is damaged",
        ),
        (segment, Vec::new(), "is damaged"),
    ];
    for (file, content, told) in cases {
        check_refused(&place, &file, &content, told);
    }
    assert_eq!(bodies(&place), ["first"], "restored, it opens");
}

/// Puts `content` in the place of a file, sees how the program takes it, and puts the file back.
fn check_refused(place: &Place, file: &Path, content: &[u8], told: &str) {
    let before = fs::read(file).unwrap();
    fs::write(file, content).unwrap();
    let owner = serve(place);
    let refused = send(place, "more").expect(1);
    assert!(refused.err.contains(told), "{refused:?}");
    assert!(refused.err.contains("nothing was changed"), "{refused:?}");
    assert!(instances(place).contains(told), "the list says why");
    stop(owner);
    assert!(
        fs::read(file).unwrap() == content,
        "{} changed",
        file.display()
    );
    fs::write(file, before).unwrap();
}
