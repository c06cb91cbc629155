//! The pictures of the documentation: real screens over a real engine, with clocks that move by hand.
//!
//! `MOONPORT_PICTURES=write cargo test --test it pictures` draws them anew; without it the test fails where a screen is
//! no longer what its picture shows.

mod world;

use std::path::PathBuf;
use std::time::Duration;

use moonport::ui::picture::svg;
use moonport::ui::stage::Stage;

use world::World;

/// A picture: its file, what it is called, columns and rows, and the keys that lead there from the first screen.
struct Picture {
    file: &'static str,
    title: &'static str,
    size: (u16, u16),
    keys: &'static [&'static str],
    /// Pasted after them.
    paste: &'static str,
}

const ORDER: &str = r#"{
  "event": "OrderCreated",
  "orderId": "{{seq:ORD-%04d}}",
  "customerId": "CUS-10001",
  "amount": {{int:10..400}},
  "at": "{{now}}"
}"#;

const PICTURES: &[Picture] = &[
    Picture {
        file: "log",
        title: "The log, by request: one has failed, and its next attempt is due in some seconds",
        size: (132, 36),
        keys: &["7"],
        paste: "",
    },
    Picture {
        file: "topics",
        title: "Topics with their throughput, lag and queues",
        size: (120, 32),
        keys: &["2", "gg", "j j"],
        paste: "",
    },
    Picture {
        file: "message",
        title: "Messages of a topic; one with its body and its life",
        size: (120, 32),
        keys: &["2", "gg", "j j j", "Enter", "j"],
        paste: "",
    },
    Picture {
        file: "send",
        title: "Sending a message, with the body checked while it is typed",
        size: (120, 32),
        keys: &["2", "gg", "j j j", "s"],
        paste: ORDER,
    },
    Picture {
        file: "palette",
        title: "The palette: commands with what they do and their keys, places, and names",
        size: (120, 32),
        keys: &["3", "j", ":", "re"],
        paste: "",
    },
    Picture {
        file: "dead-letters",
        title: "Dead letters with their error, and where they came from",
        size: (120, 32),
        keys: &["8"],
        paste: "",
    },
    Picture {
        file: "workbench",
        title: "A wide screen: places, messages, one message in full, the live log and the throughput",
        size: (200, 56),
        keys: &["6"],
        paste: "",
    },
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/pictures")
}

async fn draw(stage: &mut Stage, picture: &Picture) -> String {
    let (columns, rows) = picture.size;
    stage.resize(columns, rows).await;
    for keys in picture.keys {
        stage.keys(keys).await;
        stage.draw();
        stage.pass(Duration::ZERO).await;
    }
    if !picture.paste.is_empty() {
        stage.paste(picture.paste).await;
        stage.pass(Duration::from_secs(1)).await;
    }
    svg(&stage.draw(), picture.title)
}

#[tokio::test]
async fn pictures_show_what_the_screens_show() {
    let write = std::env::var("MOONPORT_PICTURES").is_ok_and(|value| value == "write");
    let mut world = World::new().await;
    world.work().await;
    let mut stale = Vec::new();
    for picture in PICTURES {
        let drawn = draw(&mut world.stage, picture).await;
        world.back_to_the_root().await;
        let file = folder().join(format!("{}.svg", picture.file));
        if write {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&file, drawn).unwrap();
        } else if std::fs::read_to_string(&file).ok().as_ref() != Some(&drawn) {
            stale.push(picture.file);
        }
    }
    world.end().await;
    assert!(
        stale.is_empty(),
        "{stale:?} differ from the screens; `MOONPORT_PICTURES=write cargo test --test it pictures` draws them anew"
    );
}
