//! The data of a page and how it becomes a document.

use maud::{DOCTYPE, Markup, html};

use crate::{assets, frame, icons};

/// The colour scheme a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Follows the device.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Scheme {
    /// Parses `light` and `dark`; everything else follows the device.
    pub fn parse(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// The tone of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Says something neutral.
    #[default]
    Info,
    /// Says that something worked.
    Ok,
    /// Says that a person should look.
    Warn,
    /// Says that something failed.
    Bad,
    /// Gives a hint.
    Hint,
}

impl Tone {
    /// Returns the tone class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Info => "run",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Hint => "tide",
        }
    }

    /// Returns the name of the icon that goes with the tone.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Hint => "bulb",
        }
    }
}

/// One step of the breadcrumb.
#[derive(Debug, Clone, Default)]
pub struct Crumb {
    /// The word shown.
    pub title: String,
    /// Where it leads.
    pub href: String,
}

impl Crumb {
    /// Makes a step.
    pub fn new(title: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), href: href.into() }
    }
}

/// One entry of the navigation or of a menu.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The word shown.
    pub title: String,
    /// Where it leads.
    pub href: String,
    /// The icon, if the entry has one.
    pub icon: &'static str,
    /// A count or another short word at the end.
    pub badge: Option<String>,
    /// The keys that open it, as in `g i`.
    pub keys: &'static str,
    /// Whether this is where the reader is.
    pub current: bool,
}

impl Item {
    /// Makes an entry with a title and an address.
    pub fn new(title: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), href: href.into(), ..Self::default() }
    }

    /// Puts an icon before the title.
    pub fn icon(mut self, icon: &'static str) -> Self {
        self.icon = icon;
        self
    }

    /// Puts a count at the end.
    pub fn badge(mut self, badge: impl Into<String>) -> Self {
        self.badge = Some(badge.into());
        self
    }

    /// Sets the keys that open it, as in `g i`.
    pub fn keys(mut self, keys: &'static str) -> Self {
        self.keys = keys;
        self
    }

    /// Marks it as the place where the reader is, or not.
    pub fn current(mut self, current: bool) -> Self {
        self.current = current;
        self
    }
}

/// A part of the navigation: a heading that folds with its entries below.
#[derive(Debug, Clone, Default)]
pub struct Area {
    /// The icon before the title.
    pub icon: &'static str,
    /// The title, such as Plan.
    pub title: String,
    /// The second key after `g` that opens its first entry.
    pub key: &'static str,
    /// The entries; an area without any is not shown.
    pub items: Vec<Item>,
}

/// The navigation at the left.
#[derive(Debug, Clone, Default)]
pub struct Nav {
    /// What the navigation belongs to: a project, a group; none for one's own work.
    pub heading: Option<NavHeading>,
    /// Entries without an area, above the areas.
    pub top: Vec<Item>,
    /// The areas.
    pub areas: Vec<Area>,
}

/// What a navigation belongs to.
#[derive(Debug, Clone, Default)]
pub struct NavHeading {
    /// The name in bold.
    pub title: String,
    /// The line below, such as the group.
    pub note: String,
    /// Where the name leads.
    pub href: String,
    /// The address of a picture instead of initials.
    pub avatar: Option<String>,
}

/// The person who looks at the page.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// The name to sign in with.
    pub username: String,
    /// The name of the person.
    pub name: String,
    /// The address of a picture instead of initials.
    pub avatar: Option<String>,
    /// Entries of the account menu.
    pub menu: Vec<Item>,
    /// How many to-dos are open.
    pub todos: u64,
    /// Where the to-dos are; an empty address hides the button.
    pub todos_href: String,
    /// Where the sign-out form posts to.
    pub sign_out_href: String,
}

/// One part of the create menu.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// The heading of the part.
    pub title: String,
    /// What can be made there.
    pub items: Vec<Item>,
}

/// A message that is shown once after a redirect.
#[derive(Debug, Clone, Default)]
pub struct Flash {
    /// Its tone.
    pub tone: Tone,
    /// The message.
    pub text: String,
}

/// A whole page in the frame with navigation and bar.
#[derive(Debug, Clone)]
pub struct Page {
    /// The title, most specific part first.
    pub title: String,
    /// The way from the root to this page.
    pub crumbs: Vec<Crumb>,
    /// The navigation.
    pub nav: Nav,
    /// The work.
    pub body: Markup,
    /// Who looks; none when signed out.
    pub viewer: Option<Viewer>,
    /// Messages to show once.
    pub flash: Vec<Flash>,
    /// What the create menu offers; empty hides it.
    pub create: Vec<Create>,
    /// The colour scheme.
    pub scheme: Scheme,
    /// Keeps the navigation folded away to leave room for the work.
    pub focus: bool,
    /// Whether single-key shortcuts are on.
    pub keys: bool,
    /// The version shown at the foot.
    pub version: String,
    /// Where the version leads (help, about).
    pub about_href: String,
    /// Where the sign-in button leads; empty hides it.
    pub sign_in_href: String,
    /// Where the register button leads; empty hides it.
    pub register_href: String,
    /// Where the palette searches; the form works without the script.
    pub search_href: String,
    /// More for the document's head, such as feeds or `go-import`.
    pub head: Option<Markup>,
    /// The address find-file (`t`) opens, if the page belongs to a repository.
    pub find_file_href: Option<String>,
    /// The permanent address of what is shown (`y`).
    pub permalink: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            title: String::new(),
            crumbs: Vec::new(),
            nav: Nav::default(),
            body: Markup::default(),
            viewer: None,
            flash: Vec::new(),
            create: Vec::new(),
            scheme: Scheme::Auto,
            focus: false,
            keys: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            about_href: "/help".to_owned(),
            sign_in_href: "/users/sign_in".to_owned(),
            register_href: String::new(),
            search_href: "/search".to_owned(),
            head: None,
            find_file_href: None,
            permalink: None,
        }
    }
}

impl Page {
    /// Writes the whole document.
    pub fn render(&self) -> Markup {
        let body = frame::frame(self);
        document(self, &body)
    }
}

fn document(page: &Page, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-scheme=[page.scheme.attribute()] data-icons=(assets::icons_href())
            data-keys=[(!page.keys).then_some("off")] data-find=[page.find_file_href.as_deref()]
            data-permalink=[page.permalink.as_deref()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) @if !page.title.is_empty() { " · " } "Tidemill" }
                link rel="stylesheet" href=(assets::css_href());
                link rel="icon" type="image/svg+xml" href=(assets::favicon_href());
                script src=(assets::js_href()) defer {}
                @if let Some(head) = &page.head { (head) }
            }
            body { (icons::sprite(&body.0)) (body) }
        }
    }
}

/// Wraps markup that the script loads into a page, with the icons it needs.
pub fn fragment(body: &Markup) -> Markup {
    html! { (icons::sprite(&body.0)) (body) }
}

/// A page without frame for signing in, registering and confirming.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// The title, which is also the heading.
    pub title: String,
    /// The line below the heading.
    pub note: String,
    /// The form.
    pub body: Markup,
    /// Messages to show once.
    pub flash: Vec<Flash>,
    /// The colour scheme.
    pub scheme: Scheme,
}

impl Door {
    /// Writes the whole document.
    pub fn render(&self) -> Markup {
        let page = Page { title: self.title.clone(), scheme: self.scheme, ..Page::default() };
        document(&page, &frame::door(self))
    }
}

/// A page that says what went wrong and what helps.
#[derive(Debug, Clone, Default)]
pub struct ErrorPage {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in one sentence.
    pub title: String,
    /// What helps.
    pub help: String,
    /// Links that lead on, the likeliest first.
    pub actions: Vec<Item>,
    /// A number that the server's log knows.
    pub request_id: Option<String>,
}

impl ErrorPage {
    /// Makes the body of the error, to be shown inside a [`Page`].
    pub fn body(&self) -> Markup {
        frame::error(self)
    }

    /// Writes a whole document without navigation, for when nothing about the reader is known.
    pub fn render(&self) -> Markup {
        Page { title: self.title.clone(), body: self.body(), ..Page::default() }.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_areas_are_left_out() {
        let area = |title: &str, items| Area { title: title.into(), items, ..Area::default() };
        let nav = Nav {
            areas: vec![area("Plan", vec![]), area("Code", vec![Item::new("Files", "/f").current(true)])],
            ..Nav::default()
        };
        let html = Page { title: "x".into(), nav, ..Page::default() }.render().into_string();
        assert!(html.contains("Code") && !html.contains("Plan"));
        assert!(html.contains("aria-current=\"page\""));
    }

    #[test]
    fn documents_fit_the_policy() {
        let viewer = Viewer { username: "a\"><script>".into(), ..Viewer::default() };
        let page = Page { title: "<b>".into(), viewer: Some(viewer), ..Page::default() };
        let html = page.render().into_string();
        assert!(!html.contains(" style=") && !html.contains("<script>") && !html.contains("onclick"));
        assert!(html.contains("<title>&lt;b&gt; · Tidemill</title>"));
        assert!(Door::default().render().into_string().contains("waterline"));
        assert!(html.len() < 30_000, "{}", html.len());
    }
}
