//! Saved code restarts its function (LC-9, SAFE-13).

use moonport::activity::{Event, Happening};
use moonport::domain::function::Runtime;

use crate::function_support::{PATIENCE, World};

/// Waits until the host says that new code is in force.
async fn reloaded(world: &World, since: u64) -> u64 {
    let feed = world.host.options().feed.clone();
    let mut latest = feed.latest();
    let is_reload = |event: &Event| matches!(&event.happening, Happening::InstanceEvent { name, .. } if name == "fc:Instance:PrepareCodeSuccess");
    let found = async {
        loop {
            latest.mark_unchanged();
            let page = feed.since(since, 1000);
            if let Some(event) = page.events.iter().find(|event| is_reload(event)) {
                return event.sequence;
            }
            latest.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("a reload")
}

#[tokio::test]
async fn saved_code_is_in_force_for_the_next_request_lc9() {
    let world = World::new(Runtime::Js, "index.js", "exports.handler = () => 'one';")
        .edit(|d| d.watch = true);
    assert_eq!(world.invoke("{}").await.result, "one");
    std::fs::write(world.code().join("run.log"), "noise").unwrap();
    std::fs::write(
        world.code().join("index.js"),
        "exports.handler = () => 'two';",
    )
    .unwrap();
    let seen = reloaded(&world, 0).await;
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.result, "two");
    assert!(outcome.record.cold_start);

    let folder = world.code().join("lib");
    std::fs::create_dir(&folder).unwrap();
    reloaded(&world, seen).await;
    assert_eq!(world.invoke("{}").await.result, "two");
}
