-- What people say about commits, on a line of a changed file or on the whole.
CREATE TABLE commit_comments (
  id {id},
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  sha TEXT NOT NULL,
  note TEXT NOT NULL,
  path TEXT,
  line BIGINT,
  line_type TEXT,
  author_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX commit_comments_sha ON commit_comments (project_id, sha);
