//! Commands that need no data directory, and mistakes that are found before one is touched.

use crate::support::program::Place;

#[test]
fn without_a_terminal_the_console_names_what_works_without() {
    let place = Place::new();
    for arguments in [&[][..], &["demo"][..]] {
        let ended = place.moonport(arguments).run().expect(2);
        assert!(ended.err.starts_with("error: the console needs a terminal"));
        assert!(ended.err.contains("hint: ") && ended.err.contains("moonport serve"));
        assert!(ended.err.contains("demo --headless"));
    }
    assert!(!place.data().exists(), "nothing was made");
}

#[test]
fn a_bad_flag_is_wrong_use() {
    let place = Place::new();
    let ended = place.moonport(&["send", "--topik", "a"]).run().expect(2);
    assert!(ended.err.contains("--topic"), "{ended:?}");
}

#[test]
fn a_bad_name_is_told_with_its_rule() {
    let place = Place::new();
    let ended = place.moonport(&["topic", "create", "a b"]).run().expect(2);
    assert!(
        ended.err.contains("the topic name `a b` holds ' '"),
        "{ended:?}"
    );
    assert!(!place.data().exists());
}

#[test]
fn an_unknown_key_in_a_workflow_file_is_told_with_its_line_and_the_nearest_one() {
    let place = Place::new();
    place.write("w.toml", "[instance]\nname = \"a\"\nregoin = \"x\"\n");
    for arguments in [
        &["run", "w.toml"][..],
        &["apply", "w.toml", "--yes"][..],
        &["serve", "w.toml"][..],
    ] {
        let ended = place.moonport(arguments).run().expect(2);
        assert!(ended.err.contains("w.toml:3"), "{ended:?}");
        assert!(ended.err.contains("`region`"), "{ended:?}");
    }
}

#[test]
fn a_missing_workflow_file_is_wrong_use() {
    let place = Place::new();
    let ended = place.moonport(&["run", "absent.toml"]).run().expect(2);
    assert!(ended.err.contains("absent.toml"), "{ended:?}");
}

#[test]
fn a_configuration_file_with_a_mistake_names_its_line() {
    let place = Place::new();
    place.write("c.toml", "[console]\ncolour = 1\n");
    let arguments = ["--config", "c.toml", "topic", "list"];
    let ended = place.moonport(&arguments).run().expect(2);
    assert!(ended.err.contains("line 2"), "{ended:?}");
}

#[test]
fn filters_are_tried_without_a_broker() {
    let place = Place::new();
    let arguments = [
        "filter",
        "--sql",
        "amount > 100",
        "--property",
        "amount=250",
    ];
    let ended = place.moonport(&arguments).run().expect(0);
    assert!(ended.out.starts_with("TRUE"), "{ended:?}");
    let cases = "{\"sql\":\"a > 1\",\"properties\":{\"a\":\"2\"}}\n{\"sql\":\"a >\"}\n";
    let batch = place.moonport(&["filter", "--batch", "-", "--json"]);
    let ended = batch.input(cases).run().expect(0);
    let verdicts: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(verdicts[0]["verdict"], "TRUE");
    assert_eq!(verdicts[1]["verdict"], "REFUSED");
    assert!(!place.data().exists());
}

#[test]
fn completions_and_help_go_to_standard_output() {
    let place = Place::new();
    let ended = place.moonport(&["completions", "bash"]).run().expect(0);
    assert!(ended.out.contains("moonport"));
    let ended = place.moonport(&["--help"]).run().expect(0);
    for command in ["demo", "run", "serve", "apply", "send", "logs"] {
        assert!(ended.out.contains(&format!("  {command} ")), "{command}");
    }
}
