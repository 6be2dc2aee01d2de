-- Large files by their SHA-256, and the projects that they belong to.
CREATE TABLE lfs_objects (
  oid TEXT PRIMARY KEY,
  size BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE lfs_project_objects (
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  oid TEXT NOT NULL REFERENCES lfs_objects (oid) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, oid)
);
CREATE INDEX lfs_project_objects_oid ON lfs_project_objects (oid);

CREATE TABLE lfs_locks (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  ref TEXT,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  locked_at BIGINT NOT NULL,
  UNIQUE (project_id, path)
);
