//! Logs of jobs: chunks in the database while the job runs, one object afterwards.

use bytes::Bytes;
use kernel::db::Sql;
use kernel::{App, Error, Result};
use sea_orm::FromQueryResult;

use crate::build::Build;

/// The most bytes that one read gives.
pub const MAX_READ: u64 = 1 << 20;

#[derive(FromQueryResult)]
struct Chunk {
    start: i64,
    data: Vec<u8>,
}

/// Adds to the log of a job that runs and wakes those who watch it; gives the size then.
pub(crate) async fn append(app: &App, build_id: i64, data: &[u8]) -> Result<i64> {
    let length = i64::try_from(data.len()).unwrap_or(i64::MAX);
    let tx = app.begin().await?;
    let sql = "UPDATE builds SET trace_size = trace_size + $2 WHERE id = $1 AND status IN ('running', 'canceling') RETURNING trace_size";
    let size = tx
        .scalar::<i64>(sql, [build_id.into(), length.into()])
        .await?
        .ok_or_else(|| Error::Conflict("the job has ended".into()))?;
    let sql = "INSERT INTO trace_chunks (build_id, start, data) VALUES ($1, $2, $3)";
    tx.run(sql, [build_id.into(), (size - length).into(), data.to_vec().into()]).await?;
    tx.wake(&Build::topic(build_id)).await?;
    tx.commit().await?;
    Ok(size)
}

/// Reads from `offset`, at most [`MAX_READ`] bytes.
pub async fn read(app: &App, build: &Build, offset: u64) -> Result<Bytes> {
    if build.trace_archived {
        let size = u64::try_from(build.trace_size).unwrap_or(0);
        if offset >= size {
            return Ok(Bytes::new());
        }
        let range = (offset, size.min(offset + MAX_READ));
        let Some((_, stream)) = app.objects().stream(&key(build.id), Some(range)).await? else {
            return Ok(Bytes::new());
        };
        return collect(stream).await;
    }
    let sql = "SELECT start, data FROM trace_chunks WHERE build_id = $1 AND start + LENGTH(data) > $2 ORDER BY start LIMIT 64";
    let mut out = Vec::new();
    for chunk in app.db().all::<Chunk>(sql, [build.id.into(), i64::try_from(offset).unwrap_or(i64::MAX).into()]).await?
    {
        let skip = offset.saturating_sub(u64::try_from(chunk.start).unwrap_or(0));
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.data.len());
        out.extend_from_slice(&chunk.data[skip..]);
        if out.len() as u64 >= MAX_READ {
            break;
        }
    }
    Ok(out.into())
}

/// Reads the whole log. It is never longer than the runner's limit, which is a few MiB.
pub async fn read_all(app: &App, build: &Build) -> Result<Bytes> {
    let found = read_as(app, build).await?;
    let whole = found.len() >= usize::try_from(build.trace_size).unwrap_or(0);
    if whole || build.trace_archived {
        return Ok(found);
    }
    // It may have been moved among the objects meanwhile.
    match Build::by_id(app.db().conn(), build.id).await? {
        Some(now) if now.trace_archived => read_as(app, &now).await,
        _ => Ok(found),
    }
}

async fn read_as(app: &App, build: &Build) -> Result<Bytes> {
    if build.trace_archived {
        return Ok(app.objects().get(&key(build.id)).await?.unwrap_or_default());
    }
    let mut out = Vec::new();
    loop {
        let part = read(app, build, out.len() as u64).await?;
        if part.is_empty() {
            return Ok(out.into());
        }
        out.extend_from_slice(&part);
    }
}

/// Moves the chunks of a job that has ended into one object.
pub(crate) async fn archive(app: &App, build_id: i64) -> Result<()> {
    let Some(build) = Build::by_id(app.db().conn(), build_id).await?.filter(|b| !b.trace_archived) else {
        return Ok(());
    };
    let whole = read_all(app, &build).await?;
    let size = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    app.objects().put(&key(build_id), whole).await?;
    let tx = app.begin().await?;
    tx.run("UPDATE builds SET trace_archived = TRUE, trace_size = $2 WHERE id = $1", [build_id.into(), size.into()])
        .await?;
    tx.run("DELETE FROM trace_chunks WHERE build_id = $1", [build_id.into()]).await?;
    tx.commit().await
}

/// Removes the log.
pub(crate) async fn delete(app: &App, build: &Build) -> Result<()> {
    app.db().run("DELETE FROM trace_chunks WHERE build_id = $1", [build.id.into()]).await?;
    app.db().run("UPDATE builds SET trace_size = 0, trace_archived = FALSE WHERE id = $1", [build.id.into()]).await?;
    app.objects().delete(&key(build.id)).await
}

fn key(build_id: i64) -> String {
    format!("traces/{}/{build_id}.log", build_id % 1000)
}

async fn collect(mut stream: impl futures_util::Stream<Item = std::io::Result<Bytes>> + Unpin) -> Result<Bytes> {
    use futures_util::StreamExt;
    let mut out = Vec::new();
    while let Some(part) = stream.next().await {
        out.extend_from_slice(&part?);
    }
    Ok(out.into())
}
