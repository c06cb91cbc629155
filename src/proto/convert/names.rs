//! Names and filters. The resource namespace is information only: clients fill it inconsistently.

use crate::domain::ids::MessageId;
use crate::domain::names::{GroupName, NameError, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::subscription::FilterExpression;
use crate::proto::refusal::Refusal;
use crate::proto::v2;

use crate::cluster::error::ClusterError;

pub fn resource(name: impl Into<String>) -> v2::Resource {
    v2::Resource {
        resource_namespace: String::new(),
        name: name.into(),
    }
}

/// A topic to read or to ask about: the broker's own ones are allowed, such as a dead letter topic.
pub fn topic(given: Option<&v2::Resource>) -> Result<TopicName, Refusal> {
    let name = given.map_or("", |resource| resource.name.as_str());
    let topic = TopicName::new(name).map_err(Refusal::Topic)?;
    match topic.check_user_topic() {
        Err(error @ NameError::TooLong { .. }) if !topic.is_reserved() => {
            Err(Refusal::Topic(error))
        }
        _ => Ok(topic),
    }
}

/// A topic to send to.
pub fn topic_to_send(given: Option<&v2::Resource>) -> Result<TopicName, Refusal> {
    let topic = topic(given)?;
    topic.check_user_topic().map_err(Refusal::Topic)?;
    Ok(topic)
}

pub fn group(given: Option<&v2::Resource>) -> Result<GroupName, Refusal> {
    let name = given.map_or("", |resource| resource.name.as_str());
    let group = GroupName::new(name).map_err(Refusal::Group)?;
    group.check_user_group().map_err(Refusal::Group)?;
    Ok(group)
}

/// The group of calls where producers leave it out or blank.
pub fn optional_group(given: Option<&v2::Resource>) -> Result<Option<GroupName>, Refusal> {
    match given {
        Some(resource) if !resource.name.is_empty() => group(given).map(Some),
        _ => Ok(None),
    }
}

/// A missing filter takes everything.
pub fn filter(given: Option<&v2::FilterExpression>) -> FilterExpression {
    match given {
        Some(filter) if filter.r#type() == v2::FilterType::Sql => {
            FilterExpression::Sql(filter.expression.clone())
        }
        Some(filter) => FilterExpression::Tag(filter.expression.clone()),
        None => FilterExpression::all(),
    }
}

pub fn to_filter(filter: &FilterExpression) -> v2::FilterExpression {
    let kind = match filter {
        FilterExpression::Tag(_) => v2::FilterType::Tag,
        FilterExpression::Sql(_) => v2::FilterType::Sql,
    };
    v2::FilterExpression {
        r#type: kind.into(),
        expression: filter.text().to_owned(),
    }
}

pub fn receipt(text: &str) -> Result<ReceiptHandle, Refusal> {
    ReceiptHandle::parse(text).map_err(|_| ClusterError::IllegalReceipt.into())
}

pub fn message_id(text: &str) -> Result<MessageId, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::MessageId);
    }
    MessageId::new(text).ok_or_else(|| ClusterError::IllegalMessageId(text.to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_over_their_limit_have_their_own_codes_n4_n5() {
        let long = |length: usize| resource("x".repeat(length));
        assert!(topic(Some(&long(127))).is_ok());
        assert_eq!(
            topic(Some(&long(128))).unwrap_err().code(),
            v2::Code::IllegalTopic
        );
        assert!(group(Some(&long(120))).is_ok());
        assert_eq!(
            group(Some(&long(121))).unwrap_err().code(),
            v2::Code::IllegalConsumerGroup
        );
        assert_eq!(topic(None).unwrap_err().code(), v2::Code::IllegalTopic);
    }

    #[test]
    fn dead_letters_can_be_read_but_not_sent_to_n8() {
        let letters = resource("%DLQ%orders");
        assert!(topic(Some(&letters)).is_ok());
        assert_eq!(
            topic_to_send(Some(&letters)).unwrap_err().code(),
            v2::Code::IllegalTopic
        );
    }

    #[test]
    fn producers_have_no_group_and_consumers_a_checked_one() {
        assert_eq!(optional_group(None), Ok(None));
        assert_eq!(optional_group(Some(&resource(""))), Ok(None));
        assert!(optional_group(Some(&resource("a b"))).is_err());
    }

    #[test]
    fn filters_come_back_as_they_went() {
        for filter_text in [
            FilterExpression::Sql("a > 1".to_owned()),
            FilterExpression::Tag("x || y".to_owned()),
        ] {
            assert_eq!(filter(Some(&to_filter(&filter_text))), filter_text);
        }
        assert!(filter(None).is_all());
    }
}
