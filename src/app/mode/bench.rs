//! `moonport bench`: load on a throwaway broker of this process, or on an endpoint elsewhere.

use std::path::Path;
use std::time::Duration;

use crate::app::elsewhere;
use crate::app::listening::Listening;
use crate::app::mode::Launch;
use crate::app::mode::serve::first_instance;
use crate::app::owner::take;
use crate::app::throwaway::Throwaway;
use crate::app::wiring::{Engine, EngineOptions};
use crate::cli::bench::Bench;
use crate::cli::session::failed;
use crate::config::paths::DataDir;
use crate::report::Report;

impl Launch {
    pub(super) async fn bench(&self, bench: Bench) -> Result<u8, Report> {
        if let Some(endpoint) = bench.endpoint.clone() {
            let messaging = elsewhere::messaging(&endpoint, &self.real)?;
            let done = bench.run(messaging, self.real.clone(), None, &self.out);
            return done.await.map(|()| 0);
        }
        // The same disk as the data directory's, without touching what is in it.
        let throwaway = Throwaway::below(nearest_folder(self.data().root()))?;
        let data = DataDir::new(throwaway.path()).map_err(super::misplaced)?;
        let lock = take(&data)?;
        let options = EngineOptions {
            listening: Listening::Off,
            ..self.engine(data)?
        };
        let engine = Engine::start(options, lock).await?;
        let done = self.load(bench, &engine, throwaway.path()).await;
        engine.stop(Duration::ZERO).await;
        drop(throwaway);
        done.map(|()| 0)
    }

    async fn load(&self, bench: Bench, engine: &Engine, disk: &Path) -> Result<(), Report> {
        first_instance(&engine.control).await?;
        let session = self.session(engine.control.clone());
        let rows = engine.control.instances.instances().await.map_err(failed)?;
        let session = crate::cli::session::Session {
            instance: rows.first().map(|row| row.definition.id.to_string()),
            ..session
        };
        let messaging = session.cluster().await?.messaging;
        let disk = Some(disk.to_owned());
        bench
            .run(messaging, self.real.clone(), disk, &self.out)
            .await
    }
}

/// The folder itself, or the closest one above it that is there.
fn nearest_folder(path: &Path) -> &Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."))
}
