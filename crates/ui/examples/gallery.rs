//! Writes one page with every part to the file given, for a look at it: `gallery FILE [light|dark]`.

#![allow(clippy::single_range_in_vec_init)]

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use ui::commits::{self, Commit};
use ui::diff::{self, Change, File, Hunk, Kind, Layout, Line};
use ui::form::{self, Field};
use ui::log::Log;
use ui::markdown::{self, MarkdownOptions};
use ui::menu::{Clone as CloneMenu, Confirm, Refs};
use ui::parts::{self, Button, Empty};
use ui::pipeline::{self, Arrange, Bead, Node};
use ui::{
    Area, Create, Crumb, Flash, Item, Markup, Nav, NavHeading, Page, PreEscaped, Scheme, Status, Tone, Viewer, html,
};
use ui::{ansi, assets, blame, chart, code, csv, highlight, icon, status};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name the file to write")?;
    let scheme = Scheme::parse(&arguments.next().unwrap_or_default());
    let folder = Path::new(&file).parent().unwrap_or(Path::new("."));
    for href in [assets::css_href(), assets::js_href(), assets::icons_href(), assets::favicon_href()] {
        let name = href.trim_start_matches(assets::PREFIX);
        let asset = assets::get(name).ok_or("unknown asset")?;
        std::fs::write(folder.join(name), &asset.bytes)?;
    }
    let html = page(scheme).render().into_string().replace(assets::PREFIX, "");
    std::fs::write(&file, html)?;
    let door = ui::Door {
        title: "Sign in to tidemill".into(),
        note: "tide.example".into(),
        flash: vec![Flash { tone: Tone::Ok, text: "The account is confirmed.".into() }],
        body: html! { form.stack { (Field { name: "user", label: "User name or email", ..Field::default() }.input()) (parts::submit("Sign in")) } },
        scheme,
    };
    std::fs::write(folder.join("door.html"), door.render().into_string().replace(assets::PREFIX, ""))?;
    let error = ui::ErrorPage {
        status: 404,
        title: "There is nothing here".into(),
        help: "The project may have moved, or you may need to sign in to see it.".into(),
        actions: vec![Item::new("Sign in", "#"), Item::new("Find a project", "#")],
        request_id: Some("01jd2f".into()),
    };
    std::fs::write(folder.join("error.html"), error.render().into_string().replace(assets::PREFIX, ""))?;
    Ok(())
}

fn page(scheme: Scheme) -> Page {
    let viewer = Viewer {
        username: "tamar".into(),
        name: "Tamar".into(),
        todos: 5,
        todos_href: "#".into(),
        sign_out_href: "#".into(),
        menu: vec![Item::new("Profile", "#").icon("user"), Item::new("Preferences", "#").icon("settings")],
        avatar: None,
    };
    Page {
        title: "Gallery".into(),
        crumbs: vec![Crumb::new("estuary", "#"), Crumb::new("sluice", "#"), Crumb::new("Files", "#")],
        nav: nav(),
        viewer: Some(viewer),
        flash: vec![Flash { tone: Tone::Ok, text: "The branch lease-renewal was deleted.".into() }],
        create: vec![Create {
            title: "In estuary/sluice".into(),
            items: vec![Item::new("Issue", "#").icon("issue").keys("c i")],
        }],
        scheme,
        body: body(),
        ..Page::default()
    }
}

fn nav() -> Nav {
    let items = |names: &[&str], current: usize| {
        names.iter().enumerate().map(|(index, name)| Item::new(*name, "#").current(index == current)).collect()
    };
    let area = |icon, title: &str, key, items| Area { icon, title: title.into(), key, items };
    Nav {
        heading: Some(NavHeading { title: "sluice".into(), note: "estuary".into(), href: "#".into(), avatar: None }),
        top: vec![],
        areas: vec![
            area("plan", "Plan", "p", items(&["Issues", "Boards"], 9)),
            area("code", "Code", "c", items(&["Files", "Merge requests", "Commits", "Branches", "Tags", "Compare"], 0)),
            area("build", "Build", "b", items(&["Pipelines", "Jobs"], 9)),
            area("secure", "Secure", "s", vec![]),
            area("settings", "Settings", ",", items(&["General"], 9)),
        ],
    }
}

fn body() -> Markup {
    html! {
        (parts::head(&html! { "sluice " (parts::tag_icon("lock", "Internal")) },
            &html! { (parts::link_button("#", "star", "Star")) (parts::link_button("#", "fork", "Fork")) },
            &html! { (parts::path(&[("sluice", "#".into()), ("src", "#".into()), ("main.rs", String::new())])) }))
        (parts::tabs("Gallery", &[Item::new("Overview", "#").current(true), Item::new("Changes", "#").badge("9")]))
        div.with-aside {
            div.stack.wide { (tools()) (states()) (fields()) (files()) (changes()) (history()) (build()) (prose()) }
            aside.side { (aside()) }
        }
        (Confirm { id: "gone", title: "Delete the branch lease-renewal?", text: "It has 2 commits that are in no other branch. They can be brought back for 30 days.", action: "#", act: "Delete branch", type_to_confirm: Some("lease-renewal"), ..Confirm::default() }.render())
    }
}

fn tools() -> Markup {
    let branches: Vec<(String, String)> =
        ["main", "lease-renewal", "a-very-long-branch-name-that-goes-on-and-on-for-ever"]
            .iter()
            .map(|name| ((*name).to_owned(), "#".to_owned()))
            .collect();
    html! {
        div.line {
            (Refs { current: "main", branches: &branches, ..Refs::default() }.render())
            (form::filter("rows", "Find a file"))
            (Button { label: "Delete", icon: "trash", class: "danger", dialog: Some("gone"), ..Button::default() }.render())
            (CloneMenu { http: "https://tide.example/estuary/sluice.git", ssh: "git@tide.example:estuary/sluice.git", archives: &[("zip", "#".into())], keys_href: Some("#") }.render())
        }
    }
}

fn states() -> Markup {
    let all = [
        "created",
        "waiting",
        "preparing",
        "pending",
        "running",
        "success",
        "warnings",
        "failed",
        "canceling",
        "canceled",
        "skipped",
        "manual",
        "scheduled",
    ];
    let states: Vec<Status> = all.iter().filter_map(|name| Status::parse(name)).collect();
    html! {
        (parts::panel("states", "States, labels and messages", &html! {
            div.line.wide { @for state in &states { (status::status(*state)) } }
            div.line { @for state in &states { (status::status_pill(*state)) } }
            div.line {
                (parts::label("bug", "#c0392b", Some("#"))) (parts::label("area::store", "#2e86c1", None)) (parts::tag("Internal")) (parts::badge(12))
                @for name in ["tamar", "severn", "Esk Water", "nith", "wye", "dart"] { (parts::avatar_named(name, None)) }
                (parts::changes(214, 67)) (parts::progress("Jobs", 8, 11)) (status::pill("tide", "merge", "Merged"))
            }
            (parts::alert(Tone::Hint, &html! { b { "integration decides when this pipeline ends." } " Splitting it would save about 2 min." }))
            (parts::alert_with(Tone::Bad, &html! { b { "The push was refused:" } " main is protected." }, &parts::link_button("#", "", "Open a merge request")))
            (parts::alert(Tone::Warn, &html! { "The token ends in 3 days." }))
        }))
        (parts::panel_rows("none", "Nothing yet", &Empty { icon: "flag", title: "No releases yet", text: "A release is a tag with notes and files.", command: Some("git tag v0.1.0 && git push --tags"), action: Some(("#", "New release")) }.render()))
        (parts::pages(4, 20, |page| format!("#{page}")))
    }
}

fn fields() -> Markup {
    parts::panel(
        "fields",
        "Fields",
        &html! {
            (Field { name: "branch", label: "Branch name", value: "lease renewal", error: Some("A branch name can't hold a space. Try lease-renewal."), hint: "Letters, digits, dash and slash.", ..Field::default() }.input())
            (Field { name: "text", label: "Description", placeholder: "Markdown works", ..Field::default() }.textarea())
            (Field { name: "order", label: "Order", value: "b", ..Field::default() }.select(&[("a", "Newest first"), ("b", "Oldest first")]))
            (Field { name: "who", label: "Who can see it", value: "private", ..Field::default() }.radios(&[("private", "Private", "Only members."), ("public", "Public", "Everyone, also without an account.")]))
            (form::checkbox("lfs", "Large files", true, "Kept outside of the repository."))
            (form::actions("Save", Some(("#", "Cancel"))))
        },
    )
}

const SOURCE: &str = "//! Leases.\nuse std::time::Duration;\n\n/// How long the lease still holds.\npub fn remaining(&self) -> Duration {\n\tself.until.saturating_duration_since(self.clock.now()) // <now>\n}\n\nconst TERM: u64 = 30;\nlet name = \"store\";\n";

fn files() -> Markup {
    let lines = highlight::lines("a.rs", "", SOURCE);
    let group = |title: &str, author: &str, at, lines| blame::Group {
        title: title.into(),
        author: author.into(),
        at,
        lines,
        href: "#".into(),
        before_href: Some("#".into()),
        ..blame::Group::default()
    };
    html! {
        (parts::panel_rows("file", "lease.rs", &code::code(&lines, "lease.rs")))
        (parts::panel_rows("blamed", "Blame", &blame::blame(&[group("Renew leases before they expire", "tamar", 1_790_000_000_000_000, 4), group("Begin", "severn", 1_690_000_000_000_000, 6)], &lines)))
        (parts::panel_rows("values", "Values", &csv::table("name,count\nseven,7\n\"eight, or so\",8.5\n")))
        (parts::panel_rows("binary", "tide.bin", &code::binary(11_400_000, "#", "A binary file; it can't be shown.")))
    }
}

fn changes() -> Markup {
    let old = ["    pub fn remaining(&self) -> Duration {", "        self.until - Instant::now()", "    }"];
    let new = [
        "    pub fn remaining(&self) -> Duration {",
        "        self.until.saturating_duration_since(now)",
        "        // clock",
        "    }",
    ];
    let (o, n) = (highlight::lines("a.rs", "", &old.join("\n")), highlight::lines("a.rs", "", &new.join("\n")));
    let line = |kind, old: Option<usize>, new: Option<usize>, words| Line {
        kind,
        old: old.map(|at| at as u32 + 62),
        new: new.map(|at| at as u32 + 62),
        text: String::new(),
        html: old.filter(|_| kind == Kind::Removed).map(|at| o[at].clone()).or_else(|| new.map(|at| n[at].clone())),
        words,
        below: None,
    };
    let mut lines = vec![
        line(Kind::Context, Some(0), Some(0), vec![]),
        line(Kind::Removed, Some(1), None, vec![18..35]),
        line(Kind::Added, None, Some(1), vec![18..49]),
        line(Kind::Added, None, Some(2), vec![]),
        line(Kind::Context, Some(2), Some(3), vec![]),
    ];
    lines[3].below = Some(
        html! { article.card.talkcard { header { (parts::avatar_small("severn", None)) b { "severn" } span.faint { "yesterday" } } div.prose.s { p { "Could the interval have an upper bound?" } } } },
    );
    let hunk = Hunk { heading: "impl Lease".into(), hidden: 61, expand_href: Some("#".into()), lines };
    let file = |id: &str| File {
        id: id.into(),
        old_path: "src/store/lease.rs".into(),
        new_path: "src/store/lease.rs".into(),
        added: 2,
        removed: 1,
        viewed: Some(false),
        hunks: vec![hunk.clone()],
        view_href: Some("#".into()),
        ..File::default()
    };
    let all = [
        file("f1"),
        File {
            id: "f2".into(),
            new_path: "Cargo.lock".into(),
            added: 812,
            removed: 640,
            collapsed: Some("Large: 1,452 lines changed.".into()),
            load_href: Some("#".into()),
            ..File::default()
        },
        File {
            id: "f3".into(),
            old_path: "a.txt".into(),
            new_path: "docs/b.txt".into(),
            change: Change::Renamed,
            ..File::default()
        },
    ];
    html! { (diff::overview(&all)) (diff::files(&all[..1], Layout::SideBySide)) (diff::files(&[file("g1")], Layout::Inline)) (diff::files(&all[1..], Layout::Inline)) }
}

fn history() -> Markup {
    let commit = |id: &str, parents: &[&str], title: &str| Commit {
        id: format!("{id}c1ae0023{id}"),
        parents: parents.iter().map(|id| format!("{id}c1ae0023{id}")).collect(),
        title: title.into(),
        author: "tamar".into(),
        at: 1_790_000_000_000_000,
        href: "#".into(),
        status: Some((Status::Success, "#".into())),
        verified: true,
        ..Commit::default()
    };
    let list = [
        commit("a", &["b", "c"], "Merge branch 'lease-renewal' into main"),
        commit("c", &["d"], "Renew at two thirds of the time"),
        commit("d", &["e"], "Measure lease renewal under contention"),
        commit("b", &["e"], "Update tokio to 1.48"),
        commit("e", &["f", "g"], "Merge branch 'docs'"),
        commit("g", &["f"], "Explain how leases survive a restart"),
        commit("f", &[], "Begin"),
    ];
    html! {
        (parts::panel_rows("commits", "Commits", &commits::list(&list[..3])))
        (parts::panel_rows("graph", "Graph", &commits::graph(&list)))
    }
}

fn build() -> Markup {
    let node = |id: &str, status, stage, needs: &[&str], critical| Node {
        id: id.into(),
        title: id.into(),
        href: "#".into(),
        status,
        time: "1:54".into(),
        stage,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        critical,
        ..Node::default()
    };
    let nodes = [
        node("fmt", Status::Success, 0, &[], false),
        node("build", Status::Success, 0, &[], true),
        node("build-arm64", Status::Success, 0, &[], false),
        node("licences", Status::Success, 0, &[], false),
        node("lint", Status::Warnings, 1, &["build", "fmt"], false),
        node("unit", Status::Success, 1, &["build"], false),
        node("integration", Status::Running, 1, &["build"], true),
        node("bench", Status::Failed, 1, &["build"], false),
        node("image", Status::Pending, 2, &["unit", "integration", "build-arm64"], true),
        node("sbom", Status::Success, 2, &["licences"], false),
        node("staging", Status::Created, 3, &["image"], true),
        node("docs-site", Status::Skipped, 3, &["lint"], false),
        node("production-with-a-long-name", Status::Manual, 4, &["staging"], false),
    ];
    let stages: Vec<String> =
        ["Build", "Test", "Package", "Staging", "Production"].iter().map(|name| (*name).to_owned()).collect();
    let events = ansi::parse(b"section_start:10:prep[collapsed=true]\r\x1b[0KPrepare the sandbox\nUsing image rust:1.95 from cache\nsection_end:12:prep\r\x1b[0Ksection_start:12:script\r\x1b[0K\x1b[1mScript\x1b[0m\n\x1b[36;1m$ cargo nextest run\x1b[0m\n2026-05-22T12:43:46.962646Z 00O \x1b[32m   Compiling\x1b[0m sluice v0.10.0-dev\n\x1b[33mwarning\x1b[0m: unused variable: \x1b[34m`retries`\x1b[0m\n\x1b[31;1mFAIL\x1b[0m \x1b[90m[   4.113s]\x1b[0m sluice::store \x1b[35mlease_expires\x1b[0m \x1b[30;41m exit 1 \x1b[0m \x1b[7minverse\x1b[0m\nsection_end:75:script\r\x1b[0KJob failed\n");
    let log = Log { name: "integration".into(), raw_href: Some("#".into()), errors: vec![7], ..Log::default() };
    html! {
        (parts::panel_with("needs", &html! { h2 id="needs" { "Needs" } (pipeline::legend()) (parts::segments("Arrange by", &[Item::new("Needs", "#").current(true), Item::new("Stages", "#")])) }, &pipeline::graph(&nodes, &stages, Arrange::Needs), None))
        (parts::panel_rows("stages", "Stages", &pipeline::graph(&nodes, &stages, Arrange::Stages)))
        (log.render(&events))
    }
}

const TEXT: &str = "---\ntitle: Sluice\nstatus: ready\n---\n\n# What it does\n\n[TOC]\n\nSluice sits in front of a service and decides, for **every** request, *whether* to let it through. Closes #317 by @tamar, ~\"area::store\". :tada:\n\n## Install\n\n```rust\nlet gate = Gate::new(200).hold_for(50.millis()); // at once\n```\n\n| need | crate | size |\n|---|---|--:|\n| web | axum | 12 |\n| text | `comrak` | 4 |\n\n- [x] done\n- [ ] open\n- [~] void\n  1. one\n  2. two\n\n> quoted\n\n> [!NOTE]\n> A note with `code`.\n\n> [!WARNING]\n> Careful.\n\nMath $a^2 + b^2$ and a footnote[^1]. <kbd>Ctrl</kbd> <details><summary>More</summary>hidden</details>\n\nTerm\n\n: Meaning\n\n[^1]: Here.\n";

fn prose() -> Markup {
    let found = markdown::references(TEXT);
    let known: HashMap<_, _> = found
        .into_iter()
        .map(|reference| {
            (
                reference,
                markdown::Resolved {
                    href: "#".into(),
                    title: "Leases survive".into(),
                    colour: Some("#d35400".into()),
                    ..markdown::Resolved::default()
                },
            )
        })
        .collect();
    let options =
        MarkdownOptions { anchors: true, front_matter: true, resolver: Some(&known), ..MarkdownOptions::default() };
    html! {
        section.panel aria-labelledby="readme" {
            header { (icon("book")) h2 id="readme" { "README.md" } }
            article.body.prose { (PreEscaped(markdown::render(TEXT, &options))) }
        }
    }
}

fn aside() -> Markup {
    let languages: Vec<(String, f64)> = [("Rust", 81.0), ("TypeScript", 11.0), ("Shell", 5.0), ("Nix", 0.4)]
        .iter()
        .map(|(name, share)| ((*name).to_owned(), *share))
        .collect();
    let weeks: Vec<(f64, &str)> = (0..26).map(|week| (f64::from((week * 7) % 13 + 1), "k1")).collect();
    let values: Vec<f64> = (0..30).map(|day| f64::from((day * 11) % 17)).collect();
    let days: Vec<u32> = (0..180).map(|day| (day * 7919) % 9).collect();
    let bead = |name: &str, status| Bead { name: name.into(), status, href: "#".into() };
    html! {
        section { h2 { "Pipeline on main" } (pipeline::beads(&[bead("Build", Status::Success), bead("Test", Status::Running), bead("Deploy", Status::Manual)])) }
        section { h2 { "Languages" } (chart::shares("Languages", &languages)) }
        section { h2 { "Commits" span.faint.push { "26 weeks" } } (chart::bars("Commits per week: between 1 and 13", 44, &weeks)) }
        section { h2 { "Duration" } (chart::sparkline("Between 0 and 16 min", 40, &values)) }
        section { h2 { "Activity" } (chart::calendar("1,024 contributions", &days, 2)) }
        section { h2 { "Facts" } (parts::facts(&[("Runner", html! { a href="#" { "tide-4" } }), ("Queued", html! { "2 s" })])) }
    }
}
