//! Key table, `moonport keys`, help and hint lines tell the same keys, remapped or not.

use moonport::ui::action::{Action, Context, SPECS};
use moonport::ui::keymap::Keymap;
use moonport::ui::options::ConsoleOptions;

use super::{DIALOGS, PLACES, VIEWS, at, options};
use crate::support::live::Live;
use crate::support::program::Place;

/// The keys a person's hands know from elsewhere, by context: none of them moves by accident.
const GUIDE: &[(&str, &str, &str)] = &[
    ("global", "view.1", "1"),
    ("global", "view.9", "9"),
    ("global", "pane.next", "Tab"),
    ("global", "pane.prev", "Shift-Tab"),
    ("global", "back", "Esc, Ctrl-G"),
    ("global", "close", "q"),
    ("global", "quit", "Ctrl-C"),
    ("global", "suspend", "Ctrl-Z"),
    ("global", "palette", ":"),
    ("global", "help", "?, F1"),
    ("global", "history.back", "["),
    ("global", "history.forward", "]"),
    ("global", "history.last", "-"),
    ("global", "zoom", "z"),
    ("global", "freeze", "p"),
    ("global", "time", "t"),
    ("global", "chart", "v"),
    ("global", "redraw", "Ctrl-L"),
    ("global", "reload", "Ctrl-R"),
    ("global", "go.message", "gm"),
    ("global", "go.trace", "gt"),
    ("global", "go.logs", "gl"),
    ("global", "go.function", "gf"),
    ("global", "go.trigger", "gr"),
    ("global", "go.group", "gc"),
    ("global", "go.topic", "go"),
    ("global", "go.dead", "gd"),
    ("global", "go.instance", "gi"),
    ("global", "copy.id", "yy"),
    ("global", "copy.body", "yb"),
    ("global", "copy.json", "yj"),
    ("global", "copy.command", "yc"),
    ("global", "copy.lines", "yl"),
    ("motion", "move.down", "j, Down"),
    ("motion", "move.up", "k, Up"),
    ("motion", "move.first", "gg, Home"),
    ("motion", "move.last", "G, End"),
    ("motion", "move.half-down", "Ctrl-D"),
    ("motion", "move.half-up", "Ctrl-U"),
    ("motion", "search", "/"),
    ("motion", "search.next", "n"),
    ("motion", "search.prev", "N"),
    ("list", "open", "Enter"),
    ("list", "details", "d"),
    ("list", "mark", "Space"),
    ("list", "mark.all", "*"),
    ("list", "sort", "o"),
    ("list", "add", "a"),
    ("list", "edit", "e"),
    ("list", "send", "s"),
    ("list", "invoke", "i"),
    ("list", "actions", "x"),
    ("list", "resend", "R"),
    ("list", "delete", "D"),
    ("detail", "wrap", "w"),
    ("detail", "fold", "Space"),
    ("logs", "log.follow", "f"),
    ("logs", "wrap", "w"),
    ("logs", "log.only", "&"),
    ("logs", "log.level", "L"),
    ("logs", "log.by-request", "r"),
    ("logs", "log.prev", "{"),
    ("logs", "log.next", "}"),
    ("logs", "log.error", "!"),
    ("logs", "log.mark", "m"),
    ("logs", "log.next-mark", "'"),
    ("logs", "log.save", "S"),
    ("logs", "log.hide", "C"),
    ("form", "submit", "Ctrl-S"),
    ("form", "more", "Ctrl-O"),
    ("form", "form.history-prev", "Ctrl-P"),
    ("form", "form.history-next", "Ctrl-N"),
    ("text", "edit.start", "Home, Ctrl-A"),
    ("text", "edit.end", "End, Ctrl-E"),
    ("text", "edit.yank", "Ctrl-Y"),
    ("text", "edit.undo", "Ctrl-_"),
    ("confirm", "answer.press", "Enter"),
    ("confirm", "answer.yes", "y"),
    ("confirm", "answer.no", "n"),
];

/// `moonport keys` as rows: context, action, keys.
fn printed(text: &str) -> Vec<(String, String, String)> {
    let mut context = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut context);
        } else {
            let (keys, action) = line.trim().rsplit_once(' ').unwrap();
            rows.push((context.clone(), action.to_owned(), keys.trim().to_owned()));
        }
    }
    rows
}

#[test]
fn the_printed_table_is_the_one_in_force_and_keeps_the_known_keys() {
    let place = Place::new();
    let printed = printed(&place.moonport(&["keys"]).run().expect(0).out);
    let table = Keymap::default().table();
    let in_force: Vec<_> = table
        .iter()
        .flat_map(|(context, actions)| {
            actions.iter().map(|(action, keys)| {
                (
                    context.name().to_owned(),
                    action.name().to_owned(),
                    keys.join(", "),
                )
            })
        })
        .collect();
    assert_eq!(printed, in_force);
    for (context, action, keys) in GUIDE {
        let row = (
            (*context).to_owned(),
            (*action).to_owned(),
            (*keys).to_owned(),
        );
        assert!(printed.contains(&row), "{row:?}");
    }
}

/// Keys and labels of the hint lines, for every action that has both.
fn hinted(text: &str, chain: &[Context], keymap: &Keymap) -> Vec<Action> {
    let shown = |action: &Action| {
        let key = keymap.shown(chain, *action);
        key.is_some_and(|key| text.contains(&format!(" {key} {}", action.label())))
    };
    SPECS.iter().map(|spec| spec.action).filter(shown).collect()
}

#[tokio::test]
async fn help_tells_the_keys_of_the_table_on_every_screen() {
    let live = Live::orders().await;
    for (name, keys) in [PLACES, VIEWS, DIALOGS].concat() {
        let stage = at(&live, options(), (120, 35), keys).await;
        let chain = stage.state.chain();
        for row in stage.state.help_rows() {
            assert!(chain.contains(&row.context), "{name}: {:?}", row.action);
            let keys = Keymap::default().sequences(row.context, row.action);
            assert_eq!(row.keys, keys.join("  "), "{name}: {:?}", row.action);
        }
    }
}

#[tokio::test]
async fn a_remapped_key_shows_in_hints_help_palette_and_menu() {
    let live = Live::orders().await;
    let (keymap, faults) = Keymap::with_file(
        "keys.toml",
        "[list]\nsend = [\"F6\"]\n[global]\nfreeze = [\"F7\"]\n",
    );
    assert_eq!(faults, []);
    let remapped = ConsoleOptions {
        keys: keymap.clone(),
        ..options()
    };
    let size = (120, 35);
    let mut stage = at(&live, remapped.clone(), size, "2").await;
    let hints = stage.text();
    let actions = hinted(&hints, &stage.state.chain(), &keymap);
    assert!(actions.contains(&Action::Send), "{hints}");
    for (keys, what) in [
        ("2 ?", "F6"),
        ("2 : send", "F6"),
        ("2 x", "F6"),
        ("2", "F7 freeze"),
    ] {
        let text = at(&live, remapped.clone(), size, keys).await.text();
        assert!(text.contains(what), "{keys}:\n{text}");
    }
    // The old key sends nothing any more, the new one does.
    stage.keys("s").await;
    assert!(stage.state.layers.is_empty());
    stage.keys("F6").await;
    assert_eq!(stage.state.layers.len(), 1);
}

#[test]
fn a_key_file_with_faults_is_told_with_line_and_both_actions() {
    let place = Place::new();
    let file = place.write(
        "keys.toml",
        "# delete and send and back\n[list]\nadd = [\"F2\"]\nsend = [\"e\"]\n\n[logs]\nfollow = [\"g\"]\n[global]\nback = []\n",
    );
    let told = place
        .moonport(&["keys", "--check", file.to_str().unwrap()])
        .run()
        .expect(1)
        .err;
    for fault in [
        "keys.toml line 4: `e` would mean both `edit` and `send`",
        "keys.toml line 7: `g` of `log.follow` hides the longer",
        "keys.toml line 9: `back` would have no key",
    ] {
        assert!(told.contains(fault), "{fault}:\n{told}");
    }
}
