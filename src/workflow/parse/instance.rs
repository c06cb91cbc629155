//! The table `[instance]`.

use crate::domain::instance::{DEFAULT_RETENTION, InstanceDefinition};
use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;
use crate::workflow::file::{DEFAULT_REGION, Placed};
use crate::workflow::parse::reader::Section;

/// Longest name of an instance, in characters (N2).
const MAX_NAME: usize = 128;

/// The instance, and whether the file gives its id.
pub(super) fn read(mut section: Section<'_>) -> Option<(Placed<InstanceDefinition>, bool)> {
    let name = section.required::<String>("name");
    if let Some(name) = &name {
        let length = name.chars().count();
        if name.trim().is_empty() || length > MAX_NAME || name.chars().any(char::is_control) {
            let line = section.line_of("name");
            let why = format!("`name` must have 1-{MAX_NAME} printable characters");
            section.note(line, why, None);
        }
    }
    let given: Option<InstanceId> = section.checked("id");
    let region = section.checked("region");
    let listen = section.text("listen");
    let auto_create = section.flag("auto-create");
    let retention = section.span("retention");
    let max_tps = section.count("max-tps");
    let ratio = section.fraction("send-receive-ratio");
    let max_bytes = section.number("max-bytes", 1..=u64::MAX);
    let remark = section.checked("remark");
    section.finish();

    let name = name?;
    let id_given = given.is_some();
    let Some(id) = given.or_else(|| id_of(&name)) else {
        section.missing("id");
        return None;
    };
    let region = region.unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let mut definition = InstanceDefinition::new(id, name, region, Timestamp::EPOCH);
    if let Some(listen) = listen {
        if listen.get_ref() == "off" {
            definition.listens = false;
        } else if is_address(listen.get_ref()) {
            definition.listen = Some(listen.into_inner());
        } else {
            let why = "must be an address such as `127.0.0.1:8081`, or `off`";
            section.refuse(&listen.span(), "listen", why);
        }
    }
    definition.auto_create = auto_create.unwrap_or(true);
    definition.retention = retention.unwrap_or(DEFAULT_RETENTION);
    definition.max_tps = max_tps;
    definition.send_receive_ratio = ratio.unwrap_or(definition.send_receive_ratio);
    definition.max_bytes = max_bytes;
    definition.remark = remark.unwrap_or_default();
    Some((section.place(definition), id_given))
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// The id of an instance that is known by its name only: `rmq-` and what of the name an id may hold.
fn id_of(name: &str) -> Option<InstanceId> {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(100) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    let id = if name.is_ascii() && !slug.is_empty() {
        format!("rmq-{slug}")
    } else {
        // Names in other scripts keep apart by a checksum of all their characters.
        format!("rmq-{slug}{:08x}", crc32fast::hash(name.as_bytes()))
    };
    InstanceId::new(id).ok()
}
