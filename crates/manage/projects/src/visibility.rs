//! Who may see a project or group without being a member.

use std::fmt;

/// Who may see a project or group without being a member.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members only.
    #[default]
    Private = 0,
    /// Everybody who is signed in.
    Internal = 10,
    /// Everybody.
    Public = 20,
}

impl Visibility {
    /// From the number in the database.
    pub fn from_number(n: i64) -> Self {
        match n {
            20 => Self::Public,
            10 => Self::Internal,
            _ => Self::Private,
        }
    }

    /// The number in the database.
    pub fn number(self) -> i64 {
        self as i64
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        })
    }
}
