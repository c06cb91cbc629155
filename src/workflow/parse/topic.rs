//! The tables `[[topic]]`.

use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{DEFAULT_QUEUES, MAX_QUEUES, TopicDefinition, TopicType};
use crate::workflow::file::Placed;
use crate::workflow::parse::reader::Section;
use crate::workflow::parse::words::PERMISSIONS;

pub(super) fn read(mut section: Section<'_>) -> Option<Placed<TopicDefinition>> {
    let name: Option<TopicName> = section.required("name");
    if let Some(Err(error)) = name.as_ref().map(TopicName::check_user_topic) {
        section.note(
            section.line_of("name"),
            format!("`name` cannot be used: {error}"),
            None,
        );
    }
    let types = TopicType::ALL.map(|topic_type| (topic_type.as_str(), topic_type));
    let topic_type = section.choice("type", &types);
    let queues = section.number("queues", 1..=u64::from(MAX_QUEUES));
    let read_queues = section.number("read-queues", 1..=u64::from(MAX_QUEUES));
    let permission = section.choice("permission", &PERMISSIONS);
    let retention = section.span("retention");
    let max_send_tps = section.count("max-send-tps");
    let remark = section.checked("remark");
    section.finish();

    let queues = queues.map_or(DEFAULT_QUEUES, |queues| queues as u32);
    let mut definition = TopicDefinition::new(
        name?,
        topic_type.unwrap_or_default(),
        queues,
        Timestamp::EPOCH,
    );
    definition.read_queues = read_queues.map_or(queues, |queues| queues as u32);
    definition.permission = permission.unwrap_or_default();
    definition.retention = retention;
    definition.max_send_tps = max_send_tps;
    definition.remark = remark.unwrap_or_default();
    Some(section.place(definition))
}
