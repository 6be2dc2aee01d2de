//! The parts around the work: navigation, bar, palette, keys, messages and sign-in pages.

use maud::{Markup, html};

use crate::page::{Area, Door, ErrorPage, Flash, Item, NavHeading, Page, Viewer};
use crate::parts::{avatar, avatar_square};
use crate::{icon, icon_with};

pub(crate) fn frame(page: &Page) -> Markup {
    html! {
        a.skip href="#main" { "Skip to content" }
        div.frame.focus[page.focus] {
            (navigation(page))
            (bar(page))
            main.sheet id="main" tabindex="-1" {
                (flashes(&page.flash))
                (page.body)
            }
        }
        (palette(&page.search_href))
        (keys_dialog())
        div.toasts id="toasts" role="status" aria-live="polite" {}
    }
}

fn mark() -> Markup {
    html! { svg.mark aria-hidden="true" { use href="#i-mark" {} } }
}

fn navigation(page: &Page) -> Markup {
    let name = page.nav.heading.as_ref().map_or("Main", |heading| heading.title.as_str());
    html! {
        nav.nav id="nav" popover aria-label=(name) {
            header {
                a.brand href="/" data-keys="g h" { (mark()) "tidemill" }
                button.btn.quiet.icon.close popovertarget="nav" popovertargetaction="hide" aria-label="Close navigation" {
                    (icon("x"))
                }
            }
            @if let Some(heading) = &page.nav.heading { (nav_heading(heading)) }
            @for item in &page.nav.top { (top_item(item)) }
            @for area in page.nav.areas.iter().filter(|area| !area.items.is_empty()) { (nav_area(area)) }
            footer {
                a href=(page.about_href) { "Tidemill " (page.version) }
                a.push href="#keys" data-open="keys" { "Keys " kbd { "?" } }
            }
        }
    }
}

fn nav_heading(heading: &NavHeading) -> Markup {
    html! {
        a.who href=(heading.href) {
            (avatar_square(&heading.title, heading.avatar.as_deref()))
            span.cut { b.cut { (heading.title) } span.faint { (heading.note) } }
        }
    }
}

fn current(item: &Item) -> Option<&'static str> {
    item.current.then_some("page")
}

fn ending(item: &Item) -> Markup {
    html! {
        @if let Some(badge) = &item.badge { span.badge { (badge) } }
        @else if !item.keys.is_empty() { kbd { (item.keys.to_uppercase()) } }
    }
}

fn keys(item: &Item) -> Option<&'static str> {
    (!item.keys.is_empty()).then_some(item.keys)
}

fn top_item(item: &Item) -> Markup {
    html! {
        a.top href=(item.href) aria-current=[current(item)] data-keys=[keys(item)] {
            @if !item.icon.is_empty() { (icon(item.icon)) }
            (item.title) (ending(item))
        }
    }
}

fn nav_area(area: &Area) -> Markup {
    let open = area.items.iter().any(|item| item.current);
    let first_keys = (!area.key.is_empty()).then(|| format!("g {}", area.key));
    html! {
        details open[open] {
            summary {
                (icon(area.icon)) (area.title) (icon_with("right", "turn"))
                @if !area.key.is_empty() { kbd { "G " (area.key.to_uppercase()) } }
            }
            ul.list {
                @for (index, item) in area.items.iter().enumerate() {
                    li {
                        a href=(item.href) aria-current=[current(item)]
                            data-keys=[keys(item).map(str::to_owned).or_else(|| first_keys.clone().filter(|_| index == 0))] {
                            span.cut { (item.title) }
                            @if let Some(badge) = &item.badge { span.badge { (badge) } }
                        }
                    }
                }
            }
        }
    }
}

fn bar(page: &Page) -> Markup {
    html! {
        header.bar {
            button.btn.quiet.icon.nav-open popovertarget="nav" aria-label="Open navigation" { (icon("menu")) }
            @if page.focus { a.brand href="/" aria-label="tidemill, start" { (mark()) } }
            nav.crumbs aria-label="Breadcrumb" {
                ol {
                    @for (index, crumb) in page.crumbs.iter().enumerate() {
                        li {
                            a.cut href=(crumb.href) aria-current=[(index + 1 == page.crumbs.len()).then_some("page")] {
                                (crumb.title)
                            }
                        }
                    }
                }
            }
            button.btn.find popovertarget="palette" {
                (icon("search")) span { "Search or jump to" } kbd aria-hidden="true" { "Ctrl K" }
            }
            @if let Some(viewer) = &page.viewer { (signed_in(page, viewer)) } @else { (signed_out(page)) }
        }
    }
}

fn signed_out(page: &Page) -> Markup {
    html! {
        @if !page.register_href.is_empty() { a.btn.quiet.wide-only href=(page.register_href) { "Register" } }
        @if !page.sign_in_href.is_empty() { a.btn href=(page.sign_in_href) { "Sign in" } }
    }
}

fn signed_in(page: &Page, viewer: &Viewer) -> Markup {
    let todos = format!("To-dos, {} open", viewer.todos);
    html! {
        @if !page.create.is_empty() {
            button.btn.quiet.icon popovertarget="create" aria-label="Create" { (icon("plus")) }
        }
        @if !viewer.todos_href.is_empty() {
            a.btn.quiet.icon.todo href=(viewer.todos_href) aria-label=(todos) {
                (icon("inbox"))
                @if viewer.todos > 0 { span.badge aria-hidden="true" { (short(viewer.todos)) } }
            }
        }
        button.btn.quiet.icon popovertarget="account" aria-label={ "Account of " (viewer.username) } {
            (avatar(&viewer.username, viewer.avatar.as_deref()))
        }
        @if !page.create.is_empty() { (create_menu(page)) }
        (account_menu(viewer))
    }
}

fn short(count: u64) -> String {
    if count > 99 { "99+".to_owned() } else { count.to_string() }
}

fn create_menu(page: &Page) -> Markup {
    html! {
        div.menu.end id="create" popover {
            @for (index, part) in page.create.iter().filter(|part| !part.items.is_empty()).enumerate() {
                @if index > 0 { hr; }
                p.title { (part.title) }
                @for item in &part.items { (menu_item(item)) }
            }
        }
    }
}

pub(crate) fn menu_item(item: &Item) -> Markup {
    html! {
        a href=(item.href) aria-current=[item.current.then_some("true")] data-keys=[keys(item)] {
            @if !item.icon.is_empty() { (icon(item.icon)) }
            span.cut { (item.title) } (ending(item))
        }
    }
}

fn account_menu(viewer: &Viewer) -> Markup {
    html! {
        div.menu.end id="account" popover {
            p.title { "Signed in as " (viewer.username) }
            @for item in &viewer.menu { (menu_item(item)) }
            @if !viewer.sign_out_href.is_empty() {
                @if !viewer.menu.is_empty() { hr; }
                form method="post" action=(viewer.sign_out_href) { button { (icon("out")) "Sign out" } }
            }
        }
    }
}

fn palette(search_href: &str) -> Markup {
    html! {
        div.palette id="palette" popover role="dialog" aria-label="Search and commands" {
            form action=(search_href) role="search" {
                (icon("search"))
                input name="q" aria-label="Search or type a command" placeholder="Search, or type > for a command"
                    autocomplete="off" spellcheck="false" autofocus aria-controls="found";
                kbd { "Esc" }
            }
            div id="found" aria-live="polite" {}
            footer {
                span { kbd { "↑" } " " kbd { "↓" } " move" }
                span { kbd { "Enter" } " open" }
                span.wide-only { kbd { "#" } " issues " kbd { "!" } " merge requests " kbd { "@" } " people " kbd { "/" } " files" }
            }
        }
    }
}

const KEYS: [(&str, &str); 12] = [
    ("Ctrl K", "Search, jump and do"),
    ("/", "Find in the list, code or log"),
    ("?", "Show these keys"),
    ("[", "Fold the navigation away"),
    ("G H", "My work"),
    ("J K", "Next and previous row"),
    ("Enter", "Open the row"),
    ("T", "Find a file"),
    ("Y", "Make the address permanent"),
    ("N", "Next thread or change"),
    ("E", "Next error in a log"),
    ("Esc", "Close what is open"),
];

fn keys_dialog() -> Markup {
    html! {
        dialog.modal.keys id="keys" aria-labelledby="keys-title" {
            form method="dialog" {
                h2 id="keys-title" { "Keys" }
                dl.facts.keylist {
                    @for (key, does) in KEYS {
                        dt { @for part in key.split(' ') { kbd { (part) } " " } } dd { (does) }
                    }
                }
                dl.facts.keylist id="keys-here" {}
                div.acts { button.btn { "Close" } }
            }
        }
    }
}

fn flashes(flash: &[Flash]) -> Markup {
    html! {
        @if !flash.is_empty() {
            div.stack.tight.flashes {
                @for message in flash {
                    (crate::parts::alert(message.tone, &html! { (message.text) }))
                }
            }
        }
    }
}

pub(crate) fn door(door: &Door) -> Markup {
    html! {
        main.door id="main" {
            div.doorcard.stack.wide {
                div.stack.tight {
                    svg.mark.big aria-hidden="true" { use href="#i-mark" {} }
                    h1 { (door.title) }
                    @if !door.note.is_empty() { p.faint { (door.note) } }
                }
                (flashes(&door.flash))
                (door.body)
            }
            (waterline())
        }
    }
}

fn waterline() -> Markup {
    let wave = |start: &str, swell: &str| format!("M0 {start}q60-{swell} 120 0{}V120H0z", "t120 0 ".repeat(11));
    html! {
        svg.waterline viewBox="0 0 1440 120" preserveAspectRatio="xMidYMin slice" aria-hidden="true" {
            path d=(wave("40", "28")) {} path d=(wave("76", "24")) {}
        }
    }
}

pub(crate) fn error(error: &ErrorPage) -> Markup {
    html! {
        div.blank.wrong {
            (icon("warn"))
            p.faint.num { (error.status) }
            h1 { (error.title) }
            @if !error.help.is_empty() { p { (error.help) } }
            div.line {
                @for (index, action) in error.actions.iter().enumerate() {
                    a.btn.primary[index == 0] href=(action.href) { (action.title) }
                }
            }
            @if let Some(id) = &error.request_id { p.faint { "Request " code { (id) } } }
        }
    }
}
