//! The scenarios: what a program plays, against which peer, and what it must have seen at the end.

use serde_json::{Value, json};

use crate::interop::client::Client;
use crate::interop::language::{Language, Programs};
use crate::interop::peer::{KEY, Peer, SECRET, Set};
use crate::interop::seen::Seen;
use crate::support::program::Program;

type Verdict = Result<(), String>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    name: &'static str,
    /// What the program is told to play; several scenarios may play the same.
    play: &'static str,
    set: Set,
    secret: Option<&'static str>,
    transport: Transport,
    judge: fn(&Seen, &Peer) -> Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// As the client does when nobody tells it.
    Default,
    Tls,
    Plaintext,
}

const OPEN: Set = Set {
    auto_create: false,
    keys: false,
    certificate: false,
};
const WITH_KEYS: Set = Set { keys: true, ..OPEN };
const AUTO: Set = Set {
    auto_create: true,
    ..OPEN
};
const CERTIFIED: Set = Set {
    certificate: true,
    ..OPEN
};

const fn scenario(name: &'static str, judge: fn(&Seen, &Peer) -> Verdict) -> Scenario {
    Scenario {
        name,
        play: name,
        set: OPEN,
        secret: None,
        transport: Transport::Default,
        judge,
    }
}

/// Plays no program of these tests, but the one that the console gives to paste.
const SNIPPET: &str = "snippet";

const SCENARIOS: [Scenario; 21] = [
    scenario(SNIPPET, |_, _| Ok(())),
    scenario("normal", normal),
    scenario("fifo", in_order),
    scenario("delay", delay),
    scenario("recall", recall),
    scenario("transaction", transaction),
    scenario("retry", retry),
    scenario("push", push),
    scenario("push-fifo", in_order),
    scenario("dead-letter", dead_letter),
    scenario("filters", filters),
    scenario("undeclared", undeclared),
    scenario("groups", groups),
    scenario("reconnect", reconnect),
    Scenario {
        name: "auto-create",
        play: "undeclared",
        set: AUTO,
        ..scenario("", auto_create)
    },
    Scenario {
        name: "function",
        play: "one",
        ..scenario("", function)
    },
    Scenario {
        name: "signed",
        play: "one",
        set: WITH_KEYS,
        secret: Some(SECRET),
        ..scenario("", sent_one)
    },
    Scenario {
        name: "wrong-secret",
        play: "credentials",
        set: WITH_KEYS,
        secret: Some("not-the-secret"),
        ..scenario("", unauthorized)
    },
    Scenario {
        name: "unsigned",
        play: "credentials",
        set: WITH_KEYS,
        ..scenario("", unauthorized)
    },
    Scenario {
        name: "tls",
        play: "normal",
        set: CERTIFIED,
        transport: Transport::Tls,
        ..scenario("", normal)
    },
    Scenario {
        name: "plaintext",
        play: "normal",
        transport: Transport::Plaintext,
        ..scenario("", normal)
    },
];

impl Scenario {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        SCENARIOS.into_iter()
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a language's published client has what it takes.
    pub(super) fn suits(&self, language: Language) -> bool {
        match self.name {
            // The published Rust client neither pushes nor recalls, and takes the certificates of public authorities only.
            "push" | "push-fifo" | "recall" | "tls" => language != Language::Rust,
            _ => true,
        }
    }

    pub(super) fn play(&self, programs: &Programs) -> Verdict {
        let mut peer = Peer::open(self.set);
        if self.name == SNIPPET {
            return snippet(programs, &peer);
        }
        let variables = self.variables(programs.language, &peer);
        let client = Client::start(programs, &peer.address, self.play, &variables);
        let seen = client.play(&mut peer)?;
        (self.judge)(&seen, &peer).map_err(|reason| format!("{reason}\nit saw {seen}"))
    }

    fn variables(&self, language: Language, peer: &Peer) -> Vec<(&'static str, String)> {
        let is_tls = match self.transport {
            Transport::Default => language.is_tls_by_default(),
            Transport::Tls => true,
            Transport::Plaintext => false,
        };
        let mut variables = vec![("INTEROP_TLS", u8::from(is_tls).to_string())];
        if self.set.certificate {
            let roots = peer.place.path().join("certificate.pem");
            let roots = roots.display().to_string();
            // Whom the gRPC libraries of Python and Node.js trust.
            variables.push(("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", roots));
        }
        if let Some(secret) = self.secret {
            variables.push(("INTEROP_KEY", KEY.to_owned()));
            variables.push(("INTEROP_SECRET", secret.to_owned()));
        }
        variables
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Verdict {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: {found:?} instead of {wanted:?}"))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Everything that was sent arrived once, under its id.
fn all_arrived(seen: &Seen, count: usize) -> Verdict {
    same("messages", &seen.all("sent").len(), &count)?;
    let (sent, received) = (seen.sorted("sent", "id"), seen.sorted("received", "id"));
    same("ids", &received, &sent)
}

fn normal(seen: &Seen, peer: &Peer) -> Verdict {
    all_arrived(seen, 3)?;
    for received in seen.all("received") {
        let body = received["body"].as_str().unwrap_or_default();
        let number = body.strip_prefix("body-").unwrap_or_default();
        same("tag", &received["tag"], &json!("t"))?;
        same("keys", &received["keys"], &json!([format!("k{number}")]))?;
        same(
            "properties",
            &received["properties"],
            &json!({"amount": number}),
        )?;
        same("attempt", &received["attempt"], &json!(1))?;
    }
    let settled = ["group", "show", "normal-group"];
    peer.wait_until(&settled, |shown| shown["group"]["lag"] == 0)
        .map(drop)
}

fn in_order(seen: &Seen, _: &Peer) -> Verdict {
    all_arrived(seen, 6)?;
    let groups = [
        ("g0".to_owned(), texts(&["body-0", "body-2", "body-4"])),
        ("g1".to_owned(), texts(&["body-1", "body-3", "body-5"])),
    ];
    same("order", &seen.by_group(), &groups.into())
}

fn delay(seen: &Seen, _: &Peer) -> Verdict {
    all_arrived(seen, 1)?;
    let early = seen.between("sent", Some("ready"));
    same("received early", &early.all("received").len(), &0)
}

fn recall(seen: &Seen, peer: &Peer) -> Verdict {
    same(
        "recalled",
        &seen.sorted("recalled", "id"),
        &seen.sorted("sent", "id"),
    )?;
    peer.step(3700);
    let stored = peer.ask(&["messages", "--topic", "delay"]);
    same("messages that became due", &stored, &json!([]))
}

fn transaction(seen: &Seen, _: &Peer) -> Verdict {
    let checked = seen.sorted("checked", "body");
    same(
        "checked",
        &checked.first().map(String::as_str),
        &Some("checked"),
    )?;
    same(
        "checks",
        &checked.iter().all(|body| body == "checked"),
        &true,
    )?;
    same(
        "received",
        &seen.sorted("received", "body"),
        &texts(&["checked", "committed"]),
    )
}

fn retry(seen: &Seen, _: &Peer) -> Verdict {
    let ids = seen.sorted("received", "id");
    let sent = seen.sorted("sent", "id");
    same("ids", &ids, &[sent.clone(), sent].concat())?;
    same(
        "attempts",
        &seen.field("received", "attempt"),
        &vec![json!(1), json!(2)],
    )
}

fn push(seen: &Seen, _: &Peer) -> Verdict {
    all_arrived(seen, 5)
}

fn dead_letter(seen: &Seen, peer: &Peer) -> Verdict {
    same(
        "attempts",
        &seen.field("received", "attempt"),
        &vec![json!(1), json!(2), json!(3)],
    )?;
    let letters = peer.ask(&["dlq", "list", "--group", "failing-group"]);
    let id = seen.field("sent", "id");
    let found = letters[0].to_string();
    let id = id.first().and_then(Value::as_str).unwrap_or("no id");
    same(
        "the dead letter is of the message",
        &found.contains(id),
        &true,
    )
}

fn filters(seen: &Seen, _: &Peer) -> Verdict {
    let by_tag = seen.between("by-tag", Some("by-sql"));
    same(
        "by tag",
        &by_tag.sorted("received", "body"),
        &texts(&["a", "b"]),
    )?;
    let by_sql = seen.between("by-sql", None);
    same(
        "by SQL",
        &by_sql.sorted("received", "body"),
        &texts(&["b", "c"]),
    )
}

/// Each of two groups gets every message.
fn groups(seen: &Seen, _: &Peer) -> Verdict {
    let sent = seen.sorted("sent", "id");
    same("messages", &sent.len(), &3)?;
    let first = seen.between("first-group", Some("second-group"));
    same("first group", &first.sorted("received", "id"), &sent)?;
    let second = seen.between("second-group", None);
    same("second group", &second.sorted("received", "id"), &sent)
}

fn reconnect(seen: &Seen, _: &Peer) -> Verdict {
    let received = seen.sorted("received", "body");
    same("received", &received, &texts(&["after", "before"]))
}

fn refused(seen: &Seen, words: &[&str]) -> Verdict {
    same("sent", &seen.all("sent").len(), &0)?;
    let told = seen.sorted("refused", "text").concat();
    if words.iter().any(|word| told.contains(word)) {
        return Ok(());
    }
    Err(format!("refused with `{told}`, without any of {words:?}"))
}

fn undeclared(seen: &Seen, _: &Peer) -> Verdict {
    refused(seen, &["40402", "TOPIC_NOT_FOUND", "TopicNotFound"])
}

fn unauthorized(seen: &Seen, _: &Peer) -> Verdict {
    refused(seen, &["40100", "UNAUTHORIZED", "Unauthorized"])
}

fn auto_create(seen: &Seen, peer: &Peer) -> Verdict {
    sent_one(seen, peer)?;
    let topic = peer.ask(&["topic", "show", "missing"]);
    let told = topic.to_string();
    same("the topic is MIXED", &told.contains("MIXED"), &true)
}

fn sent_one(seen: &Seen, _: &Peer) -> Verdict {
    same("sent", &seen.all("sent").len(), &1)
}

/// The function behind the trigger ran on the very message.
fn function(seen: &Seen, peer: &Peer) -> Verdict {
    sent_one(seen, peer)?;
    let id = seen.sorted("sent", "id").concat();
    let mut logs = peer.place.moonport(&["logs", "--follow"]).start();
    let told = logs.out.wait_for("invoked with");
    same("the log names the message", &told.contains(&id), &true)
}

/// What the console gives to paste sends a message as it is.
fn snippet(programs: &Programs, peer: &Peer) -> Verdict {
    let home = tempfile::tempdir().unwrap();
    let command = programs.snippet(home.path(), &peer.address);
    let ended = Program::from(command).run();
    let stored = peer.ask(&["messages", "--topic", "message-processing"]);
    let id = stored[0]["message_id"].as_str().unwrap_or("no message");
    if ended.code == Some(0) && ended.out.contains(id) {
        return Ok(());
    }
    Err(format!("{ended:#?}\nstored: {stored}"))
}
