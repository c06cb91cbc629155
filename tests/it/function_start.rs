//! A function that cannot start says why and what to do, before and after the first request; what it is started with:
//! interpreters, layers, a debugger.

use std::path::{Path, PathBuf};
use std::process::Command;

use moonport::control::functions::FunctionState;
use moonport::domain::function::{ErrorClass, FunctionDefinition, Runtime};

use crate::function_support::{World, has};

const OK: &str = "def handler(event, context):\n    return 'OK'\n";

/// Reason and hint of a function that is broken.
fn trouble(world: &World) -> (String, String) {
    match world.host.row(&world.definition.name).unwrap().state {
        FunctionState::Broken { reason, hint } => (reason, hint.expect("a hint")),
        state => panic!("{state:?}"),
    }
}

/// What is said of a Python function with this definition before anything ran.
fn trouble_of(edit: impl FnOnce(&mut FunctionDefinition)) -> (String, String) {
    trouble(&World::python(OK).edit(edit))
}

#[tokio::test]
async fn a_missing_interpreter_is_the_state_before_any_request() {
    let nowhere = |runtime, file| {
        let world = World::with(runtime, file, "", |options| {
            options.search_path = "/nowhere".into();
        });
        trouble(&world)
    };
    let (reason, hint) = nowhere(Runtime::Python3, "index.py");
    assert_eq!(reason, "`python3` is not on the path");
    assert!(hint.starts_with("install Python 3, or name"), "{hint}");
    let (reason, hint) = nowhere(Runtime::NodeJs, "index.js");
    assert_eq!(reason, "`node` is not on the path");
    assert!(hint.contains("runtime = \"js\""), "{hint}");
}

#[tokio::test]
async fn folders_and_files_that_are_not_there_are_the_state_before_any_request() {
    if !has("python3") {
        return;
    }
    let nowhere = || PathBuf::from("/nowhere");
    assert_eq!(
        trouble_of(|definition| definition.layers = vec![nowhere()]),
        (
            "its layer `/nowhere` does not exist".to_owned(),
            "make the folder, or change `layers` in its definition".to_owned()
        )
    );
    let (reason, hint) = trouble_of(|definition| definition.code = nowhere());
    assert_eq!(reason, "its code folder `/nowhere` does not exist");
    assert!(hint.contains("`code`"), "{hint}");
    let (reason, _) = trouble_of(|definition| definition.env_file = Some(nowhere()));
    assert!(reason.starts_with("its env-file `/nowhere` cannot be read"));
    let (reason, _) = trouble_of(|definition| definition.python = Some(nowhere()));
    assert_eq!(reason, "`python = \"/nowhere\"` is no Python interpreter");
    let script = World::new(Runtime::Js, "index.js", "").edit(|d| d.layers = vec![nowhere()]);
    assert!(trouble(&script).0.contains("layer `/nowhere`"));
}

#[tokio::test]
async fn code_that_cannot_be_loaded_is_the_state_until_it_can_py4() {
    if !has("python3") {
        return;
    }
    let world = World::python("import stripe_of_nobody\n");
    let outcome = world.invoke("{}").await;
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    let (reason, hint) = trouble(&world);
    assert_eq!(
        reason,
        "Unable to import module 'index': ModuleNotFoundError: No module named 'stripe_of_nobody'"
    );
    assert!(hint.contains("`python`"), "{hint}");

    let write = |code: &str| std::fs::write(world.code().join("index.py"), code).unwrap();
    write("def handler(:\n");
    world.host.restart(&world.definition.name).unwrap();
    world.invoke("{}").await;
    let (reason, hint) = trouble(&world);
    assert!(
        reason.starts_with("Syntax error in module 'index': "),
        "{reason}"
    );
    assert!(hint.contains("line 1"), "{hint}");

    write("def handle(event, context):\n    return 'OK'\n");
    world.host.restart(&world.definition.name).unwrap();
    world.invoke("{}").await;
    let (reason, hint) = trouble(&world);
    assert_eq!(reason, "Handler 'handler' is missing on module 'index'");
    assert_eq!(hint, "define `handler` in `index.py`, or change `handler`");

    write(OK);
    world.host.restart(&world.definition.name).unwrap();
    assert_eq!(world.invoke("{}").await.result, "OK");
    let state = world.host.row(&world.definition.name).unwrap().state;
    assert_eq!(state, FunctionState::Running);
}

#[tokio::test]
async fn a_bad_handler_name_is_explained_py4_nd7() {
    if !has("python3") || !has("node") {
        return;
    }
    let world = World::python(OK).edit(|d| d.handler = "handler".to_owned());
    world.invoke("{}").await;
    let (reason, hint) = trouble(&world);
    assert_eq!(reason, "Invalid handler 'handler'");
    assert!(hint.contains("`index.handler`"), "{hint}");
    for (runtime, file) in [(Runtime::NodeJs, "other.js"), (Runtime::Js, "other.js")] {
        let world = World::new(runtime, file, "");
        world.invoke("{}").await;
        let (reason, hint) = trouble(&world);
        assert!(reason.ends_with("is missing."), "{reason}");
        assert!(hint.starts_with("there is no `index.js` in "), "{hint}");
    }
}

/// Writes a module that says where it comes from.
fn module(folder: &Path, name: &str, said: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let (file, code) = if Path::new(name).extension().is_some_and(|e| e == "py") {
        (name, format!("WHERE = '{said}'\n"))
    } else {
        (name, format!("exports.WHERE = '{said}';\n"))
    };
    std::fs::write(folder.join(file), code).unwrap();
}

#[tokio::test]
async fn layers_are_searched_after_the_code_in_their_order_py3() {
    if !has("python3") {
        return;
    }
    let layers = tempfile::tempdir().unwrap();
    let (first, second) = (layers.path().join("1"), layers.path().join("2"));
    module(&first, "a.py", "layer 1");
    module(&first.join("python"), "b.py", "layer 1 as in the cloud");
    for name in ["a.py", "b.py", "c.py", "d.py"] {
        module(&second, name, "layer 2");
    }
    let world = World::python(
        "import a, b, c, d\ndef handler(event, context):\n    return ', '.join(m.WHERE for m in (a, b, c, d))\n",
    );
    module(world.code(), "d.py", "code");
    let world = world.edit(|definition| definition.layers = vec![first, second]);
    assert_eq!(
        world.invoke("{}").await.result,
        "layer 1, layer 1 as in the cloud, layer 2, code"
    );
}

#[tokio::test]
async fn layers_hold_modules_of_node_too_nd1() {
    if !has("node") {
        return;
    }
    let layer = tempfile::tempdir().unwrap();
    module(&layer.path().join("node_modules/a"), "index.js", "plain");
    let cloud = layer.path().join("nodejs/node_modules/b");
    module(&cloud, "index.js", "as in the cloud");
    let world = World::new(
        Runtime::NodeJs,
        "index.js",
        "exports.handler = async () => [require('a').WHERE, require('b').WHERE];",
    )
    .edit(|definition| definition.layers = vec![layer.path().to_owned()]);
    assert_eq!(
        world.invoke("{}").await.result,
        r#"["plain","as in the cloud"]"#
    );
}

/// Makes a virtual environment and returns its folder for packages.
pub(crate) fn virtual_environment(folder: &Path) -> PathBuf {
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(folder)
        .status();
    assert!(made.unwrap().success());
    let mut versions = std::fs::read_dir(folder.join("lib")).unwrap();
    let version = versions.next().unwrap().unwrap();
    version.path().join("site-packages")
}

#[tokio::test]
async fn a_virtual_environment_brings_its_packages() {
    if !has("python3") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("venv");
    module(&virtual_environment(&folder), "tax.py", "venv");
    let world = World::python(
        "import sys, tax\ndef handler(event, context):\n    return f'{tax.WHERE} {sys.prefix}'\n",
    )
    .edit(|definition| definition.python = Some(folder.clone()));
    assert_eq!(
        world.invoke("{}").await.result,
        format!("venv {}", folder.display())
    );
}
