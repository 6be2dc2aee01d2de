//! `tidemill admin`: works on the data folder and the database, beside a running server.

use std::io::Write;
use std::time::Duration;

use accounts::{AccessToken, Actor, NewUser, User};
use anyhow::{Context, Result, bail};
use kernel::{App, Config, Db, Objects, Settings, Time, auth};

use crate::cli::{Admin, TokenAction, UserAction};
use crate::compose::compose;
use crate::doctor;

/// Carries out an action; what is meant to be read by a program is printed alone.
pub async fn run(config: Config, action: Admin) -> Result<()> {
    let app = open(config).await?;
    match action {
        Admin::User(UserAction::Create { name, email, admin }) => {
            let password = auth::random_token("", 20);
            let new = NewUser { username: name, email, admin, password: password.clone(), ..NewUser::default() };
            accounts::hooks::create_user(&app, &Actor::nobody(), new).await?;
            print(&password)
        }
        Admin::User(UserAction::Password { name }) => {
            let password = auth::random_token("", 20);
            user(&app, &name).await?.set_password(app.db().conn(), &password, None).await?;
            print(&password)
        }
        Admin::Token(TokenAction::Create { user: owner, scopes, expires, name }) => {
            let expires = match expires {
                Some(text) => {
                    Time::parse(&text).with_context(|| format!("{text} is not a date; write it like 2027-01-31"))?
                }
                None => Time::now() + Duration::from_secs(365 * 24 * 3600),
            };
            let owner = user(&app, &owner).await?;
            let (_, secret) =
                AccessToken::create(app.db().conn(), owner.id, &name, "", &scopes, Some(expires), false).await?;
            print(&secret)
        }
        Admin::Doctor => doctor::run(&app).await,
    }
}

async fn open(config: Config) -> Result<App> {
    if config.database.starts_with("sqlite:") && !config.data.join("tidemill.db").is_file() {
        bail!("{} holds no instance; name the data folder of one with --data DIR", config.data.display());
    }
    let db: Db = crate::serve::open_database(&config).await?;
    let objects = Objects::open(&config.objects)?;
    let settings = Settings::default();
    settings.load(&db).await?;
    Ok(compose(config, db, objects, settings).app)
}

async fn user(app: &App, name: &str) -> Result<User> {
    User::by_username(app.db().conn(), name).await?.with_context(|| format!("there is no user called {name}"))
}

fn print(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
