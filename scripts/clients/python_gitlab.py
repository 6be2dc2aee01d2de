"""Drives a Tidemill server with python-gitlab, the usual Python client of GitLab's API.

Takes TIDEMILL_URL and TIDEMILL_TOKEN (scope api, of an administrator) from the environment, makes a group of its own,
and stops with a traceback at the first answer that isn't what the client's documentation promises.
"""

import base64
import io
import os
import time
import zipfile

import gitlab

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGN8Uk1mzXr5kYIBbPFp1Hvb8TqRyJbRzMAnVnRl0rCG test"
CONFIG = """
stages: [build, deploy]
build:
  stage: build
  script: [mkdir out, echo "$WORD" > out/word.txt, echo built]
  artifacts: {paths: [out], reports: {junit: report.xml}}
broken: {stage: build, script: exit 3, allow_failure: true}
deploy: {stage: deploy, script: "echo to $PLACE", when: manual}
"""
REPORT = "<testsuite><testcase name='a' time='0.5'/><testcase name='b'><skipped/></testcase></testsuite>"


def refuses(status, call, *args, **kwargs):
    """Fails unless the call is refused with this status."""
    try:
        call(*args, **kwargs)
    except gitlab.GitlabError as e:
        assert e.response_code == status, e
    else:
        raise AssertionError(f"{call} was not refused")


def until(what, check):
    """Waits until check gives something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in time")


def session(gl):
    gl.auth()
    assert gl.user.username and gl.user.is_admin
    version, _ = gl.version()
    assert version != "unknown"
    assert gl.users.get(gl.user.id).username == gl.user.username
    assert [u.id for u in gl.users.list(username=gl.user.username)] == [gl.user.id]
    assert gl.settings.get().default_branch_protection is not None
    assert gl.markdown("**bold**").startswith("<p")
    assert any(n.kind == "user" for n in gl.namespaces.list(get_all=True))


def people(gl, name):
    user = gl.users.create({"username": name, "name": "Pat", "email": f"{name}@example.com", "password": "correct horse 7 battery"})
    user.name = "Pat Q"
    user.save()
    token = user.impersonationtokens.create({"name": "t", "scopes": ["api"]})
    assert token.token
    other = gitlab.Gitlab(gl.url, private_token=token.token)
    other.auth()
    assert other.user.username == name
    refuses(403, other.users.create, {"username": "x", "name": "x", "email": "x@example.com", "password": "correct horse 7"})
    key = other.user.keys.create({"title": "laptop", "key": KEY})
    assert [k.id for k in other.user.keys.list()] == [key.id]
    refuses(400, other.user.keys.create, {"title": "again", "key": KEY})
    key.delete()
    mine = other.personal_access_tokens.get("self")
    assert mine.active
    assert other.user.status.get() is not None
    return user, other


def groups(gl, name):
    group = gl.groups.create({"name": name, "path": name, "visibility": "public"})
    child = gl.groups.create({"name": "Child", "path": "child", "parent_id": group.id})
    assert gl.groups.get(f"{name}/child").id == child.id
    assert [g.id for g in group.subgroups.list()] == [child.id]
    group.description = "Made by a test"
    group.save()
    assert gl.groups.get(group.id).description == "Made by a test"
    assert group.id in [g.id for g in gl.groups.list(search=name, get_all=True)]
    variable = group.variables.create({"key": "PLACE", "value": "the sea"})
    variable.value = "the moon"
    variable.save()
    assert group.variables.get("PLACE").value == "the moon"
    return group


def members(group, project, user):
    member = project.members.create({"user_id": user.id, "access_level": gitlab.const.AccessLevel.REPORTER})
    member.access_level = gitlab.const.AccessLevel.DEVELOPER
    member.save()
    assert project.members.get(user.id).access_level == 30
    assert user.id in [m.id for m in project.members_all.list(get_all=True)]
    refuses(409, project.members.create, {"user_id": user.id, "access_level": 30})
    member.delete()
    refuses(404, project.members.get, user.id)
    group.members.create({"user_id": user.id, "access_level": 20})
    assert project.members_all.get(user.id).access_level == 20


def projects(gl, group):
    new = {"name": "Water", "path": "water", "namespace_id": group.id, "initialize_with_readme": True, "visibility": "public"}
    project = gl.projects.create(new)
    refuses(400, gl.projects.create, new)
    assert gl.projects.get(f"{group.full_path}/water").id == project.id
    assert project.id in [p.id for p in gl.projects.list(iterator=True, per_page=1, order_by="id", pagination="keyset")]
    assert [p.id for p in group.projects.list()] == [project.id]
    project.description = "All of it"
    project.topics = ["rivers"]
    project.save()
    project = gl.projects.get(project.id, statistics=True)
    assert project.description == "All of it" and project.topics == ["rivers"]
    assert project.readme_url.endswith("/water/-/blob/main/README.md"), project.readme_url
    project.star()
    assert gl.projects.get(project.id).star_count == 1
    project.unstar()
    project.archive()
    assert gl.projects.get(project.id).archived
    project.unarchive()
    assert project.id in [p["id"] for p in gl.search("projects", "Water", get_all=True)]
    badge = project.badges.create({"link_url": "https://example.com", "image_url": "https://example.com/x.svg"})
    assert [b.id for b in project.badges.list()] == [badge.id]
    sent = project.upload("note.txt", filedata=b"hello")
    assert sent["url"].endswith("/note.txt")
    refuses(404, gl.projects.get, "no/such/project")
    return project


def branches_and_tags(project):
    main = project.branches.get("main")
    assert main.commit["id"]
    branch = project.branches.create({"branch": "feature/x.y", "ref": "main"})
    assert project.branches.get("feature/x.y").name == branch.name
    assert {b.name for b in project.branches.list(search="feature")} == {"feature/x.y"}
    refuses(400, project.branches.create, {"branch": "feature/x.y", "ref": "main"})
    tag = project.tags.create({"tag_name": "v1.0", "ref": "main", "message": "First"})
    assert tag.message == "First" and project.tags.get("v1.0").commit["id"] == main.commit["id"]
    project.tags.create({"tag_name": "v0", "ref": "main"})
    project.tags.delete("v0")
    assert [t.name for t in project.tags.list()] == ["v1.0"]
    rule = project.protectedbranches.create({"name": "release/*", "push_access_level": 40})
    assert rule.push_access_levels[0]["access_level"] == 40
    assert "release/*" in [p.name for p in project.protectedbranches.list()]
    rule.delete()
    tags = project.protectedtags.create({"name": "v*", "create_access_level": 40})
    assert project.protectedtags.get("v*").name == tags.name
    tags.delete()


def files_and_commits(project):
    where = {"branch": "feature/x.y", "commit_message": "Add a file"}
    made = project.files.create({"file_path": "src/a.b/c d.txt", "content": "one\ntwo\n", **where})
    assert made.file_path == "src/a.b/c d.txt"
    refuses(400, project.files.create, {"file_path": "src/a.b/c d.txt", "content": "x", **where})
    found = project.files.get(file_path="src/a.b/c d.txt", ref="feature/x.y")
    assert base64.b64decode(found.content) == b"one\ntwo\n" == found.decode()
    found.content = "one\nthree\n"
    found.save(branch="feature/x.y", commit_message="Change it")
    assert project.files.raw(file_path="src/a.b/c d.txt", ref="feature/x.y") == b"one\nthree\n"
    blame = project.files.blame(file_path="src/a.b/c d.txt", ref="feature/x.y")
    assert [b["lines"] for b in blame] == [["one"], ["three"]]
    assert project.files.head("src/a.b/c d.txt", "feature/x.y")["X-Gitlab-Size"] == "10"
    actions = [
        {"action": "create", "file_path": "bin/tool", "content": base64.b64encode(b"\x00\x01").decode(), "encoding": "base64"},
        {"action": "move", "file_path": "src/moved.txt", "previous_path": "src/a.b/c d.txt"},
        {"action": "chmod", "file_path": "bin/tool", "execute_filemode": True},
    ]
    refuses(400, project.commits.create, {"branch": "feature/x.y", "commit_message": "x", "actions": [{"action": "delete", "file_path": "no"}]})
    commit = project.commits.create({"branch": "feature/x.y", "commit_message": "Several\n\nThings", "actions": actions[:2]})
    assert commit.title == "Several"
    project.commits.create({"branch": "feature/x.y", "commit_message": "Mode", "actions": actions[2:]})
    assert {d["new_path"] for d in commit.diff(get_all=True)} == {"bin/tool", "src/moved.txt"}
    assert {r["name"] for r in commit.refs()} == {"feature/x.y"}
    note = commit.comments.create({"note": "Well done"})
    assert note.note == "Well done" and len(commit.comments.list()) == 1
    commit.statuses.create({"state": "success", "name": "outside"})
    assert [s.name for s in commit.statuses.list()] == ["outside"]
    titles = [c.title for c in project.commits.list(ref_name="feature/x.y", get_all=True)]
    assert titles[:2] == ["Mode", "Several"], titles
    assert {e["path"] for e in project.repository_tree(ref="feature/x.y", recursive=True, get_all=True)} >= {"bin/tool", "src/moved.txt"}
    compared = project.repository_compare("main", "feature/x.y")
    assert len(compared["commits"]) == 4 and compared["diffs"]
    assert project.repository_merge_base(["main", "feature/x.y"])["id"]
    assert project.repository_contributors()
    blob = next(e for e in project.repository_tree(path="src", ref="feature/x.y", get_all=True) if e["type"] == "blob")
    assert project.repository_raw_blob(blob["id"]) == b"one\nthree\n"
    assert project.repository_blob(blob["id"])["size"] == 10
    archive = zipfile.ZipFile(io.BytesIO(project.repository_archive(sha="feature/x.y", format="zip")))
    assert any(n.endswith("/bin/tool") for n in archive.namelist())
    project.branches.create({"branch": "picked", "ref": "main"})
    last = project.commits.create({"branch": "feature/x.y", "commit_message": "Pick me", "actions": [{"action": "create", "file_path": "p", "content": "p"}]})
    last.cherry_pick(branch="picked")
    assert project.files.raw(file_path="p", ref="picked") == b"p"
    project.commits.get("picked").revert(branch="picked")
    refuses(404, project.files.get, file_path="p", ref="picked")
    project.files.delete(file_path="src/moved.txt", branch="feature/x.y", commit_message="Remove")
    refuses(404, project.files.get, file_path="src/moved.txt", ref="feature/x.y")
    project.branches.delete("picked")


def variables(project):
    new = project.variables.create({"key": "WORD", "value": "plum", "description": "fruit"})
    assert new.environment_scope == "*"
    project.variables.create({"key": "WORD", "value": "pear", "environment_scope": "production"})
    refuses(409, project.variables.get, "WORD")
    scope = {"environment_scope": "production"}
    assert project.variables.get("WORD", filter=scope).value == "pear"
    project.variables.update("WORD", {"value": "fig", "filter": scope})
    project.variables.delete("WORD", filter=scope)
    secret = project.variables.create({"key": "SECRET", "value": "correct-horse", "masked_and_hidden": True})
    assert secret.value is None and secret.hidden
    assert {v.key for v in project.variables.list()} == {"WORD", "SECRET"}
    refuses(400, project.variables.create, {"key": "no good", "value": "x"})


def gl_of(project):
    return project.manager.gitlab


def pipelines(project):
    files = [("report.xml", REPORT), (".gitlab-ci.yml", CONFIG)]
    actions = [{"action": "create", "file_path": path, "content": text} for path, text in files]
    head = project.commits.create({"branch": "main", "commit_message": "Configure", "actions": actions})
    pipeline = until("the pipeline", lambda: next(iter(project.pipelines.list(sha=head.id)), None))
    done = until("its end", lambda: (p := project.pipelines.get(pipeline.id)).status == "success" and p)
    assert done.detailed_status["group"] == "success-with-warnings" and done.user["username"]
    assert project.pipelines.latest().id == pipeline.id
    assert project.commits.get(head.id).last_pipeline["id"] == pipeline.id
    assert done.test_report.get().total_count == 2 and done.test_report_summary.get().total["skipped"] == 1
    assert done.bridges.list() == [] and done.variables.list() == []
    jobs = {j.name: project.jobs.get(j.id) for j in done.jobs.list(get_all=True)}
    assert set(jobs) == {"build", "broken", "deploy"} and len(project.jobs.list(scope=["failed"])) == 1
    build, broken, deploy = jobs["build"], jobs["broken"], jobs["deploy"]
    assert b"built" in build.trace() and build.commit["id"] == head.id and build.user["username"]
    assert broken.failure_reason == "script_failure"
    assert zipfile.ZipFile(io.BytesIO(build.artifacts())).read("out/word.txt") == b"plum\n"
    assert build.artifact("out/word.txt") == b"plum\n"
    assert project.artifacts.download(ref_name="main", job="build")[:2] == b"PK"
    assert project.artifacts.raw(ref_name="main", artifact_path="out/word.txt", job="build") == b"plum\n"
    build.keep_artifacts()
    assert project.jobs.get(build.id).artifacts_expire_at is None
    given = {"job_variables_attributes": [{"key": "PLACE", "value": "Mars"}]}
    gl_of(project).http_post(f"{deploy.manager.path}/{deploy.id}/play", post_data=given)
    until("the manual job", lambda: project.jobs.get(deploy.id).status == "success")
    assert b"to Mars" in deploy.trace()
    again = broken.retry()
    until("the second try", lambda: project.jobs.get(again["id"]).status == "failed")
    assert len(done.jobs.list(include_retried=True, get_all=True)) == 4
    refuses(403, broken.retry)
    deploy.erase()
    assert project.jobs.get(deploy.id).erased_at
    build.delete_artifacts()
    refuses(404, build.artifacts)
    run = project.pipelines.create({"ref": "main", "variables": [{"key": "WORD", "value": "lime"}]})
    assert [(v.key, v.value) for v in run.variables.list()] == [("WORD", "lime")]
    run.cancel()
    until("the end", lambda: project.pipelines.get(run.id).status in ("canceled", "success"))
    run.retry()
    run.delete()
    refuses(404, project.pipelines.get, run.id)
    refuses(400, project.pipelines.create, {"ref": "nowhere"})
    project.artifacts.delete()
    assert project.pipelines.list(iterator=False, page=1, per_page=1)


def lint(project):
    assert project.ci_lint.get().valid
    good = project.ci_lint.create({"content": "a: {script: x}", "include_jobs": True})
    assert good.valid and good.jobs[0]["name"] == "a"
    bad = project.ci_lint.create({"content": "a: {stage: lost, script: x}"})
    assert not bad.valid and bad.errors


def forks(gl, project):
    fork = project.forks.create({"name": "Copy", "path": "water-copy"})
    copied = until("the fork", lambda: (p := gl.projects.get(fork.id)).import_status in ("finished", "none") and p)
    assert copied.forked_from_project["id"] == project.id
    assert [p.id for p in project.forks.list()] == [fork.id]
    until("its branches", lambda: copied.branches.list())
    copied.delete()
    refuses(404, gl.projects.get, fork.id)


def main():
    gl = gitlab.Gitlab(os.environ["TIDEMILL_URL"], private_token=os.environ["TIDEMILL_TOKEN"])
    name = f"brook{time.time_ns()}"
    session(gl)
    user, other = people(gl, f"pat{time.time_ns()}")
    group = groups(gl, name)
    project = projects(gl, group)
    refuses(403, other.projects.get(project.id).variables.list)
    members(group, project, user)
    branches_and_tags(project)
    files_and_commits(project)
    variables(project)
    pipelines(project)
    lint(project)
    forks(gl, project)
    assert gl.events.list(per_page=5, get_all=False) is not None and project.events.list()
    group.delete()
    refuses(404, gl.groups.get, group.id)
    print("python-gitlab", gitlab.__version__, "is content")


if __name__ == "__main__":
    main()
