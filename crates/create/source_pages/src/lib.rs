//! The pages of code: files, history, changes, branches and tags, and editing in the browser.

mod archive;
mod aside;
mod blame;
mod blob;
mod blob_body;
mod branch_edits;
mod branches;
mod changes;
mod commit;
mod commits;
mod compare;
mod diff_parts;
mod edit;
mod empty;
mod find;
mod graphs;
mod ground;
mod history;
mod home;
mod licence;
mod links;
mod people;
mod pick;
mod place;
mod protection;
mod raw;
mod readme;
mod switcher;
mod tags;
mod target;
mod tree;
mod upload;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use kernel::{Slice, Web};
use projects::Permission;
use projects::shell::{Area, NavItem};

/// What this area brings to the program.
pub fn slice() -> Slice {
    Slice::new("source_pages").web(files()).web(changes()).web(refs()).web(edits())
}

fn files() -> Web {
    Web::default()
        .at("/@project/{project}", get(home::show))
        .at("/@project/{project}/-/tree", get(tree::at_default))
        .at("/@project/{project}/-/tree/{*rest}", get(tree::show))
        .at("/@project/{project}/-/blob/{*rest}", get(blob::show))
        .at("/@project/{project}/-/raw/{*rest}", get(raw::show))
        .at("/@project/{project}/-/find_file/{*rest}", get(find::show))
        .at("/@project/{project}/-/files/{*rest}", get(find::list))
        .at("/@project/{project}/-/archive/{*rest}", get(archive::download))
}

fn changes() -> Web {
    Web::default()
        .at("/@project/{project}/-/commits", get(commits::at_default))
        .at("/@project/{project}/-/commits/{*rest}", get(commits::show))
        .at("/@project/{project}/-/network/{*rest}", get(commits::network))
        .at("/@project/{project}/-/graphs/{*rest}", get(graphs::show))
        .at("/@project/{project}/-/blame/{*rest}", get(blame::show))
        .at("/@project/{project}/-/commit/{id}", get(commit::show))
        .at("/@project/{project}/-/commit/{id}/refs", get(commit::refs))
        .at("/@project/{project}/-/commit/{id}/cherry_pick", get(pick::form).post(pick::act))
        .at("/@project/{project}/-/commit/{id}/revert", get(pick::form).post(pick::act))
        .at("/@project/{project}/-/diff_files/{*rest}", get(diff_parts::file))
        .at("/@project/{project}/-/diff_lines/{*rest}", get(diff_parts::lines))
        .at("/@project/{project}/-/compare", get(compare::form))
        .at("/@project/{project}/-/compare/{*rest}", get(compare::show))
}

fn refs() -> Web {
    Web::default()
        .at("/@project/{project}/-/branches", get(branches::show).post(branch_edits::create))
        .at("/@project/{project}/-/branches/new", get(branch_edits::new))
        .at("/@project/{project}/-/delete_branch/{*rest}", post(branch_edits::delete))
        .at("/@project/{project}/-/merged_branches", post(branch_edits::delete_merged))
        .at("/@project/{project}/-/tags", get(tags::show).post(tags::create))
        .at("/@project/{project}/-/tags/new", get(tags::new))
        .at("/@project/{project}/-/delete_tag/{*rest}", post(tags::delete))
        .at("/@project/{project}/-/settings/repository", get(protection::show))
        .at("/@project/{project}/-/protected_branches", post(protection::protect_branch))
        .at("/@project/{project}/-/protected_branches/{id}/delete", post(protection::unprotect_branch))
        .at("/@project/{project}/-/protected_tags", post(protection::protect_tag))
        .at("/@project/{project}/-/protected_tags/{id}/delete", post(protection::unprotect_tag))
}

fn edits() -> Web {
    let room = DefaultBodyLimit::max(upload::MOST);
    Web::default()
        .at("/@project/{project}/-/new/{*rest}", get(edit::new).post(edit::create))
        .at("/@project/{project}/-/edit/{*rest}", get(edit::edit).post(edit::update))
        .at("/@project/{project}/-/new_dir/{*rest}", get(upload::new_dir).post(upload::make_dir))
        .at("/@project/{project}/-/delete/{*rest}", get(upload::deletion).post(upload::delete))
        .at("/@project/{project}/-/upload/{*rest}", get(upload::new_files).post(upload::upload).layer(room))
        .at("/@project/{project}/-/replace/{*rest}", get(upload::replacement).post(upload::replace).layer(room))
}

/// The entries of a project's navigation.
pub fn nav() -> Vec<NavItem> {
    let entry =
        |area, key, title, suffix, order| NavItem::project(area, key, title, suffix, Permission::ReadCode, order);
    let code = |key, title, suffix, order| entry(Area::Code, key, title, suffix, order);
    vec![
        code("files", "Files", "/-/tree/{branch}", 10),
        code("commits", "Commits", "/-/commits/{branch}", 30),
        code("branches", "Branches", "/-/branches", 40),
        code("tags", "Tags", "/-/tags", 50),
        code("network", "Graph", "/-/network/{branch}", 60),
        code("compare", "Compare", "/-/compare", 70),
        entry(Area::Analyse, "contributors", "Contributors", "/-/graphs/{branch}", 20),
        NavItem::project(
            Area::Settings,
            "repository",
            "Repository",
            "/-/settings/repository",
            Permission::ManageProtectedRefs,
            30,
        ),
    ]
}
