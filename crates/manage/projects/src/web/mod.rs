//! The pages of projects, groups, people and the instance.

mod admin;
mod admin_jobs;
mod dashboard;
mod feed;
mod forks;
mod group_settings;
mod groups;
mod members;
mod new_project;
mod palette;
mod parts;
mod profile;
mod project_badges;
mod project_settings;
mod search;

use axum::routing::{get, post};
use kernel::Web;

pub use admin::{HealthFact, HealthFacts};

/// All pages.
pub(crate) fn web() -> Web {
    let web = Web::default()
        .at("/", get(dashboard::root))
        .at("/dashboard", get(dashboard::root))
        .at("/dashboard/projects", get(dashboard::own_projects))
        .at("/dashboard/projects/starred", get(dashboard::starred_projects))
        .at("/dashboard/groups", get(dashboard::own_groups))
        .at("/dashboard/activity", get(dashboard::activity))
        .at("/explore", get(dashboard::explore_projects))
        .at("/explore/projects", get(dashboard::explore_projects))
        .at("/explore/groups", get(dashboard::explore_groups))
        .at("/@user/{user}", get(profile::show))
        .at("/search", get(search::show))
        .at("/-/palette", get(palette::find))
        .at("/admin", get(admin::overview))
        .at("/admin/projects", get(admin::projects))
        .at("/admin/groups", get(admin::groups))
        .at("/admin/jobs", get(admin_jobs::list))
        .at("/admin/jobs/{id}/{action}", post(admin_jobs::act))
        .at("/uploads/-/system/project/avatar/{id}/{file}", get(crate::avatar::serve_project))
        .at("/uploads/-/system/group/avatar/{id}/{file}", get(crate::avatar::serve_group))
        .at("/-/project/{id}/uploads/{secret}/{filename}", get(crate::api::uploads::download_below_id));
    group_pages(project_pages(web))
}

fn project_pages(web: Web) -> Web {
    web.at("/projects/new", get(new_project::show))
        .at("/projects", post(new_project::create).get(dashboard::root))
        .at("/@project/{project}/uploads/{secret}/{filename}", get(crate::api::uploads::download))
        .at("/@project/{project}/-/import", get(new_project::import_progress))
        .at("/@project/{project}/-/activity", get(feed::of_project))
        .at("/@project/{project}/-/star", post(new_project::star))
        .at("/@project/{project}/-/unstar", post(new_project::unstar))
        .at("/@project/{project}/-/starrers", get(forks::starrers))
        .at("/@project/{project}/-/forks", get(forks::list).post(forks::create))
        .at("/@project/{project}/-/forks/new", get(forks::new))
        .at("/@project/{project}/-/edit", get(project_settings::show).post(project_settings::update))
        .at("/@project/{project}/-/settings", get(project_settings::show))
        .at("/@project/{project}/-/edit/features", post(project_settings::update_features))
        .at("/@project/{project}/-/edit/avatar", post(project_settings::set_avatar))
        .at("/@project/{project}/-/edit/avatar/delete", post(project_settings::remove_avatar))
        .at("/@project/{project}/-/edit/badges", post(project_badges::add))
        .at("/@project/{project}/-/edit/badges/{badge_id}/delete", post(project_badges::remove))
        .at("/@project/{project}/-/edit/archive", post(project_settings::archive))
        .at("/@project/{project}/-/edit/unarchive", post(project_settings::unarchive))
        .at("/@project/{project}/-/edit/rename", post(project_settings::rename))
        .at("/@project/{project}/-/edit/transfer", post(project_settings::transfer))
        .at("/@project/{project}/-/edit/delete", post(project_settings::delete))
        .at("/@project/{project}/-/project_members", get(members::of_project).post(members::add_to_project))
        .at("/@project/{project}/-/project_members/{user_id}", post(members::change_of_project))
        .at("/@project/{project}/-/project_members/{user_id}/delete", post(members::remove_from_project))
}

fn group_pages(web: Web) -> Web {
    web.at("/groups", get(dashboard::own_groups).post(groups::create))
        .at("/groups/new", get(groups::new))
        .at("/@group/{group}", get(groups::show))
        .at("/@group/{group}/-/activity", get(feed::of_group))
        .at("/@group/{group}/-/edit", get(group_settings::show).post(group_settings::update))
        .at("/@group/{group}/-/edit/avatar", post(group_settings::set_avatar))
        .at("/@group/{group}/-/edit/avatar/delete", post(group_settings::remove_avatar))
        .at("/@group/{group}/-/edit/rename", post(group_settings::rename))
        .at("/@group/{group}/-/edit/transfer", post(group_settings::transfer))
        .at("/@group/{group}/-/edit/delete", post(group_settings::delete))
        .at("/@group/{group}/-/group_members", get(members::of_group).post(members::add_to_group))
        .at("/@group/{group}/-/group_members/{user_id}", post(members::change_of_group))
        .at("/@group/{group}/-/group_members/{user_id}/delete", post(members::remove_from_group))
}
