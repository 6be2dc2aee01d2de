//! Annotated tags.

use gix::Repository;
use gix::objs::Kind;
use serde::Serialize;

use crate::commit::{SignatureKind, split_signature};
use crate::error::corrupt;
use crate::{ByteString, GitError, Oid, RefName, Repo, Result, Signature};

/// Says what an annotated tag holds besides its target.
#[derive(Clone, Debug, Serialize)]
pub struct TagInfo {
    /// The tag object.
    pub id: Oid,
    /// Who made it, if it says so.
    pub tagger: Option<Signature>,
    /// The message without a signature.
    pub message: ByteString,
    /// The kind of signature it carries, if any.
    pub signature: Option<SignatureKind>,
}

impl Repo {
    /// Creates a tag: an annotated one if there is a message, else one that points to the commit itself.
    pub async fn create_tag(
        &self,
        name: impl AsRef<[u8]>,
        target: Oid,
        annotation: Option<(Signature, Vec<u8>)>,
    ) -> Result<Oid> {
        let refname = RefName::tag(name)?;
        let id = match annotation {
            None => target,
            Some((tagger, message)) => self.write_tag(&refname, target, tagger, message).await?,
        };
        self.create_ref(&refname, id).await?;
        Ok(id)
    }

    /// Writes an annotated tag, which no ref points to yet.
    pub async fn write_tag(&self, name: &RefName, target: Oid, tagger: Signature, mut message: Vec<u8>) -> Result<Oid> {
        if message.contains(&0) {
            return Err(GitError::InvalidName("a tag message can't hold NUL".into()));
        }
        if !message.ends_with(b"\n") {
            message.push(b'\n');
        }
        let short = name.short();
        self.read(move |repo| {
            let header = repo.try_find_header(target.0)?;
            let kind = header.ok_or_else(|| crate::error::not_found(format!("object {target}")))?.kind();
            let tag = gix::objs::Tag {
                target: target.0,
                target_kind: kind,
                name: short.to_vec().into(),
                tagger: Some(tagger.to_gix()),
                message: message.clone().into(),
                signature: None,
            };
            Ok(Oid(repo.write_object(&tag)?.detach()))
        })
        .await
    }
}

/// Reads the tag object `oid`; nothing if it is another kind of object.
pub(crate) fn read_tag(repo: &Repository, oid: Oid) -> Result<Option<TagInfo>> {
    let Some(header) = repo.try_find_header(oid.0)? else { return Ok(None) };
    if header.kind() != Kind::Tag {
        return Ok(None);
    }
    let object = repo.find_object(oid.0)?;
    let tag = object.try_to_tag_ref().map_err(corrupt)?;
    let tagger = tag.tagger.map(|raw| Signature::parse(raw, None));
    let (message, signature) = split_signature(tag.message);
    let kind = signature.or_else(|| tag.signature.map(|text| SignatureKind::of(text)));
    Ok(Some(TagInfo { id: oid, tagger, message: message.into(), signature: kind }))
}
