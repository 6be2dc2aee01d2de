//! The people behind the addresses in commits.

use std::collections::HashMap;

use accounts::User;
use accounts::email::users_by_email;
use git::Signature;
use kernel::{App, Result};
use ui::{Markup, html};

/// Users by the addresses that commits carry.
#[derive(Debug, Default)]
pub(crate) struct People(HashMap<String, User>);

impl People {
    /// Looks all addresses up at once.
    pub(crate) async fn by_email(app: &App, mut emails: Vec<String>) -> Result<Self> {
        // A database takes no NUL in a text.
        emails.retain(|e| !e.is_empty() && !e.contains('\0'));
        emails.sort_unstable();
        emails.dedup();
        Ok(Self(users_by_email(app.db().conn(), &emails).await?))
    }

    /// The user behind an address.
    pub(crate) fn user(&self, email: &str) -> Option<&User> {
        self.0.get(&email.to_lowercase())
    }

    /// The name to show: the user's, or what the commit says.
    pub(crate) fn name(&self, who: &Signature) -> String {
        self.user(&who.email.lossy()).map_or_else(|| who.name.lossy().into_owned(), |u| u.name.clone())
    }

    /// The user's page.
    pub(crate) fn href(&self, who: &Signature) -> Option<String> {
        self.user(&who.email.lossy()).map(|u| format!("/{}", u.username))
    }

    /// The user's picture.
    pub(crate) fn picture(&self, who: &Signature) -> Option<String> {
        self.user(&who.email.lossy()).and_then(User::avatar_path)
    }

    /// The name, as a link where there is somebody behind it.
    pub(crate) fn link(&self, who: &Signature) -> Markup {
        let name = self.name(who);
        html! { @if let Some(href) = self.href(who) { a.plain href=(href) { b { (name) } } } @else { b { (name) } } }
    }
}
