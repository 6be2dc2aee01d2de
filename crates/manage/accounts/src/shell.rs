//! What surrounds the work on every page: who looks, the navigation of one's own work, menus and passing messages.

use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use kernel::App;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ui::{Area, Create, Crumb, Door, Flash, Item, Nav, NavHeading, Page, Scheme, Tone, Viewer};

use crate::actor::cookie;
use crate::{Actor, User, settings};

const FLASH_COOKIE: &str = "_tidemill_flash";
const FLASH_MAX: usize = 500;

/// Where an entry of a slice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the navigation of one's own work.
    Home,
    /// In the create menu of the top bar.
    Create,
    /// In the navigation of the user settings.
    Settings,
    /// In the navigation of the admin area.
    Admin,
}

/// An entry that a slice adds to the navigation or to the create menu.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What pages name to be marked as current.
    pub key: &'static str,
    /// The word shown.
    pub title: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// The icon, may be empty.
    pub icon: &'static str,
    /// The keys that open it, as in `g p`; may be empty.
    pub keys: &'static str,
    /// Its place among the others, from small to large.
    pub order: i32,
}

/// The entries that slices brought, registered when the program is composed.
#[derive(Default)]
pub struct Entries(pub Vec<Entry>);

const OWN: &[Entry] = &[
    settings_entry("profile", "Profile", "/-/user_settings/profile", "user", 10),
    settings_entry("account", "Account", "/-/user_settings/account", "settings", 20),
    settings_entry("password", "Password", "/-/user_settings/password/edit", "lock", 30),
    settings_entry("tokens", "Access tokens", "/-/user_settings/personal_access_tokens", "key", 40),
    settings_entry("keys", "SSH keys", "/-/user_settings/ssh_keys", "key", 50),
    settings_entry("sessions", "Active sessions", "/-/user_settings/active_sessions", "eye", 60),
    Entry { place: Place::Admin, ..settings_entry("users", "Users", "/admin/users", "people", 20) },
    Entry { place: Place::Admin, ..settings_entry("settings", "Settings", "/admin/settings", "settings", 90) },
];

const fn settings_entry(
    key: &'static str,
    title: &'static str,
    href: &'static str,
    icon: &'static str,
    order: i32,
) -> Entry {
    Entry { place: Place::Settings, key, title, href, icon, keys: "", order }
}

/// The entries of a place, in order.
pub fn entries(app: &App, place: Place) -> Vec<Entry> {
    let mut found: Vec<Entry> = OWN.iter().filter(|e| e.place == place).copied().collect();
    let registered = app.get::<Entries>();
    found.extend(registered.iter().flat_map(|r| &r.0).filter(|e| e.place == place));
    found.sort_by_key(|e| e.order);
    found
}

fn items(app: &App, place: Place, current: &str) -> Vec<Item> {
    let item = |e: Entry| Item::new(e.title, e.href).icon(e.icon).keys(e.keys).current(e.key == current);
    entries(app, place).into_iter().map(item).collect()
}

/// A page in the frame, with the navigation of one's own work; the caller sets body, crumbs and another navigation.
pub fn page(app: &App, actor: &Actor, title: &str) -> Page {
    home_page(app, actor, title, "")
}

/// The same with an entry of the navigation, named by its key, marked as current.
pub fn home_page(app: &App, actor: &Actor, title: &str, current: &str) -> Page {
    let mut page = Page { title: title.to_owned(), flash: actor.flash.clone(), ..Page::default() };
    page.nav.top = items(app, Place::Home, current);
    match actor.known() {
        Some(user) => {
            page.scheme = Scheme::parse(&user.scheme);
            page.viewer = Some(viewer(user));
            page.create = vec![Create { title: "Create".into(), items: items(app, Place::Create, "") }];
            page.create.retain(|c| !c.items.is_empty());
        }
        None if settings::signup_enabled(app) => page.register_href = "/users/sign_up".into(),
        None => {}
    }
    page
}

fn viewer(user: &User) -> Viewer {
    let mut menu = vec![
        Item::new("Profile", format!("/{}", user.username)).icon("user"),
        Item::new("Settings", "/-/user_settings/profile").icon("settings"),
    ];
    if user.admin {
        menu.push(Item::new("Admin area", "/admin").icon("server"));
    }
    Viewer {
        username: user.username.clone(),
        name: user.name.clone(),
        avatar: user.avatar_path(),
        menu,
        sign_out_href: "/users/sign_out".into(),
        ..Viewer::default()
    }
}

/// A page of the user settings.
pub fn settings_page(app: &App, actor: &Actor, title: &str, current: &str) -> Page {
    let mut page = page(app, actor, title);
    page.nav = nav(app, Place::Settings, "User settings", "/-/user_settings/profile", current);
    page.crumbs = vec![Crumb::new("User settings", "/-/user_settings/profile"), Crumb::new(title, "")];
    page
}

/// A page of the admin area. The caller has checked that the actor is an administrator.
pub fn admin_page(app: &App, actor: &Actor, title: &str, current: &str) -> Page {
    let mut page = page(app, actor, title);
    page.nav = nav(app, Place::Admin, "Admin area", "/admin", current);
    page.crumbs = vec![Crumb::new("Admin area", "/admin"), Crumb::new(title, "")];
    page
}

fn nav(app: &App, place: Place, title: &str, href: &str, current: &str) -> Nav {
    let heading = NavHeading { title: title.into(), href: href.into(), ..NavHeading::default() };
    Nav { heading: Some(heading), top: items(app, place, current), areas: Vec::<Area>::new() }
}

/// A page without frame, for signing in and registering.
pub fn door(actor: &Actor, title: &str, note: &str) -> Door {
    Door { title: title.into(), note: note.into(), flash: actor.flash.clone(), ..Door::default() }
}

/// The `Set-Cookie` of a message that the next page shows once.
pub fn flash(tone: Tone, text: &str) -> HeaderValue {
    let short: String = text.chars().take(FLASH_MAX).collect();
    let value = format!("{}.{}", tone_letter(tone), utf8_percent_encode(&short, NON_ALPHANUMERIC));
    let cookie = format!("{FLASH_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static("_tidemill_flash=; Path=/; Max-Age=0"))
}

fn tone_letter(tone: Tone) -> char {
    match tone {
        Tone::Info => 'i',
        Tone::Ok => 'o',
        Tone::Warn => 'w',
        Tone::Bad => 'b',
        Tone::Hint => 'h',
    }
}

/// The message that the request's cookie carries.
pub(crate) fn flash_of(headers: &HeaderMap) -> Vec<Flash> {
    let Some((tone, text)) = cookie(headers, FLASH_COOKIE).and_then(|v| v.split_once('.')) else { return vec![] };
    let tone = match tone {
        "o" => Tone::Ok,
        "w" => Tone::Warn,
        "b" => Tone::Bad,
        "h" => Tone::Hint,
        _ => Tone::Info,
    };
    let text = percent_decode_str(text).decode_utf8_lossy();
    vec![Flash { tone, text: text.chars().take(FLASH_MAX).filter(|c| !c.is_control()).collect() }]
}

/// Forgets the message once a page has shown it.
pub(crate) fn forget_flash(response: &mut Response) {
    let kind = response.headers().get(http::header::CONTENT_TYPE);
    if kind.is_some_and(|t| t.as_bytes().starts_with(b"text/html")) && !response.status().is_redirection() {
        let gone = HeaderValue::from_static("_tidemill_flash=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        response.headers_mut().append(SET_COOKIE, gone);
    }
}

/// Sends the browser on to `path` after a form did its work (303).
pub fn redirect(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// Sends the browser on and leaves a message that the next page shows once.
pub fn redirect_with(path: &str, tone: Tone, text: &str) -> Response {
    let mut response = redirect(path);
    response.headers_mut().append(SET_COOKIE, flash(tone, text));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_cookie() {
        let value = flash(Tone::Bad, "a; <b>\r\né=\"");
        let pair = value.to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(http::header::COOKIE, pair.parse().unwrap());
        let found = flash_of(&headers);
        assert_eq!((found[0].tone, found[0].text.as_str()), (Tone::Bad, "a; <b>é=\""));
        assert!(flash_of(&HeaderMap::new()).is_empty());
    }
}
