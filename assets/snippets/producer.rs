// cargo add rocketmq tokio --features tokio/full && cargo add time --features local-offset
use rocketmq::Producer;
use rocketmq::conf::{ClientOption, ProducerOption};
use rocketmq::model::message::MessageBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all("logs")?; // the client's own log
    let mut client = ClientOption::default();
    client.set_access_url("127.0.0.1:8081");
    client.set_enable_tls(false);
    let mut options = ProducerOption::default();
    options.set_topics(vec!["message-processing"]);
    let mut producer = Producer::new(options, client)?;
    producer.start().await?;
    let message = MessageBuilder::builder()
        .set_topic("message-processing")
        .set_body(br#"{"eventType":"OrderCreated"}"#.to_vec())
        .build()?;
    println!("{}", producer.send(message).await?.message_id());
    producer.shutdown().await?;
    Ok(())
}
