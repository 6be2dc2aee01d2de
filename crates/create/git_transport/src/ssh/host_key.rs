//! The key by which clients know the server again.

use std::path::Path;

use kernel::{Error, Result};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{LineEnding, PrivateKey};
use tokio::io::AsyncWriteExt;

const FILE: &str = "ssh_host_ed25519_key";

/// Reads the host key; makes one where there is none.
pub(super) async fn load_or_make(data: &Path) -> Result<PrivateKey> {
    let file = data.join(FILE);
    match tokio::fs::read_to_string(&file).await {
        Ok(text) => PrivateKey::from_openssh(&text).map_err(|e| {
            context(format!("{} can't be read: {e}; restore it, or remove it to get a new one", file.display()))
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => make(&file).await,
        Err(e) => Err(e.into()),
    }
}

async fn make(file: &Path) -> Result<PrivateKey> {
    let seed: [u8; 32] = rand::random();
    let key = PrivateKey::new(Ed25519Keypair::from_seed(&seed).into(), "tidemill")
        .map_err(|e| context(format!("no host key could be made: {e}")))?;
    let text = key.to_openssh(LineEnding::LF).map_err(|e| context(format!("no host key could be written: {e}")))?;
    let mut out = tokio::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(file).await?;
    out.write_all(text.as_bytes()).await?;
    out.sync_all().await?;
    Ok(key)
}

/// An internal fault with a message for the log.
fn context(message: String) -> Error {
    Error::internal(std::io::Error::other(message))
}
