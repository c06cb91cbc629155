//! Sending and receiving: what is stored is handed out once per group, until it is acked.

use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::Receive;
use moonport::cluster::session::{Caller, Grant, Principal, Resource};
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::ids::MessageId;
use moonport::domain::message::{Draft, HalfDraft};
use moonport::domain::subscription::FilterExpression;
use moonport::domain::topic::{Permission, TopicDefinition, TopicType};
use std::time::Duration;

use crate::support::broker::{
    START, TestBroker, bodies, draft, fifo, group, receive, seconds, tagged, topic, within,
};

async fn orders() -> TestBroker {
    TestBroker::new()
        .topic("orders", TopicType::Normal, 4)
        .await
        .group("g", 16)
        .await
}

#[tokio::test]
async fn a_message_goes_to_one_member_of_every_group_d1_o7() {
    let test = orders().await.group("h", 16).await;
    test.send("orders", "one").await;

    let to_g = test.receive("g", "orders").await;
    assert_eq!(bodies(&to_g), ["one"]);
    assert_eq!(
        (to_g[0].attempt, to_g[0].min_offset, to_g[0].max_offset),
        (1, 0, 1)
    );
    assert!(test.receive("g", "orders").await.is_empty());
    assert_eq!(bodies(&test.receive("h", "orders").await), ["one"]);

    test.ack_all(&to_g).await;
    let row = test.group_row("g").await;
    assert_eq!((row.lag(), row.consumed_total), (0, 1));
}

#[tokio::test]
async fn messages_without_a_queue_go_round_the_queues_o5() {
    let test = orders().await;
    let mut queues = Vec::new();
    for body in ["a", "b", "c", "d", "e"] {
        queues.push(test.send("orders", body).await.queue);
    }
    assert_eq!(queues, [0, 1, 2, 3, 0]);
}

#[tokio::test]
async fn a_waiting_receiver_gets_the_message_that_comes() {
    let test = orders().await;
    test.join("g", "orders").await;
    let (received, _) = tokio::join!(
        test.await_messages("g", "orders"),
        test.send("orders", "late")
    );
    assert_eq!(bodies(&received), ["late"]);
}

#[tokio::test]
async fn a_poll_without_messages_ends_empty_e3() {
    let test = orders().await;
    let poll = Receive {
        poll: seconds(5),
        ..receive("g", "orders")
    };
    let real = test.real.clone();
    let (received, ()) = tokio::join!(test.try_receive(poll), async {
        tokio::task::yield_now().await;
        real.advance(seconds(5));
    });
    assert_eq!(received.unwrap(), []);
}

#[tokio::test]
async fn what_a_lease_that_ran_out_makes_due_is_done_at_once_d5() {
    let test = orders().await;
    test.send("orders", "a").await;
    assert_eq!(test.receive("g", "orders").await.len(), 1);
    test.step(seconds(60)).await;
    // Real time stands still: nothing is left for a later try.
    within(async {
        while test.clock.next_due().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(test.receive("g", "orders").await[0].attempt, 2);
}

#[tokio::test]
async fn an_ack_is_idempotent_and_settles_for_good_d2() {
    let test = orders().await;
    test.send("orders", "one").await;
    let received = test.receive("g", "orders").await;
    test.ack(&received[0]).await;
    test.ack(&received[0]).await;
    test.step(seconds(3600)).await;
    assert!(test.receive("g", "orders").await.is_empty());
}

#[tokio::test]
async fn a_message_that_a_tag_filter_does_not_want_counts_as_consumed() {
    let test = orders().await;
    for (body, tag) in [("1", "a"), ("2", "b"), ("3", "a")] {
        test.send_draft(tagged("orders", body, tag)).await;
    }
    let only_a = Receive {
        filter: FilterExpression::Tag("a".to_owned()),
        ..receive("g", "orders")
    };
    let mut received = test.try_receive(only_a).await.unwrap();
    received.extend(test.receive("g", "orders").await);
    assert_eq!(bodies(&received), ["1", "3"]);
}

#[tokio::test]
async fn an_sql_filter_reads_properties_tag_and_keys_p4() {
    let test = orders().await;
    for (body, amount) in [("small", "7"), ("large", "700")] {
        let mut order = tagged("orders", body, "created");
        order.keys = vec!["k".to_owned()];
        order.properties.set("amount", amount);
        test.send_draft(order).await;
    }
    let large = Receive {
        filter: FilterExpression::Sql(
            "amount > 100 AND TAGS = 'created' AND KEYS = 'k'".to_owned(),
        ),
        ..receive("g", "orders")
    };
    assert_eq!(bodies(&test.try_receive(large).await.unwrap()), ["large"]);
    let broken = Receive {
        filter: FilterExpression::Sql("amount >".to_owned()),
        ..receive("g", "orders")
    };
    let refused = test.try_receive(broken).await;
    assert!(matches!(refused, Err(ClusterError::IllegalFilter(_))));
}

#[tokio::test]
async fn a_new_group_starts_at_the_latest_message_unless_told_otherwise_o3() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await;
    test.send("orders", "old").await;
    assert!(test.receive("auto-made", "orders").await.is_empty());
    test.send("orders", "new").await;
    assert_eq!(bodies(&test.receive("auto-made", "orders").await), ["new"]);
    assert!(test.group_row("auto-made").await.definition.auto);
}

#[tokio::test]
async fn missing_topics_and_groups_are_made_unless_that_is_off_t8_g5() {
    let test = TestBroker::new();
    test.send("made", "x").await;
    let row = test.broker.topic(topic("made")).await.unwrap();
    assert_eq!(row.definition.topic_type, TopicType::Mixed);
    assert!(row.definition.auto);

    let strict = TestBroker::with(|instance| instance.auto_create = false);
    let refused = strict.try_send(draft("made", "x")).await;
    assert_eq!(refused, Err(ClusterError::TopicNotFound(topic("made"))));
    let strict = strict.topic("made", TopicType::Normal, 1).await;
    let refused = strict.try_receive(receive("g", "made")).await;
    assert_eq!(refused, Err(ClusterError::GroupNotFound(group("g"))));
}

#[tokio::test]
async fn permissions_close_a_topic_for_sending_and_for_receiving_t2() {
    let test = orders().await;
    let mut definition = TopicDefinition::new(topic("orders"), TopicType::Normal, 4, START);
    definition.permission = Permission::READ_ONLY;
    test.put_topic(definition.clone()).await.unwrap();
    let refused = test.try_send(draft("orders", "x")).await;
    assert!(matches!(refused, Err(ClusterError::Forbidden(_))));
    definition.permission = Permission::WRITE_ONLY;
    test.put_topic(definition).await.unwrap();
    test.send("orders", "x").await;
    let refused = test.try_receive(receive("g", "orders")).await;
    assert!(matches!(refused, Err(ClusterError::Forbidden(_))));
}

#[tokio::test]
async fn an_access_key_does_only_what_it_is_granted() {
    let test = orders().await;
    let grant = |on, name: &str, send, receive| Grant {
        on,
        name: name.to_owned(),
        send,
        receive,
    };
    let reader = Caller {
        principal: Principal::AccessKey {
            key: "k".to_owned(),
            grants: vec![
                grant(Resource::Topic, "orders", false, true),
                grant(Resource::Group, "g", false, true),
            ],
        },
        ..Caller::local()
    };
    let send = moonport::cluster::messaging::Send::one(draft("orders", "x"));
    let outcomes = test.broker.send(&reader, send).await.unwrap();
    assert!(matches!(outcomes[0], Err(ClusterError::Forbidden(_))));
    let received = test.receive_as(&reader, receive("g", "orders")).await;
    assert_eq!(received, Ok(Vec::new()));
    let other = test.receive_as(&reader, receive("h", "orders")).await;
    assert!(matches!(other, Err(ClusterError::Forbidden(_))));
}

#[tokio::test]
async fn a_group_that_is_switched_off_receives_nothing_g5() {
    let test = orders().await;
    test.send("orders", "x").await;
    let test = test
        .put_group("g", |group| group.consume_enabled = false)
        .await;
    let refused = test.try_receive(receive("g", "orders")).await;
    assert!(matches!(refused, Err(ClusterError::Forbidden(_))));
}

#[tokio::test]
async fn invisible_durations_have_bounds_n15() {
    let test = orders().await;
    for asked in [seconds(9), seconds(12 * 3600 + 1)] {
        let request = Receive {
            invisible: Some(asked),
            ..receive("g", "orders")
        };
        let refused = test.try_receive(request).await;
        assert!(matches!(
            refused,
            Err(ClusterError::IllegalInvisible { .. })
        ));
    }
}

#[tokio::test]
async fn the_highest_priority_goes_first_and_keeps_it_on_retry_t11() {
    let test = TestBroker::new()
        .topic("jobs", TopicType::Priority, 4)
        .await
        .group("g", 16)
        .await;
    for priority in [0, 2, 9, 1] {
        let mut job = draft("jobs", &priority.to_string());
        job.priority = Some(priority);
        test.send_draft(job).await;
    }
    let first = test
        .try_receive(Receive {
            max: 1,
            ..receive("g", "jobs")
        })
        .await
        .unwrap();
    assert_eq!(bodies(&first), ["9"]);
    test.nack(&first[0], Duration::ZERO).await;
    assert_eq!(
        bodies(&test.receive("g", "jobs").await),
        ["9", "2", "1", "0"]
    );
}

#[tokio::test]
async fn sending_over_the_limit_is_throttled_and_recovers_n19_e1() {
    let test = TestBroker::new();
    let mut definition = TopicDefinition::new(topic("slow"), TopicType::Normal, 1, START);
    definition.max_send_tps = Some(2);
    test.put_topic(definition).await.unwrap();
    test.send("slow", "1").await;
    test.send("slow", "2").await;
    let refused = test.try_send(draft("slow", "3")).await;
    assert!(matches!(
        refused,
        Err(ClusterError::Throttled { limit: 2, .. })
    ));
    test.real.advance(seconds(1));
    test.send("slow", "3").await;
}

#[tokio::test]
async fn a_failed_commit_refuses_the_send_and_leaves_no_offset_gap() {
    use moonport::store::error::StoreError;
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    test.send("orders", "one").await;
    test.store.break_with(StoreError::Full {
        path: "/data".into(),
    });
    let refused = test.try_send(draft("orders", "lost")).await;
    assert!(matches!(refused, Err(ClusterError::StoreFull(_))));
    assert!(test.broker.statistics().await.unwrap().read_only);

    test.store.mend();
    assert_eq!(test.send("orders", "two").await.offset, 1);
    assert_eq!(bodies(&test.receive("g", "orders").await), ["one", "two"]);
    assert!(!test.broker.statistics().await.unwrap().read_only);
}

#[tokio::test]
async fn any_member_takes_from_any_queue_o6_o7() {
    let test = orders().await;
    let first = test.consumer("a", "g", "orders", "*").await;
    let second = test.consumer("b", "g", "orders", "*").await;
    for body in ["0", "1", "2", "3"] {
        test.send("orders", body).await;
    }
    let two = Receive {
        max: 2,
        ..receive("g", "orders")
    };
    let mut taken = bodies(&test.receive_as(&first, two.clone()).await.unwrap());
    assert_eq!(taken.len(), 2);
    taken.extend(bodies(
        &test.receive_as(&second, two.clone()).await.unwrap(),
    ));
    taken.sort();
    assert_eq!(taken, ["0", "1", "2", "3"]);
    assert!(test.receive_as(&first, two).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_simple_consumer_says_how_long_it_may_take_d9() {
    let test = orders().await;
    test.send("orders", "x").await;
    let for_thirty = Receive {
        invisible: Some(seconds(30)),
        ..receive("g", "orders")
    };
    test.try_receive(for_thirty).await.unwrap();
    test.step(seconds(29)).await;
    assert!(test.receive("g", "orders").await.is_empty());
    test.step(seconds(1)).await;
    assert_eq!(test.receive("g", "orders").await[0].attempt, 2);
}

#[tokio::test]
async fn what_comes_again_is_not_filtered_again_p13() {
    let test = orders().await;
    test.send_draft(tagged("orders", "x", "a")).await;
    let with = |filter: &str| Receive {
        filter: FilterExpression::Sql(format!("TAGS = '{filter}'")),
        ..receive("g", "orders")
    };
    let received = test.try_receive(with("a")).await.unwrap();
    test.nack(&received[0], Duration::ZERO).await;
    let again = test.try_receive(with("b")).await.unwrap();
    assert_eq!(
        (bodies(&again), again[0].attempt),
        (vec!["x".to_owned()], 2)
    );
}

#[tokio::test]
async fn a_concurrent_group_does_not_wait_for_the_order_of_a_topic_g4() {
    let test = TestBroker::new()
        .topic("steps", TopicType::Fifo, 1)
        .await
        .group("g", 16)
        .await;
    for body in ["1", "2"] {
        test.send_draft(fifo("steps", body, "same")).await;
    }
    let first = test.receive_some("g", "steps", 1).await;
    let second = test.receive_some("g", "steps", 1).await;
    assert_eq!(
        (bodies(&first), bodies(&second)),
        (vec!["1".to_owned()], vec!["2".to_owned()])
    );
}

#[tokio::test]
async fn a_receipt_tells_id_and_place_and_a_repeated_id_has_two_places_m3() {
    let test = TestBroker::new().topic("any", TopicType::Mixed, 1).await;
    let mine = MessageId::new("MINE").unwrap();
    for offset in [0, 1] {
        let again = Draft {
            id: Some(mine.clone()),
            ..draft("any", "x")
        };
        let receipt = test.send_draft(again).await;
        assert_eq!(
            (receipt.id, receipt.queue, receipt.offset),
            (mine.clone(), 0, offset)
        );
        assert_eq!((receipt.transaction, receipt.recall_handle), (None, None));
    }
    let later = Draft {
        deliver_at: Some(START + seconds(60)),
        ..draft("any", "x")
    };
    assert!(test.send_draft(later).await.recall_handle.is_some());
    let half = Draft {
        transaction: Some(HalfDraft::default()),
        ..draft("any", "x")
    };
    assert!(test.send_draft(half).await.transaction.is_some());
}
