//! What a project without any commit shows: how the first one gets there.

use kernel::App;
use projects::{Permission, ProjectAccess};
use ui::parts;
use ui::{Markup, html};

use crate::links::Links;

/// The commands that fill an empty repository.
pub(crate) fn body(app: &App, access: &ProjectAccess) -> Markup {
    if !access.can(Permission::PushCode) {
        let empty = parts::Empty {
            icon: "folder",
            title: "Nothing is here yet",
            text: "Files are shown here after the first push.",
            ..parts::Empty::default()
        };
        return html! { section.panel { (empty.render()) } };
    }
    let project = &access.project;
    let (url, branch, path) = (project.http_url(app), project.branch(), &project.path);
    let ssh = project.ssh_url(app);
    let new = Links::of(project).at("new", branch, "");
    let folder = format!(
        "cd {path}\ngit init --initial-branch={branch}\ngit remote add origin {url}\ngit add .\ngit commit -m \"First commit\"\ngit push --set-upstream origin {branch}"
    );
    let existing =
        format!("cd {path}\ngit remote add origin {url}\ngit push --set-upstream origin --all\ngit push origin --tags");
    let clone = format!(
        "git clone {url}\ncd {path}\ngit switch --create {branch}\necho \"# {path}\" > README.md\ngit add README.md\ngit commit -m \"Add a README\"\ngit push --set-upstream origin {branch}"
    );
    html! {
        div.stack {
            section.panel aria-labelledby="begin" {
                header { h2 id="begin" { "The repository is empty" } span.push { (parts::link_button(&new, "file", "New file")) } }
                div.body.stack {
                    p.soft { "Push something, or write the first file in the browser." }
                    div.field { span.label { "HTTPS" } (parts::copy_box(&url, "HTTPS address")) }
                    @if !app.config().ssh.is_empty() { div.field { span.label { "SSH" } (parts::copy_box(&ssh, "SSH address")) } }
                }
            }
            (parts::panel("folder", "Push a folder", &parts::code_box(&folder, "Commands that push a folder")))
            (parts::panel("existing", "Push a repository that you have", &parts::code_box(&existing, "Commands that push a repository")))
            (parts::panel("start", "Start with a clone", &parts::code_box(&clone, "Commands that start with a clone")))
        }
    }
}
