//! The checked-in stubs of the wire protocol are what the `.proto` files under `assets` generate.

use std::fs;
use std::path::Path;

const GENERATED: &str = "src/proto/generated/apache.rocketmq.v2.rs";

/// Set to any value, the test writes the stubs instead of comparing them.
const REGENERATE: &str = "MOONPORT_REGENERATE_PROTO";

fn generate() -> String {
    let includes = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/proto");
    let descriptors = protox::compile(["apache/rocketmq/v2/service.proto"], [includes]).unwrap();
    let out = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        // Bodies are shared with the store, not copied; properties keep one order.
        .bytes(".apache.rocketmq.v2.Message.body")
        .btree_map(".")
        .compile_fds(descriptors)
        .unwrap();
    fs::read_to_string(out.path().join("apache.rocketmq.v2.rs")).unwrap()
}

#[test]
fn checked_in_stubs_match_the_proto_files() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GENERATED);
    let generated = generate();
    if std::env::var_os(REGENERATE).is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == checked_in,
        "`{GENERATED}` is out of date: run `{REGENERATE}=1 cargo test --test it proto_generated`"
    );
}
