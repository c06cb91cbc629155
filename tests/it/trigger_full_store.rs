//! A store that refuses writes holds a trigger's settlements up, which is shown, and lets them through when it takes writes
//! again.

use moonport::domain::topic::TopicType;
use moonport::store::error::StoreError;

use crate::support::broker::{TestBroker, seconds};
use crate::support::triggers::TestTriggers;

#[tokio::test]
async fn a_settlement_waits_for_a_full_store_visibly_and_resumes_with_the_space() {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await;
    let test = TestTriggers::over(broker).trigger(|_| {}).await;
    test.scripted.close_gate();
    test.broker.send("orders", "one").await;
    test.wait_calls(1).await;

    test.broker.store.break_with(StoreError::Full {
        path: "/data".into(),
    });
    test.scripted.open_gate();
    let shows_why = |error: &String| {
        error.contains("waits to be settled") && error.contains("the disk is full")
    };
    let row = test
        .wait_row(|row| row.last_error.as_ref().is_some_and(shows_why))
        .await;
    assert_eq!((row.in_work, row.lag), (1, 1));
    assert_eq!(test.broker.stored("orders").await.len(), 1, "reads go on");

    test.broker.store.mend();
    test.broker.real.advance(seconds(1));
    test.wait_done().await;
    assert_eq!(test.scripted.seen().len(), 1, "it ran once");
}
