//! Passwords, tokens and their hashes.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Hashes a password with Argon2id at OWASP's minimum of 19 MiB and two passes; off the async threads.
pub async fn hash_password(password: &str) -> Result<String> {
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || {
        let hash = argon2().hash_password(password.as_bytes());
        hash.map(|h| h.to_string()).map_err(|e| Error::internal(anyhow::anyhow!("argon2: {e}")))
    })
    .await?
}

/// Whether `password` belongs to `hash`; a malformed hash belongs to none.
pub async fn verify_password(password: &str, hash: &str) -> bool {
    let (password, hash) = (password.to_owned(), hash.to_owned());
    let verified =
        tokio::task::spawn_blocking(move || argon2().verify_password(password.as_bytes(), hash.as_str()).is_ok());
    verified.await.unwrap_or(false)
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A random text of `length` letters and digits (about 5.95 bits each), behind `prefix`.
pub fn random_token(prefix: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    let tail = (0..length).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]));
    prefix.chars().chain(tail).collect()
}

/// The form in which a token is stored: tokens are random, so a plain SHA-256 is enough and can be looked up.
pub fn hash_token(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Compares two secrets without telling by the time how much of them agrees.
pub fn same_secret(a: &str, b: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_bytes(), b.as_bytes()).into()
}
