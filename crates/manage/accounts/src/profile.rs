//! What a user tells about themselves, and its rules.

use kernel::{Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};
use serde::Deserialize;

use crate::User;
use crate::user::is_email;

/// The texts of a profile; what is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Profile {
    /// The name to show.
    pub name: Option<String>,
    /// A few lines about the person.
    pub bio: Option<String>,
    /// Where the person is.
    pub location: Option<String>,
    /// An address on the web.
    pub website_url: Option<String>,
    /// The name at LinkedIn.
    pub linkedin: Option<String>,
    /// The name at X.
    pub twitter: Option<String>,
    /// The user number at Discord.
    pub discord: Option<String>,
    /// The name at GitHub.
    pub github: Option<String>,
    /// What the person does.
    pub job_title: Option<String>,
    /// How to speak of the person.
    pub pronouns: Option<String>,
    /// Where the person works.
    pub organization: Option<String>,
    /// The address shown to others.
    pub public_email: Option<String>,
    /// Hides the profile.
    pub private_profile: Option<bool>,
    /// How pages look: `system`, `light` or `dark`.
    pub scheme: Option<String>,
}

impl Profile {
    /// The profile of a user.
    pub fn of(user: &User) -> Self {
        let text = |t: &String| Some(t.clone());
        Self {
            name: text(&user.name),
            bio: text(&user.bio),
            location: text(&user.location),
            website_url: text(&user.website_url),
            linkedin: text(&user.linkedin),
            twitter: text(&user.twitter),
            discord: text(&user.discord),
            github: text(&user.github),
            job_title: text(&user.job_title),
            pronouns: text(&user.pronouns),
            organization: text(&user.organization),
            public_email: text(&user.public_email),
            private_profile: Some(user.private_profile),
            scheme: text(&user.scheme),
        }
    }

    /// Writes what is present; gives the user as it is then.
    pub async fn save<C: ConnectionTrait>(&self, conn: &C, user: User) -> Result<User> {
        self.check()?;
        let mut row = user.into_active_model();
        macro_rules! write {
            ($($field:ident)*) => { $( if let Some(value) = &self.$field { row.$field = Set(value.trim().to_owned()); } )* };
        }
        write!(name bio location website_url linkedin twitter discord github job_title pronouns organization public_email scheme);
        if let Some(private) = self.private_profile {
            row.private_profile = Set(private);
        }
        row.updated_at = Set(Time::now());
        Ok(row.update(conn).await?)
    }

    fn check(&self) -> Result<()> {
        let texts = [
            ("name", &self.name),
            ("bio", &self.bio),
            ("location", &self.location),
            ("website_url", &self.website_url),
            ("linkedin", &self.linkedin),
            ("twitter", &self.twitter),
            ("discord", &self.discord),
            ("github", &self.github),
            ("job_title", &self.job_title),
            ("pronouns", &self.pronouns),
            ("organization", &self.organization),
            ("public_email", &self.public_email),
        ];
        let mut wrong = vec![];
        for (field, text) in texts {
            if let Some(why) = text.as_deref().and_then(|t| complaint(field, t.trim())) {
                wrong.push((field.to_owned(), why.to_owned()));
            }
        }
        if self.scheme.as_deref().is_some_and(|s| !matches!(s, "system" | "light" | "dark")) {
            wrong.push(("scheme".into(), "is not one of system, light and dark".into()));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }
}

fn complaint(field: &str, text: &str) -> Option<&'static str> {
    if text.chars().count() > 255 {
        return Some("is too long (maximum is 255 characters)");
    }
    if text.chars().any(|c| c.is_control() && !(field == "bio" && matches!(c, '\n' | '\r' | '\t'))) {
        return Some("can't hold control characters");
    }
    match field {
        "name" if text.is_empty() => Some("can't be blank"),
        "website_url" if !text.is_empty() && !is_web_address(text) => Some("must begin with https:// or http://"),
        "public_email" if !text.is_empty() && !is_email(text) => Some("is not a valid email address"),
        "linkedin" | "twitter" | "github" if text.contains(['/', ' ', '<', '>', '"', '?', '#']) => {
            Some("must be the name alone, not an address")
        }
        "discord" if !text.chars().all(|c| c.is_ascii_digit()) => Some("must be the user number, digits alone"),
        _ => None,
    }
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_texts_are_refused() {
        let bad = [
            ("website_url", "javascript:alert(1)"),
            ("website_url", "example.com"),
            ("name", ""),
            ("name", "a\u{7}b"),
            ("discord", "me"),
            ("github", "https://x"),
            ("public_email", "no"),
        ];
        for (field, text) in bad {
            assert!(complaint(field, text).is_some(), "{field} {text}");
        }
        assert!(complaint("website_url", "https://example.com/x").is_none() && complaint("bio", "a\nb").is_none());
    }
}
