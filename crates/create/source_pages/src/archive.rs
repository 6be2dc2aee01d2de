//! Downloads of the files of a ref as one archive.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use git::archive::ArchiveFormat;
use git::{ByteString, RepoPath};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess};
use serde::Deserialize;

use crate::place::{OrNothing, Rest, Spot};
use crate::raw::disposition;

const FORMATS: [ArchiveFormat; 4] =
    [ArchiveFormat::Zip, ArchiveFormat::TarGz, ArchiveFormat::TarBz2, ArchiveFormat::Tar];

/// The archives of a ref: word and address.
pub(crate) fn choices(spot: &Spot) -> Vec<(&'static str, String)> {
    let name = folder(spot);
    let entry = |format: ArchiveFormat| {
        let file = [name.as_bytes(), b".", format.extension().as_bytes()].concat();
        (format.extension(), spot.links.at("archive", &spot.reference, file))
    };
    FORMATS.into_iter().map(entry).collect()
}

/// The folder in the archive, also the stem of its name.
fn folder(spot: &Spot) -> ByteString {
    let project = spot.access.project.path.as_bytes();
    let reference: Vec<u8> = spot.reference.iter().map(|b| if *b == b'/' { b'-' } else { *b }).collect();
    [project, b"-", &reference].concat().into()
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    path: Option<String>,
}

/// `/-/archive/REF/NAME.zip`; the name is what the file is called, its ending decides.
pub(crate) async fn download(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    access.sees(Permission::DownloadCode, "Repository")?;
    let slash = rest.iter().rposition(|b| *b == b'/').ok_or_else(|| Error::not_found(""))?;
    let name = String::from_utf8_lossy(&rest[slash + 1..]).into_owned();
    let ends = |format: &ArchiveFormat| name.ends_with(&format!(".{}", format.extension()));
    let format = FORMATS.into_iter().find(ends).ok_or_else(|| Error::not_found(""))?;
    let spot = Spot::of_ref(&app, access, &rest[..slash]).await?;
    let path = RepoPath::new(asked.path.unwrap_or_default()).or_404()?;
    let stream = spot.repo.archive(spot.commit(), &path, format, &folder(&spot)).await.or_404()?;
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CONTENT_DISPOSITION, disposition("attachment", name.as_bytes()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    Ok(response)
}
