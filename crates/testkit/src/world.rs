//! The people, groups and projects that most tests play with.

use accounts::{AccessToken, Actor, NewUser, Session, User};
use kernel::Tx;
use projects::{Member, Namespace, NewProject, Project, ProjectSettings, Source, Visibility, level};

use crate::{Client, TestApp};

/// Somebody with a token of scope `api`.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user's id.
    pub id: i64,
    /// The name.
    pub username: String,
    /// A token.
    pub token: String,
}

/// A group `mill` with three projects and somebody in every role.
pub struct World {
    /// Administers the instance.
    pub root: Person,
    /// Owns the group.
    pub olive: Person,
    /// Maintainer of the group.
    pub mats: Person,
    /// Developer of the group.
    pub dana: Person,
    /// Reporter of the group.
    pub rita: Person,
    /// Planner of the group.
    pub paula: Person,
    /// Guest of the group.
    pub gus: Person,
    /// Is a member of nothing.
    pub sam: Person,
    /// Is external and a member of nothing.
    pub eve: Person,
    /// The group.
    pub mill: Namespace,
    /// Private: `mill/wheel`.
    pub wheel: Project,
    /// Internal: `mill/race`.
    pub race: Project,
    /// Public: `mill/pond`.
    pub pond: Project,
}

impl World {
    pub(crate) async fn make(t: &TestApp) -> Self {
        let tx = t.app.begin().await.expect("a transaction");
        let root = User::find(&*tx, 1).await.expect("a query").expect("the administrator");
        let root = person(&tx, root).await;
        let olive = new_person(&tx, "olive").await;
        let mill = Namespace::create_group(&*tx, None, "mill", "Mill", "", Visibility::Public).await.expect("a group");
        let join = async |name: &str, level: i64| {
            let person = new_person(&tx, name).await;
            Member::add(&*tx, Source::Group(mill.id), person.id, level, None, None).await.expect("a member");
            person
        };
        Member::add(&*tx, Source::Group(mill.id), olive.id, level::OWNER, None, None).await.expect("an owner");
        let mats = join("mats", level::MAINTAINER).await;
        let dana = join("dana", level::DEVELOPER).await;
        let rita = join("rita", level::REPORTER).await;
        let paula = join("paula", level::PLANNER).await;
        let gus = join("gus", level::GUEST).await;
        let (sam, eve) = (new_person(&tx, "sam").await, new_person(&tx, "eve").await);
        let external = "UPDATE users SET external = TRUE WHERE id = $1";
        kernel::db::Sql::run(&*tx, external, [eve.id.into()]).await.expect("an update");
        let project = async |path: &str, visibility| {
            let new = NewProject {
                path: path.into(),
                name: path.into(),
                description: String::new(),
                visibility,
                settings: ProjectSettings::default(),
                creator_id: olive.id,
                forked_from_id: None,
                import_url: None,
            };
            Project::create(&tx, &mill, new).await.expect("a project")
        };
        let wheel = project("wheel", Visibility::Private).await;
        let race = project("race", Visibility::Internal).await;
        let pond = project("pond", Visibility::Public).await;
        tx.commit().await.expect("a commit");
        Self { root, olive, mats, dana, rita, paula, gus, sam, eve, mill, wheel, race, pond }
    }

    /// Everybody, with their name, from the most to the least powerful.
    pub fn people(&self) -> [&Person; 9] {
        [&self.root, &self.olive, &self.mats, &self.dana, &self.rita, &self.paula, &self.gus, &self.sam, &self.eve]
    }
}

impl Person {
    /// A client with this person's token.
    pub fn client(&self, t: &TestApp) -> Client {
        t.client(&self.token)
    }

    /// A client with a session of this person, as a browser has.
    pub async fn browser(&self, t: &TestApp) -> Client {
        let cookie = Session::begin(&t.app, self.id, false, "127.0.0.1", "test").await.expect("a session");
        let cookie = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default().to_owned();
        t.anonymous().with_cookie(cookie)
    }
}

async fn new_person(tx: &Tx, username: &str) -> Person {
    let new = NewUser { username: username.into(), email: format!("{username}@example.com"), ..NewUser::default() };
    person(tx, accounts::hooks::create_user_in(tx, &Actor::nobody(), new, String::new()).await.expect("a user")).await
}

async fn person(tx: &Tx, user: User) -> Person {
    let scopes = ["api".to_owned()];
    let (_, token) = AccessToken::create(&**tx, user.id, "test", "", &scopes, None, false).await.expect("a token");
    Person { id: user.id, username: user.username, token }
}
