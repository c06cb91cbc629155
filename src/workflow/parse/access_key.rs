//! The tables `[[access-key]]`.

use crate::cluster::session::Grant;
use crate::workflow::file::{AccessKeyDefinition, Placed};
use crate::workflow::parse::reader::Section;

pub(super) fn read(mut section: Section<'_>) -> Option<Placed<AccessKeyDefinition>> {
    let key = section.required::<String>("key");
    let secret_env = section.required::<String>("secret-env");
    let grants = grants(&mut section);
    section.finish();
    let definition = AccessKeyDefinition {
        key: key?,
        secret_env: secret_env?,
        grants: grants?,
    };
    if definition.key.is_empty() || definition.key.contains(['/', ',', ' ']) {
        let what = format!("`key` cannot be `{}`", definition.key);
        let hint = "a key is one word without `/` and `,`, as clients put it into a header";
        section.note(section.line_of("key"), what, Some(hint.to_owned()));
    }
    Some(section.place(definition))
}

fn grants(section: &mut Section<'_>) -> Option<Vec<Grant>> {
    if !section.holds("grants") {
        section.missing("grants");
    }
    let texts = section.texts("grants")?;
    let mut grants = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(grant) => grants.push(grant),
            Err(error) => {
                let what = format!("`grants` holds `{text}`: {error}");
                section.note(section.line_of("grants"), what, None);
            }
        }
    }
    Some(grants)
}
