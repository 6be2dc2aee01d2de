//! Artifacts: archives and reports that jobs leave, among the objects, with a listing of what is inside.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kernel::db::Sql;
use kernel::jobs::Job;
use kernel::{App, Error, Result, Time};
use sandbox::ArtifactEntry;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

use crate::build::Build;
use crate::keep_latest;

/// How long artifacts are kept where the job doesn't say.
const DEFAULT_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
const PART: usize = 8 << 20;

/// A file that a job left.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Artifact {
    /// The id.
    pub id: i64,
    /// The job.
    pub build_id: i64,
    /// The project.
    pub project_id: i64,
    /// `archive`, `metadata` or a report's kind such as `junit`.
    pub kind: String,
    /// `zip`, `gzip` or `raw`.
    pub format: String,
    /// The name of the file.
    pub file_name: String,
    /// Bytes.
    pub size: i64,
    /// Who may download: `all`, `developer`, `maintainer` or `none`.
    pub access: String,
    /// When it goes; `None` for never.
    pub expires_at: Option<Time>,
    /// When it came.
    pub created_at: Time,
}

const COLUMNS: &str = "id, build_id, project_id, kind, format, file_name, size, access, expires_at, created_at";

/// What is stored with an archive.
#[derive(Debug)]
pub(crate) struct NewArtifact<'a> {
    pub(crate) build: &'a Build,
    pub(crate) kind: &'a str,
    pub(crate) format: &'a str,
    pub(crate) file_name: &'a str,
    pub(crate) access: &'a str,
    pub(crate) expire_in: Option<&'a str>,
    pub(crate) entries: &'a [ArtifactEntry],
}

impl Artifact {
    /// The files that a job left and that are still there.
    pub async fn of_build<C: ConnectionTrait>(conn: &C, build_id: i64) -> Result<Vec<Self>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM build_artifacts WHERE build_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id"
        );
        conn.all(&sql, [build_id.into(), Time::now().into()]).await
    }

    /// The files that several jobs left and that are still there.
    pub async fn of_builds<C: ConnectionTrait>(conn: &C, build_ids: &[i64]) -> Result<Vec<Self>> {
        let ids = build_ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM build_artifacts WHERE build_id IN ({ids}) AND (expires_at IS NULL OR expires_at > $1) ORDER BY id"
        );
        conn.all(&sql, [Time::now().into()]).await
    }

    /// The archives of several jobs.
    pub async fn archives<C: ConnectionTrait>(conn: &C, pipeline_id: i64) -> Result<Vec<Self>> {
        let columns = COLUMNS.split(", ").map(|c| format!("a.{c}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {columns} FROM build_artifacts a JOIN builds b ON b.id = a.build_id
             WHERE b.pipeline_id = $1 AND (a.expires_at IS NULL OR a.expires_at > $2) ORDER BY a.id"
        );
        conn.all(&sql, [pipeline_id.into(), Time::now().into()]).await
    }

    /// The archive of a job.
    pub async fn archive_of<C: ConnectionTrait>(conn: &C, build_id: i64) -> Result<Option<Self>> {
        Ok(Self::of_build(conn, build_id).await?.into_iter().find(|a| a.kind == "archive"))
    }

    /// Where it is among the objects.
    pub fn key(&self) -> String {
        key(self.build_id, &self.kind)
    }

    /// What a zip archive holds.
    pub async fn entries(&self, app: &App) -> Result<Vec<ArtifactEntry>> {
        match app.objects().get(&format!("{}.entries", self.key())).await? {
            Some(listing) => Ok(serde_json::from_slice(&listing)?),
            None => Ok(vec![]),
        }
    }

    /// Keeps it for good.
    pub async fn keep<C: ConnectionTrait>(conn: &C, build_id: i64) -> Result<()> {
        conn.run("UPDATE build_artifacts SET expires_at = NULL WHERE build_id = $1", [build_id.into()]).await?;
        Ok(())
    }
}

fn key(build_id: i64, kind: &str) -> String {
    format!("artifacts/{}/{build_id}/{kind}", build_id % 1000)
}

/// Stores a file that a job left; a second one of its kind takes the place of the first.
pub(crate) async fn store(app: &App, new: NewArtifact<'_>, path: &Path) -> Result<()> {
    let key = key(new.build.id, new.kind);
    let size = copy(app, &key, path).await?;
    if !new.entries.is_empty() {
        app.objects().put(&format!("{key}.entries"), serde_json::to_vec(new.entries)?).await?;
    }
    let now = Time::now();
    let expires_at = match new.expire_in.and_then(ci_yaml::duration::parse_lifetime) {
        Some(ci_yaml::duration::Lifetime::Never) => None,
        Some(ci_yaml::duration::Lifetime::Seconds(s)) => Some(now + Duration::from_secs(s)),
        None => Some(now + DEFAULT_LIFE),
    };
    let sql = "INSERT INTO build_artifacts (build_id, project_id, kind, format, file_name, size, access, expires_at, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               ON CONFLICT (build_id, kind) DO UPDATE SET format = excluded.format, file_name = excluded.file_name,
                 size = excluded.size, access = excluded.access, expires_at = excluded.expires_at";
    let values = [
        new.build.id.into(),
        new.build.project_id.into(),
        new.kind.into(),
        new.format.into(),
        new.file_name.into(),
        size.into(),
        new.access.into(),
        expires_at.into(),
        now.into(),
    ];
    app.db().run(sql, values).await?;
    Ok(())
}

/// Copies a file into the store in parts, so that its size doesn't matter to memory.
async fn copy(app: &App, key: &str, path: &Path) -> Result<i64> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut writer = app.objects().writer(key).await?;
    let mut size: i64 = 0;
    loop {
        let mut part = BytesMut::with_capacity(PART);
        while part.len() < PART && file.read_buf(&mut part).await? > 0 {}
        if part.is_empty() {
            break;
        }
        size += i64::try_from(part.len()).unwrap_or(0);
        writer.put_part(part.freeze().into()).await?;
    }
    writer.complete().await?;
    Ok(size)
}

/// Copies an archive from the store into a file.
pub(crate) async fn fetch(app: &App, artifact: &Artifact, path: &Path) -> Result<()> {
    use futures_util::StreamExt;
    use tokio::io::AsyncWriteExt;
    let (_, mut stream) =
        app.objects().stream(&artifact.key(), None).await?.ok_or_else(|| Error::not_found("Artifact"))?;
    let mut file = tokio::fs::File::create(path).await?;
    while let Some(part) = stream.next().await {
        let part: Bytes = part?;
        file.write_all(&part).await?;
    }
    Ok(file.flush().await?)
}

/// Removes everything that a job left.
pub async fn delete_all(app: &App, build_id: i64) -> Result<()> {
    let sql = format!("DELETE FROM build_artifacts WHERE build_id = $1 RETURNING {COLUMNS}");
    for gone in app.db().all::<Artifact>(&sql, [build_id.into()]).await? {
        delete_object(app, &gone).await?;
    }
    Ok(())
}

async fn delete_object(app: &App, artifact: &Artifact) -> Result<()> {
    app.objects().delete(&artifact.key()).await?;
    app.objects().delete(&format!("{}.entries", artifact.key())).await
}

/// Frees what has expired.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Expire {}

impl Job for Expire {
    const KIND: &'static str = "artifact.expire";

    async fn run(self, app: App) -> Result<()> {
        keep_latest::postpone(&app).await?;
        let sql = format!(
            "DELETE FROM build_artifacts WHERE id IN (SELECT id FROM build_artifacts WHERE expires_at <= $1 LIMIT 500) RETURNING {COLUMNS}"
        );
        loop {
            let gone = app.db().all::<Artifact>(&sql, [Time::now().into()]).await?;
            if gone.is_empty() {
                return Ok(());
            }
            for artifact in &gone {
                delete_object(&app, artifact).await?;
            }
        }
    }
}
