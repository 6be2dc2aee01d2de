-- Ref updates that have begun and are not yet known to have ended; what is left of a killed process is settled from here.
CREATE TABLE pending_ref_updates (
  id {id},
  push_key TEXT NOT NULL,
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  actor_id BIGINT NOT NULL,
  ref_name {bytes} NOT NULL,
  old_id TEXT NOT NULL,
  new_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  process TEXT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE INDEX pending_ref_updates_project ON pending_ref_updates (project_id);
CREATE INDEX pending_ref_updates_push ON pending_ref_updates (push_key);

-- What housekeeping needs to know of a repository.
CREATE TABLE repository_states (
  project_id BIGINT PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
  pushes BIGINT NOT NULL DEFAULT 0,
  pushes_housekept BIGINT NOT NULL DEFAULT 0,
  housekept_at BIGINT
);

CREATE TABLE protected_branches (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  allow_force_push BOOLEAN NOT NULL DEFAULT FALSE,
  code_owner_approval_required BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE protected_tags (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (project_id, name)
);

-- Who may do what to a protected ref: a level, a user or a group.
CREATE TABLE protected_ref_grants (
  id {id},
  branch_id BIGINT REFERENCES protected_branches (id) ON DELETE CASCADE,
  tag_id BIGINT REFERENCES protected_tags (id) ON DELETE CASCADE,
  action TEXT NOT NULL,
  access_level BIGINT,
  user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
  group_id BIGINT REFERENCES namespaces (id) ON DELETE CASCADE
);
CREATE INDEX protected_ref_grants_branch ON protected_ref_grants (branch_id);
CREATE INDEX protected_ref_grants_tag ON protected_ref_grants (tag_id);

-- How commits fare: one row for a pipeline as a whole (kind pipeline), and one for each name that was set from outside.
CREATE TABLE commit_statuses (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  sha TEXT NOT NULL,
  ref TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  target_url TEXT,
  description TEXT,
  coverage DOUBLE PRECISION,
  allow_failure BOOLEAN NOT NULL DEFAULT FALSE,
  pipeline_id BIGINT,
  author_id BIGINT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
);
CREATE INDEX commit_statuses_sha ON commit_statuses (project_id, sha);
CREATE INDEX commit_statuses_pipeline ON commit_statuses (pipeline_id);
