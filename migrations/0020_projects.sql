CREATE TABLE namespaces (
  id {id},
  kind TEXT NOT NULL,
  parent_id BIGINT REFERENCES namespaces (id),
  owner_id BIGINT REFERENCES users (id),
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  full_path TEXT NOT NULL,
  full_path_key TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  visibility BIGINT NOT NULL,
  avatar TEXT,
  settings TEXT NOT NULL DEFAULT '{}',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX namespaces_parent ON namespaces (parent_id);
CREATE UNIQUE INDEX namespaces_owner ON namespaces (owner_id);

-- Every namespace with itself (depth 0) and all above it.
CREATE TABLE namespace_ancestors (
  namespace_id BIGINT NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
  ancestor_id BIGINT NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
  depth BIGINT NOT NULL,
  PRIMARY KEY (namespace_id, ancestor_id)
);
CREATE INDEX namespace_ancestors_down ON namespace_ancestors (ancestor_id);

CREATE TABLE projects (
  id {id},
  namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
  creator_id BIGINT,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  full_path TEXT NOT NULL,
  full_path_key TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  visibility BIGINT NOT NULL,
  default_branch TEXT,
  archived BOOLEAN NOT NULL DEFAULT FALSE,
  empty_repo BOOLEAN NOT NULL DEFAULT TRUE,
  avatar TEXT,
  topics TEXT NOT NULL DEFAULT '[]',
  settings TEXT NOT NULL DEFAULT '{}',
  star_count BIGINT NOT NULL DEFAULT 0,
  forked_from_id BIGINT,
  import_url TEXT,
  import_status TEXT NOT NULL DEFAULT 'none',
  import_error TEXT,
  import_progress TEXT,
  repository_size BIGINT NOT NULL DEFAULT 0,
  commit_count BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_activity_at BIGINT NOT NULL
);
CREATE INDEX projects_namespace ON projects (namespace_id);
CREATE INDEX projects_activity ON projects (last_activity_at);

-- A member of a group (namespace_id) or of a project (project_id), never of both.
CREATE TABLE members (
  id {id},
  namespace_id BIGINT REFERENCES namespaces (id) ON DELETE CASCADE,
  project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  access_level BIGINT NOT NULL,
  expires_at BIGINT,
  created_by BIGINT,
  created_at BIGINT NOT NULL,
  UNIQUE (namespace_id, user_id),
  UNIQUE (project_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

-- Where something was before it was renamed or transferred.
CREATE TABLE redirects (
  path_key TEXT PRIMARY KEY,
  namespace_id BIGINT REFERENCES namespaces (id) ON DELETE CASCADE,
  project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE
);

CREATE TABLE stars (
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, project_id)
);
CREATE INDEX stars_project ON stars (project_id);

-- What people did, for activity feeds and the events API.
CREATE TABLE activities (
  id {id},
  project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
  author_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  action TEXT NOT NULL,
  target_type TEXT,
  target_id BIGINT,
  target_iid BIGINT,
  target_title TEXT,
  data TEXT NOT NULL DEFAULT '{}',
  created_at BIGINT NOT NULL
);
CREATE INDEX activities_project ON activities (project_id, id);
CREATE INDEX activities_author ON activities (author_id, id);

CREATE TABLE uploads (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  secret TEXT NOT NULL UNIQUE,
  file_name TEXT NOT NULL,
  size BIGINT NOT NULL,
  uploaded_by BIGINT,
  created_at BIGINT NOT NULL
);

CREATE TABLE badges (
  id {id},
  project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
  namespace_id BIGINT REFERENCES namespaces (id) ON DELETE CASCADE,
  name TEXT NOT NULL DEFAULT '',
  link_url TEXT NOT NULL,
  image_url TEXT NOT NULL
);
