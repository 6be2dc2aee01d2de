//! SSH keys: what is accepted, and their SQL.

use kernel::db::Sql;
use kernel::{Error, Result, Time};
use md5::{Digest, Md5};
use sea_orm::{ConnectionTrait, FromQueryResult};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};

use crate::User;

/// What a key may be used for.
pub const USAGE_TYPES: &[&str] = &["auth_and_signing", "auth", "signing"];
const MIN_RSA_BITS: u32 = 2048;
const MAX_RSA_BITS: u32 = 16_384;
const MAX_LENGTH: usize = 16 << 10;
const COLUMNS: &str =
    "id, user_id, title, key, fingerprint, fingerprint_md5, usage_type, created_at, last_used_at, expires_at";

/// A public key of a user.
#[derive(Clone, Debug, FromQueryResult)]
pub struct SshKey {
    /// The id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What it is called.
    pub title: String,
    /// Algorithm and key in OpenSSH's form, without a comment.
    pub key: String,
    /// `SHA256:…`, unique on the instance.
    pub fingerprint: String,
    /// The older form: sixteen bytes in hex with colons.
    pub fingerprint_md5: String,
    /// One of [`USAGE_TYPES`].
    pub usage_type: String,
    /// When it was added.
    pub created_at: Time,
    /// When somebody last signed in with it, to the minute.
    pub last_used_at: Option<Time>,
    /// From when on it is refused.
    pub expires_at: Option<Time>,
}

/// A key as somebody gave it, understood and found good.
#[derive(Clone, Debug)]
pub struct ParsedKey {
    /// Algorithm and key, without the comment.
    pub key: String,
    /// The comment behind it, often the machine.
    pub comment: String,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// Sixteen bytes in hex with colons.
    pub fingerprint_md5: String,
}

/// Reads a public key in OpenSSH's form; the error says what is wrong with it and what helps.
pub fn parse(text: &str) -> Result<ParsedKey, String> {
    let text = text.trim();
    if text.contains("PRIVATE KEY") {
        return Err("is a private key; give the public one, from the file that ends in .pub".into());
    }
    if text.is_empty() || text.len() > MAX_LENGTH || text.lines().count() > 1 {
        return Err("must be one public key in OpenSSH's form, such as ssh-ed25519 AAAA… you@machine".into());
    }
    let key = PublicKey::from_openssh(text)
        .map_err(|_| "is invalid; it must be a public key in OpenSSH's form, such as ssh-ed25519 AAAA… you@machine")?;
    check_algorithm(key.key_data())?;
    let bytes = key.to_bytes().map_err(|_| "is invalid")?;
    let md5: Vec<String> = Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    let comment = key.comment().as_str_lossy().chars().filter(|c| !c.is_control()).take(255).collect();
    let bare = PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(|_| "is invalid")?;
    Ok(ParsedKey {
        key: bare.trim().to_owned(),
        comment,
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        fingerprint_md5: md5.join(":"),
    })
}

fn check_algorithm(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) if rsa.key_size() < MIN_RSA_BITS => Err(format!(
            "type is forbidden: RSA keys must have {MIN_RSA_BITS} bits or more; make one with ssh-keygen -t ed25519"
        )),
        KeyData::Rsa(rsa) if rsa.key_size() > MAX_RSA_BITS => {
            Err(format!("type is forbidden: RSA keys must have {MAX_RSA_BITS} bits or fewer"))
        }
        KeyData::Rsa(_) => Ok(()),
        _ => {
            Err("type is forbidden: use ED25519, ECDSA, a security key, or RSA; make one with ssh-keygen -t ed25519"
                .into())
        }
    }
}

impl SshKey {
    /// Adds a key to a user; a title that is missing is taken from its comment.
    pub async fn create<C: ConnectionTrait>(
        conn: &C,
        user_id: i64,
        title: &str,
        key: &str,
        usage_type: &str,
        expires_at: Option<Time>,
    ) -> Result<Self> {
        let parsed = parse(key).map_err(|why| Error::invalid("key", why))?;
        let title = if title.trim().is_empty() { parsed.comment.trim() } else { title.trim() };
        if title.is_empty() || title.chars().count() > 255 {
            return Err(Error::invalid("title", if title.is_empty() { "can't be blank" } else { "is too long" }));
        }
        if !USAGE_TYPES.contains(&usage_type) {
            return Err(Error::BadParameter("usage_type does not have a valid value".into()));
        }
        if expires_at.is_some_and(|e| e <= Time::now()) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        if Self::by_fingerprint(conn, &parsed.fingerprint).await?.is_some() {
            return Err(Error::invalid("fingerprint_sha256", "has already been taken"));
        }
        let sql = format!(
            "INSERT INTO ssh_keys (user_id, title, key, fingerprint, fingerprint_md5, usage_type, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {COLUMNS}"
        );
        let values = [
            user_id.into(),
            title.into(),
            parsed.key.into(),
            parsed.fingerprint.into(),
            parsed.fingerprint_md5.into(),
            usage_type.into(),
            Time::now().into(),
            expires_at.into(),
        ];
        conn.one(&sql, values).await?.ok_or_else(|| Error::internal(std::io::Error::other("no row was given back")))
    }

    /// The key with a fingerprint, `SHA256:…` or MD5 with colons, dead or alive.
    pub async fn by_fingerprint<C: ConnectionTrait>(conn: &C, fingerprint: &str) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM ssh_keys WHERE fingerprint = $1 OR fingerprint_md5 = $1");
        conn.one(&sql, [fingerprint.into()]).await
    }

    /// A key by its id.
    pub async fn find<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        conn.one(&format!("SELECT {COLUMNS} FROM ssh_keys WHERE id = $1"), [id.into()]).await
    }

    /// All keys of a user, the oldest first.
    pub async fn of_user<C: ConnectionTrait>(conn: &C, user_id: i64) -> Result<Vec<Self>> {
        conn.all(&format!("SELECT {COLUMNS} FROM ssh_keys WHERE user_id = $1 ORDER BY id"), [user_id.into()]).await
    }

    /// Removes it.
    pub async fn delete<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("DELETE FROM ssh_keys WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }

    /// Whether somebody may sign in with it now.
    pub fn opens(&self) -> bool {
        self.usage_type != "signing" && self.expires_at.is_none_or(|e| e > Time::now())
    }

    /// Notes that it was used, at most once a minute.
    pub async fn touch<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        let now = Time::now();
        if self.last_used_at.is_none_or(|t| now.since(t).as_secs() > 60) {
            conn.run("UPDATE ssh_keys SET last_used_at = $2 WHERE id = $1", [self.id.into(), now.into()]).await?;
            User::note_activity(conn, self.user_id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti foo@bar.com";

    #[test]
    fn fingerprints_are_those_of_openssh() {
        let key = parse(ED25519).unwrap();
        assert!(key.fingerprint.starts_with("SHA256:") && key.fingerprint_md5.len() == 47);
        assert_eq!(key.comment, "foo@bar.com");
        assert!(!key.key.contains("foo@bar.com"));
        assert_eq!(parse(&key.key).unwrap().fingerprint, key.fingerprint);
    }

    #[test]
    fn odd_keys_are_refused() {
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----";
        assert!(parse(private).unwrap_err().contains("private"));
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-dss AAAAB3NzaC1kc3M= x",
            "x\ny",
            &format!("{ED25519}\n{ED25519}"),
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
