//! Why a message that was asked for by its id is not there (Y4).

use crate::cli::session::{Session, failed, refused};
use crate::cluster::Cluster;
use crate::domain::ids::MessageId;
use crate::report::{Exit, Report};

/// Tells what became of the message, or else where it may be.
pub async fn absent(
    session: &Session,
    cluster: &Cluster,
    id: &MessageId,
) -> Result<Report, Report> {
    let traces = cluster.admin.trace(id.clone()).await.map_err(refused)?;
    let newest = traces.last();
    if let Some(last) = newest.and_then(|trace| trace.steps.last()) {
        return Ok(Report::plain(
            format!("message `{id}` lies in no queue: {}", last.what),
            Some(format!("`moonport trace {id}` tells its life")),
            Exit::Failed,
        ));
    }
    let hint = match (elsewhere(session, id).await?, id.as_offset_id()) {
        (Some(instance), _) => format!("instance `{instance}` has it: `--instance {instance}`"),
        (None, Some((store, place))) => format!(
            "as an offset id it is place {place} in the store of {store}; messages are found here by the id of their sender"
        ),
        (None, None) => "it never came, or is forgotten with its topic or by retention; `moonport messages --topic TOPIC` lists what is stored"
            .to_owned(),
    };
    let headline = format!("no message `{id}`");
    Ok(Report::plain(headline, Some(hint), Exit::Failed))
}

/// The name of another instance that knows the message.
async fn elsewhere(session: &Session, id: &MessageId) -> Result<Option<String>, Report> {
    let here = session.instance().await?.definition.id;
    let instances = &session.control.instances;
    for row in instances.instances().await.map_err(failed)? {
        if row.definition.id == here {
            continue;
        }
        // An instance that does not answer has nothing to tell.
        let Ok(cluster) = instances.cluster(&row.definition.id) else {
            continue;
        };
        if cluster
            .admin
            .trace(id.clone())
            .await
            .is_ok_and(|found| !found.is_empty())
        {
            return Ok(Some(row.definition.name));
        }
    }
    Ok(None)
}
