-- CI jobs are called builds in the database, as `jobs` are those of the background.
CREATE TABLE pipelines (
  id {id},
  iid BIGINT NOT NULL,
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  user_id BIGINT,
  ref_name TEXT NOT NULL,
  tag BOOLEAN NOT NULL,
  sha TEXT NOT NULL,
  before_sha TEXT NOT NULL,
  source TEXT NOT NULL,
  status TEXT NOT NULL,
  name TEXT,
  yaml_errors TEXT,
  stages TEXT NOT NULL DEFAULT '[]',
  variables TEXT NOT NULL DEFAULT '[]',
  auto_cancel TEXT NOT NULL DEFAULT '{}',
  commit_title TEXT NOT NULL DEFAULT '',
  coverage DOUBLE PRECISION,
  lock_version BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT,
  UNIQUE (project_id, iid)
);
CREATE INDEX pipelines_ref ON pipelines (project_id, ref_name, id);
CREATE INDEX pipelines_sha ON pipelines (project_id, sha);
CREATE INDEX pipelines_status ON pipelines (project_id, status);

CREATE TABLE builds (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  pipeline_id BIGINT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
  user_id BIGINT,
  name TEXT NOT NULL,
  stage TEXT NOT NULL,
  stage_index BIGINT NOT NULL,
  position BIGINT NOT NULL,
  status TEXT NOT NULL,
  when_to_run TEXT NOT NULL,
  allow_failure BOOLEAN NOT NULL,
  dag BOOLEAN NOT NULL,
  retried BOOLEAN NOT NULL DEFAULT FALSE,
  attempt BIGINT NOT NULL DEFAULT 0,
  interruptible BOOLEAN NOT NULL DEFAULT FALSE,
  tags TEXT NOT NULL DEFAULT '[]',
  spec TEXT NOT NULL,
  play_variables TEXT NOT NULL DEFAULT '[]',
  timeout BIGINT NOT NULL,
  token_hash TEXT UNIQUE,
  runner TEXT,
  lease_until BIGINT,
  failure_reason TEXT,
  exit_code BIGINT,
  coverage DOUBLE PRECISION,
  trace_size BIGINT NOT NULL DEFAULT 0,
  trace_archived BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL,
  queued_at BIGINT,
  scheduled_at BIGINT,
  started_at BIGINT,
  finished_at BIGINT,
  erased_at BIGINT
);
CREATE INDEX builds_pipeline ON builds (pipeline_id, stage_index);
CREATE INDEX builds_project ON builds (project_id, id);
CREATE INDEX builds_status ON builds (status, id);

CREATE TABLE build_needs (
  build_id BIGINT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  needed_name TEXT NOT NULL,
  artifacts BOOLEAN NOT NULL,
  PRIMARY KEY (build_id, needed_name)
);

CREATE TABLE trace_chunks (
  build_id BIGINT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  start BIGINT NOT NULL,
  data {bytes} NOT NULL,
  PRIMARY KEY (build_id, start)
);

CREATE TABLE build_artifacts (
  id {id},
  build_id BIGINT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  project_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  format TEXT NOT NULL,
  file_name TEXT NOT NULL,
  size BIGINT NOT NULL,
  access TEXT NOT NULL DEFAULT 'all',
  expires_at BIGINT,
  created_at BIGINT NOT NULL,
  UNIQUE (build_id, kind)
);
CREATE INDEX build_artifacts_expiry ON build_artifacts (expires_at);

CREATE TABLE ci_variables (
  id {id},
  project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
  namespace_id BIGINT REFERENCES namespaces (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  variable_type TEXT NOT NULL DEFAULT 'env_var',
  protected BOOLEAN NOT NULL DEFAULT FALSE,
  masked BOOLEAN NOT NULL DEFAULT FALSE,
  hidden BOOLEAN NOT NULL DEFAULT FALSE,
  raw BOOLEAN NOT NULL DEFAULT FALSE,
  environment_scope TEXT NOT NULL DEFAULT '*',
  description TEXT,
  UNIQUE (project_id, key, environment_scope),
  UNIQUE (namespace_id, key, environment_scope)
);
